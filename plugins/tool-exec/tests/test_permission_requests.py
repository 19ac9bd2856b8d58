"""Permissions beyond the sandbox policy are requested by calls and granted by users."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from codex_hookspecs.errors import ToolError, ToolRejected
from codex_hookspecs.sandbox import AdditionalPermissions, FileAccess, FileSystemEntry, MacosExtensions, SandboxPolicy
from codex_hookspecs.tools import PermissionsApproval, PermissionsRequest
from codex_tool_exec.permission_arguments import read_additional

if TYPE_CHECKING:
    from conftest import Conversation

pytestmark = pytest.mark.anyio

WITH = {"sandbox_permissions": "with_additional_permissions", "justification": "May I?"}


def files(*write: str, read: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"file_system": {"write": list(write), "read": list(read)}}


async def test_requested_permissions_are_approved_and_enforced(more: Conversation) -> None:
    await more.run("echo hi", additional_permissions={**files("/data"), "network": {"enabled": True}}, **WITH)

    [request] = more.asked
    assert request.additional == AdditionalPermissions(network=True, file_system=FileAccess(write=("/data",)))
    assert not request.escalated
    [launched] = more.launched
    assert launched.policy == SandboxPolicy("workspaceWrite", True, writable_roots=("/data",))
    assert launched.permissions is not None
    assert FileSystemEntry("/data", "write") in launched.permissions.file_system.entries
    assert launched.permissions.network == "enabled"


async def test_a_read_only_policy_gets_the_paths_and_no_more(more: Conversation) -> None:
    more.policy(SandboxPolicy("readOnly"), "on-request")

    await more.run("echo hi", additional_permissions=files("x"), workdir="sub", **WITH)

    permissions = more.launched[0].permissions
    assert permissions is not None
    written = [entry.where for entry in permissions.file_system.entries if entry.access == "write"]
    assert written == ["/space/sub/x"]
    assert permissions.network == "restricted"


async def test_macos_extensions_reach_the_launcher(more: Conversation) -> None:
    wanted = {"calendar": True, "automations": {"bundle_ids": ["com.a.b", "bad"]}, "preferences": "read_write"}

    await more.run("echo hi", additional_permissions={"macos": wanted}, **WITH)

    assert more.launched[0].macos == MacosExtensions(preferences="read_write", automation=("com.a.b",), calendar=True)
    asked = more.asked[0].additional
    assert asked is not None
    assert asked.macos == more.launched[0].macos


async def test_a_remote_environment_gets_the_granted_permissions(more: Conversation) -> None:
    more.machine.remote = True

    await more.run("echo hi", additional_permissions={**files("/data"), "network": {"enabled": True}}, **WITH)

    [params] = more.machine.exec.started
    assert params.sandbox == SandboxPolicy("workspaceWrite")
    assert params.additional == AdditionalPermissions(network=True, file_system=FileAccess(write=("/data",)))
    assert "CODEX_SANDBOX_NETWORK_DISABLED" not in params.env


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (WITH, "missing `additional_permissions`; provide at least one of"),
        ({**WITH, "additional_permissions": {}}, "`additional_permissions` must include at least one requested"),
        ({**WITH, "additional_permissions": files()}, "must include at least one requested permission"),
        ({**WITH, "additional_permissions": {"network": {"enabled": False}}}, "must include at least one"),
        ({**WITH, "additional_permissions": []}, "invalid type: sequence, expected struct PermissionProfile"),
        ({**WITH, "additional_permissions": {"network": True}}, "boolean `true`, expected struct NetworkPermissions"),
        ({**WITH, "additional_permissions": {"network": {"enabled": 1}}}, "invalid type: integer `1`, expected a boo"),
        ({**WITH, "additional_permissions": {"file_system": {"write": "x"}}}, 'string "x", expected a sequence'),
        ({**WITH, "additional_permissions": {"file_system": {"read": [3]}}}, "integer `3`, expected a string"),
        (
            {"sandbox_permissions": "require_escalated", "additional_permissions": files("/x")},
            "`additional_permissions` requires `sandbox_permissions` set to `with_additional_permissions`",
        ),
    ],
)
async def test_an_invalid_request_of_a_command_fails(more: Conversation, arguments: dict[str, Any], error: str) -> None:
    with pytest.raises(ToolError) as caught:
        await more.run("echo hi", **arguments)

    assert error in str(caught.value)
    assert (more.asked, more.launched) == ([], [])


async def test_without_the_feature_the_model_is_told_which(talk: Conversation) -> None:
    talk.policy(SandboxPolicy("workspaceWrite"), "on-request")

    with pytest.raises(ToolError, match=r"enable `features\.exec_permission_approvals` before using"):
        await talk.run("echo hi", additional_permissions=files("/x"), **WITH)

    assert "request_permissions" not in talk.tools
    assert "additional_permissions" not in talk.tools["exec_command"].spec["parameters"]["properties"]


async def test_under_never_no_permissions_can_be_requested(more: Conversation) -> None:
    more.policy(SandboxPolicy("workspaceWrite"), "never")

    with pytest.raises(ToolRejected, match="approval policy is Never; reject command"):
        await more.run("echo hi", additional_permissions=files("/x"), **WITH)


async def request(talk: Conversation, permissions: dict[str, Any], **given: Any) -> Any:
    output = await talk.call("request_permissions", permissions=permissions, **given)
    return json.loads(output.text)


async def test_a_request_is_asked_with_canonical_paths_and_told_to_the_model(more: Conversation) -> None:
    more.grant = PermissionsApproval(AdditionalPermissions(file_system=FileAccess(write=("/data",))), "session")

    told = await request(more, files("/data", "../other"), reason="to build")

    wanted = AdditionalPermissions(file_system=FileAccess(write=("/data", "/other")))
    assert more.wishes == [PermissionsRequest(permissions=wanted, reason="to build")]
    assert told == {
        "permissions": {"network": None, "file_system": {"read": None, "write": ["/data"]}},
        "scope": "session",
    }


async def test_a_request_that_is_granted_nothing_is_told_as_such(more: Conversation) -> None:
    told = await request(more, files("/data"))

    assert told == {"permissions": {"network": None, "file_system": None}, "scope": "turn"}


async def test_what_was_granted_before_is_part_of_the_policy(more: Conversation) -> None:
    more.granted = AdditionalPermissions(file_system=FileAccess(write=("/data",)))

    await more.run("echo hi")

    assert more.launched[0].policy.writable_roots == ("/data",)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ('{"permissions": {}}', "request_permissions requires at least one permission"),
        ("{}", "missing field `permissions`"),
        ('{"permissions": 3}', "expected struct PermissionProfile"),
    ],
)
async def test_an_invalid_request_is_an_error(more: Conversation, arguments: str, error: str) -> None:
    with pytest.raises(ToolError, match=error):
        await more.call("request_permissions", arguments)


def test_paths_are_made_canonical_and_counted_once() -> None:
    wanted = read_additional(files("b", "/space/b", "../space/b"), "/space", lambda path: path)

    assert wanted == AdditionalPermissions(file_system=FileAccess(write=("/space/b",)))
