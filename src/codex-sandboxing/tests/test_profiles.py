"""Permission profiles become the policy of threads where a sandbox mode says the same, and are refused else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.types.permissions import FileSystemEntry, GlobPattern, SpecialPath
from codex_hookspecs.types.sandbox import SandboxPolicy
from codex_sandboxing.profiles import default_policy, named_profile

READ_ALL = {":root": "read"}
WRITE = {**READ_ALL, ":project_roots": "write"}


def policy(files: dict[str, Any], cwd: Path, **more: Any) -> SandboxPolicy | str:
    return default_policy("mine", {"mine": {"filesystem": files, **more}}, str(cwd))


@pytest.mark.parametrize(
    ("name", "mode"),
    [(":read-only", "read-only"), (":workspace", "workspace-write"), (":danger-full-access", "danger-full-access")],
)
def test_built_in_profiles_are_modes(name: str, mode: str) -> None:
    assert default_policy(name, {}, "/w") == mode


def test_what_a_mode_can_tell_becomes_its_policy(tmp_path: Path) -> None:
    plain = {"exclude_slash_tmp": True, "exclude_tmpdir_env_var": True}

    assert policy(READ_ALL, tmp_path) == SandboxPolicy("readOnly")
    assert policy(READ_ALL, tmp_path, network={"enabled": True}) == SandboxPolicy("readOnly", True)
    assert policy(WRITE, tmp_path) == SandboxPolicy("workspaceWrite", **plain)
    assert policy({**WRITE, "/srv": "write"}, tmp_path) == SandboxPolicy(
        "workspaceWrite", writable_roots=("/srv",), **plain
    )


@pytest.mark.parametrize(
    "files",
    [
        {**WRITE, "/srv/secrets": "none"},
        {**WRITE, "/srv/*.key": "none"},
        {**READ_ALL, ":project_roots": {".": "write", "docs": "read"}},
        {**READ_ALL, "/srv": "write"},
        {":minimal": "read", ":project_roots": "write"},
        {":root": "write"},
        {},
    ],
    ids=["denied path", "denied pattern", "closed part", "other root", "restricted reading", "everything", "nothing"],
)
def test_what_no_mode_can_tell_is_refused_with_what_to_do(files: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^default_permissions names 'mine', .*; only `codex sandbox`.*sandbox_mode"):
        policy(files, tmp_path)


def test_a_profile_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match=r"'x' not found; there are: :read-only, .*, mine$"):
        named_profile("x", {"mine": {}})


def test_names_that_are_not_known_yet_grant_nothing_and_relative_paths_are_refused() -> None:
    profile = named_profile("mine", {"mine": {"filesystem": {":later": "write", "/a/**/*.env": "none"}}})

    assert profile.file_system.entries == (
        FileSystemEntry(SpecialPath("unknown", None, ":later"), "write"),
        FileSystemEntry(GlobPattern("/a/**/*.env"), "none"),
    )
    with pytest.raises(ConfigError, match="allowed are absolute paths and names like :root"):
        named_profile("mine", {"mine": {"filesystem": {"a": "read"}}})
