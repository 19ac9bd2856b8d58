"""The command line of the helper is read as the real one reads it; what is wrong with it is one line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.types.permissions import (
    ROOT,
    UNRESTRICTED,
    FileSystemEntry,
    FileSystemPolicy,
    GlobPattern,
    Permissions,
)
from codex_hookspecs.types.sandbox import SandboxPolicy
from codex_sandboxing.legacy import to_split
from codex_sandboxing.linux.helper_argv import HelperCall, is_helper, read_helper_call

READ = {"path": {"type": "special", "value": {"kind": "root"}}, "access": "read"}
WRITE = {"path": {"type": "special", "value": {"kind": "current_working_directory"}}, "access": "write"}
ONLY_READ = Permissions(FileSystemPolicy("restricted", (FileSystemEntry(ROOT, "read"),)), "restricted")
RESTRICTED = ("--network-sandbox-policy", '"restricted"')


def entry(path: str, access: str) -> dict[str, Any]:
    return {"path": {"type": "path", "path": path}, "access": access}


def files(*entries: Any) -> tuple[str, str]:
    return "--file-system-sandbox-policy", json.dumps({"kind": "restricted", "entries": entries})


def legacy(kind: str, **more: Any) -> tuple[str, str]:
    return "--sandbox-policy", json.dumps({"type": kind, **more})


def call(*words: str) -> HelperCall:
    return read_helper_call([*words, "--", "ls", "-l"], "/w", {})


def test_the_forms_of_both_releases_mean_the_same() -> None:
    profile = json.dumps(
        {"type": "managed", "file_system": {"type": "restricted", "entries": [READ]}, "network": "restricted"}
    )

    found = [call(*legacy("read-only")), call(*files(READ), *RESTRICTED), call("--permission-profile", profile)]

    assert [each.permissions for each in found] == [ONLY_READ] * 3
    assert {each.policy for each in found} == {SandboxPolicy("readOnly")}
    assert {each.command for each in found} == {("ls", "-l")}


def test_all_options_are_read() -> None:
    spec = '{"routes":[{"env_key":"HTTP_PROXY","uds_path":"/s/proxy-route-0.sock"}]}'

    found = call(
        *("--sandbox-policy-cwd", "/p", "--command-cwd=/c", "--no-proc", "--allow-network-for-proxy"),
        *("--use-legacy-landlock", "--apply-seccomp-then-exec", "--proxy-route-spec", spec, *legacy("workspace-write")),
    )

    assert found == HelperCall(
        SandboxPolicy("workspaceWrite"),
        to_split(SandboxPolicy("workspaceWrite")),
        "/p",
        "/c",
        ("ls", "-l"),
        managed=True,
        inner=True,
        routes=(("HTTP_PROXY", "/s/proxy-route-0.sock"),),
    )


def test_what_is_protected_anyway_may_be_named_in_the_split_form_alone() -> None:
    policy = legacy("workspace-write", exclude_slash_tmp=True, exclude_tmpdir_env_var=True)

    found = call(*policy, *files(READ, WRITE, entry("/w/.git", "read"), entry("/w/.codex", "read")), *RESTRICTED)

    assert found.policy.kind == "workspaceWrite"
    assert len(found.permissions.file_system.entries) == 4


def test_a_policy_that_only_the_split_form_can_tell_needs_no_match() -> None:
    found = call(*legacy("read-only"), *files(READ, WRITE, entry("/w/secret", "none")), *RESTRICTED)

    assert found.permissions.file_system.entries[-1] == FileSystemEntry("/w/secret", "none")


def test_patterns_and_full_access_are_read() -> None:
    pattern = {"path": {"type": "glob_pattern", "pattern": "/w/**/*.env"}, "access": "deny"}

    denied = call(*files(READ, pattern), *RESTRICTED)
    full = call(*legacy("danger-full-access"))

    assert denied.permissions.file_system.entries[-1].where == GlobPattern("/w/**/*.env")
    assert full.permissions == Permissions(UNRESTRICTED, "enabled")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((), "missing sandbox policy configuration"),
        (files(READ), "file-system and network sandbox policies must be provided together"),
        (RESTRICTED, "file-system and network sandbox policies must be provided together"),
        ((*legacy("workspace-write"), *files(READ), *RESTRICTED), "legacy sandbox policy must match split sandbox"),
        (("--sandbox-policy", "{"), "--sandbox-policy is not valid JSON"),
        (legacy("all"), 'type of the sandbox policy is "all"'),
        (("--odd",), "codex-linux-sandbox has the unexpected argument '--odd'"),
        (("--sandbox-policy-cwd", "rel", *legacy("read-only")), "--sandbox-policy-cwd 'rel', allowed are absolute"),
        (("--proxy-route-spec", "[]", *legacy("read-only")), "--proxy-route-spec takes"),
        (
            ("--use-legacy-landlock", *files(READ, WRITE, entry("/w/secret", "none")), *RESTRICTED),
            "a policy that has no legacy form",
        ),
    ],
)
def test_what_is_wrong_is_one_line(words: tuple[str, ...], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        call(*words)

    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("words", [["--sandbox-policy"], [*legacy("read-only")], [*legacy("read-only"), "--"]])
def test_a_command_line_that_ends_too_early_is_told(words: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"codex-linux-sandbox (has --sandbox-policy without|got no command)"):
        read_helper_call(words, "/w", {})


def test_the_helper_is_known_by_its_name() -> None:
    assert is_helper("codex-linux-sandbox")
    assert is_helper("/home/u/tmp/codex-linux-sandbox")
    assert not is_helper("/home/u/my-codex-linux-sandbox")
