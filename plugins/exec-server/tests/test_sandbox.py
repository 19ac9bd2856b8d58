"""Which policy the sandbox object of a client stands for."""

from __future__ import annotations

from typing import Any

import pytest

from codex_exec_server.sandbox import read_sandbox
from codex_hookspecs.errors import RpcError
from codex_hookspecs.sandbox import (
    EXTERNAL,
    PROJECT_ROOTS,
    ROOT,
    UNRESTRICTED,
    FileSystemEntry,
    FileSystemPolicy,
    GlobPattern,
    Permissions,
    SpecialPath,
)

ROOT_READ = {"path": {"type": "special", "value": {"kind": "root"}}, "access": "read"}


def box(*entries: Any, network: str = "restricted", **more: Any) -> dict[str, Any]:
    system = {"type": "restricted", "entries": list(entries)}
    permissions = {"type": "managed", "file_system": system, "network": network}
    return {"permissions": permissions, "cwd": "file:///space", "workspaceRoots": ["file:///space"], **more}


def special(kind: str, access: str, **more: Any) -> dict[str, Any]:
    return {"path": {"type": "special", "value": {"kind": kind, **more}}, "access": access}


def at(path: str, access: str) -> dict[str, Any]:
    return {"path": {"type": "path", "path": path}, "access": access}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (box(), ()),
        (box(ROOT_READ), (FileSystemEntry(ROOT, "read"),)),
        (box(special("project_roots", "write")), (FileSystemEntry(PROJECT_ROOTS, "write"),)),
        (
            box({**special("project_roots", "read", subpath=".git"), "missing_path_behavior": "skip"}),
            (FileSystemEntry(SpecialPath("project_roots", ".git"), "read", skip_missing=True),),
        ),
        (
            box(at("file:///a%20b", "write"), at("/c", "none")),
            (FileSystemEntry("/a b", "write"), FileSystemEntry("/c", "none")),
        ),
        (box(at("file:///c", "deny")), (FileSystemEntry("/c", "none"),)),
        (
            box({"path": {"type": "glob_pattern", "pattern": "/s/**/*.env"}, "access": "deny"}),
            (FileSystemEntry(GlobPattern("/s/**/*.env"), "none"),),
        ),
        (box({"path": {"type": "glob_pattern", "pattern": "/s/*"}, "access": "write"}), ()),
        (
            box(special("unknown", "read", path=":new")),
            (FileSystemEntry(SpecialPath("unknown", None, ":new"), "read"),),
        ),
    ],
)
def test_the_rules_are_read(value: dict[str, Any], expected: tuple[FileSystemEntry, ...]) -> None:
    found = read_sandbox(value)

    assert found is not None
    assert found.permissions == Permissions(FileSystemPolicy("restricted", expected), "restricted")
    assert (found.cwd, found.roots) == ("/space", ("/space",))


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [
        ({"type": "disabled"}, None),
        ({"type": "external", "network": "enabled"}, Permissions(EXTERNAL, "enabled")),
        ({"type": "external", "network": "restricted"}, Permissions(EXTERNAL, "restricted")),
        (
            {"type": "managed", "file_system": {"type": "unrestricted"}, "network": "restricted"},
            Permissions(UNRESTRICTED, "restricted"),
        ),
        ({"type": "managed", "file_system": {"type": "unrestricted"}, "network": "enabled"}, None),
    ],
)
def test_whole_profiles_are_read(permissions: dict[str, Any], expected: Permissions | None) -> None:
    found = read_sandbox({"permissions": permissions})

    assert (found and found.permissions) == expected


def test_without_a_cwd_the_policy_is_about_the_first_root() -> None:
    found = read_sandbox({**box(), "cwd": None, "workspaceRoots": ["/one", "/two"]})

    assert found is not None
    assert (found.cwd, found.roots) == ("/one", ("/one", "/two"))


KINDS = "`root`, `minimal`, `current_working_directory`, `project_roots`, `tmpdir`, `slash_tmp`, `unknown`"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (5, "invalid type: number, expected struct WireFileSystemSandboxContext"),
        ({}, "missing field `permissions`"),
        ({"permissions": 5}, "invalid type: integer `5`, expected internally tagged enum ExecPermissionProfile"),
        ({"permissions": {}}, "missing field `type`"),
        ({"permissions": {"type": "x"}}, "unknown variant `x`, expected one of `managed`, `disabled`, `external`"),
        ({"permissions": {"type": "external"}}, "missing field `network`"),
        ({"permissions": {"type": "managed", "network": "restricted"}}, "missing field `file_system`"),
        (box(network="some"), "unknown variant `some`, expected `restricted` or `enabled`"),
        (
            {"permissions": {"type": "managed", "file_system": {"type": "rest"}, "network": "restricted"}},
            "unknown variant `rest`, expected `restricted` or `unrestricted`",
        ),
        (
            {"permissions": {"type": "managed", "file_system": {"type": "restricted"}, "network": "restricted"}},
            "missing field `entries`",
        ),
        (box(special("moon", "write")), f"unknown variant `moon`, expected one of {KINDS}"),
        (box(special("root", "rread")), "unknown variant `rread`, expected one of `read`, `write`, `deny`, `none`"),
        (box({"access": "read"}), "missing field `path`"),
        (box({"path": ROOT_READ["path"]}), "missing field `access`"),
        (
            box({"path": {"type": "x"}, "access": "read"}),
            "unknown variant `x`, expected one of `path`, `glob_pattern`, `special`",
        ),
        (box(at("tmp", "read")), "invalid URI: relative URL without a base"),
        (box(cwd=5), "invalid type: number, expected a string"),
        (box(workspaceRoots="x"), 'invalid type: string "x", expected a sequence'),
    ],
)
def test_what_is_none_is_refused(value: Any, message: str) -> None:
    with pytest.raises(RpcError) as caught:
        read_sandbox(value)

    assert (caught.value.code, caught.value.message) == (-32602, message)
