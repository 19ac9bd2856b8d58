"""What a sandbox policy lets be written, and what a patch needs."""

import pytest

from codex_hookspecs.types.sandbox import SandboxPolicy
from codex_sandboxing.writable_roots import is_writable, writable_roots


def test_a_workspace_is_its_directory_the_temporary_ones_and_the_added_roots():
    policy = SandboxPolicy("workspaceWrite", writable_roots=("/data", "/space"))

    assert writable_roots(policy, "/space", "/var/tmp") == ("/space", "/data", "/tmp", "/var/tmp")


def test_the_temporary_directories_can_be_left_out():
    policy = SandboxPolicy("workspaceWrite", exclude_slash_tmp=True, exclude_tmpdir_env_var=True)

    assert writable_roots(policy, "/space", "/var/tmp") == ("/space",)


@pytest.mark.parametrize(
    ("kind", "roots"), [("readOnly", ()), ("dangerFullAccess", ("/",)), ("externalSandbox", ("/",))]
)
def test_other_policies_open_nothing_or_everything(kind, roots):
    assert writable_roots(SandboxPolicy(kind), "/space", "/tmp") == roots


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/space/a", True),
        ("/space", True),
        ("/space/deep/.git/config", True),
        ("/space/.gitignore", True),
        ("/workspace/a", False),
        ("/etc/passwd", False),
        ("/space/.git/hooks/pre-commit", False),
        ("/space/.codex/hooks.json", False),
        ("/space/.agents/x", False),
    ],
)
def test_a_root_opens_what_is_below_it_but_what_is_protected(path, expected):
    assert is_writable(path, ["/space"]) is expected


def test_protection_in_one_root_holds_against_a_wider_one():
    assert not is_writable("/tmp/space/.git/config", ["/tmp", "/tmp/space"])


@pytest.mark.parametrize(
    ("path", "roots", "expected"),
    [
        ("/space/state/config.toml", ["/space"], False),
        ("/space/state", ["/space"], False),
        ("/space/state/config.toml", ["/space", "/space/state"], True),
        ("/space/state/.git/config", ["/space", "/space/state"], False),
        ("/space/state/room/a", ["/space", "/space/state/room"], True),
        ("/space/statement", ["/space"], True),
        ("/space/a", ["/space"], True),
    ],
)
def test_only_itself_or_a_root_within_opens_the_programs_own_directory(path, roots, expected):
    assert is_writable(path, roots, own=["/space/state"]) is expected


def test_windows_paths_are_compared_by_their_parts():
    assert is_writable("C:\\work\\a", ["C:\\work"])
    assert not is_writable("C:\\other\\a", ["C:\\work"])
