"""What a sandbox policy lets be written, and what a patch needs."""

import pytest

from codex_hookspecs.types.sandbox import SandboxPolicy
from codex_hookspecs.writable import is_writable, patch_verdict, writable_roots


def test_a_workspace_is_its_directory_the_temporary_ones_and_the_added_roots():
    policy = SandboxPolicy("workspaceWrite", writable_roots=("/data", "/work"))

    assert writable_roots(policy, "/work", "/var/tmp") == ("/work", "/data", "/tmp", "/var/tmp")


def test_the_temporary_directories_can_be_left_out():
    policy = SandboxPolicy("workspaceWrite", exclude_slash_tmp=True, exclude_tmpdir_env_var=True)

    assert writable_roots(policy, "/work", "/var/tmp") == ("/work",)


@pytest.mark.parametrize(
    ("kind", "roots"), [("readOnly", ()), ("dangerFullAccess", ("/",)), ("externalSandbox", ("/",))]
)
def test_other_policies_open_nothing_or_everything(kind, roots):
    assert writable_roots(SandboxPolicy(kind), "/work", "/tmp") == roots


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/work/a", True),
        ("/work", True),
        ("/work/deep/.git/config", True),
        ("/work/.gitignore", True),
        ("/workspace/a", False),
        ("/etc/passwd", False),
        ("/work/.git/hooks/pre-commit", False),
        ("/work/.codex/hooks.json", False),
        ("/work/.agents/x", False),
    ],
)
def test_a_root_opens_what_is_below_it_but_what_is_protected(path, expected):
    assert is_writable(path, ["/work"]) is expected


def test_protection_in_one_root_holds_against_a_wider_one():
    assert not is_writable("/tmp/work/.git/config", ["/tmp", "/tmp/work"])


def test_windows_paths_are_compared_by_their_parts():
    assert is_writable("C:\\work\\a", ["C:\\work"])
    assert not is_writable("C:\\other\\a", ["C:\\work"])


@pytest.mark.parametrize(
    ("approval", "inside", "outside"),
    [
        ("never", "allow", "refuse"),
        ("on-request", "allow", "ask"),
        ("on-failure", "allow", "ask"),
        ("untrusted", "ask", "ask"),
    ],
)
def test_what_a_patch_needs_depends_on_the_approval_policy(approval, inside, outside):
    def verdict(path, *, unrestricted=False):
        return patch_verdict([path], approval=approval, unrestricted=unrestricted, roots=["/work"])

    assert verdict("/work/a") == inside
    assert verdict("/etc/a") == outside
    assert verdict("/etc/a", unrestricted=True) == inside
