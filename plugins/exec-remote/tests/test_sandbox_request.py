"""A policy reaches the server as what is meant; the server builds the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from codex_exec_remote.sandbox_request import sandbox_request
from codex_hookspecs.environments import ExecParams
from codex_hookspecs.sandbox import AdditionalPermissions, FileAccess, SandboxPolicy


def permissions(policy: SandboxPolicy, additional: AdditionalPermissions | None = None) -> Any:
    params = ExecParams(
        process_id="p", argv=("true",), cwd="/space/sub", env={}, sandbox=policy, sandbox_cwd="/space",
        additional=additional,
    )  # fmt: skip
    found = sandbox_request(params)
    return None if found is None else found["permissions"]


def paths(found: Any, access: str) -> list[str]:
    entries = found["file_system"]["entries"]
    return [
        entry["path"].get("path") or entry["path"]["value"]["kind"] for entry in entries if entry["access"] == access
    ]


def test_what_was_granted_beyond_the_policy_is_added_path_by_path() -> None:
    more = AdditionalPermissions(network=True, file_system=FileAccess(read=("/r",), write=("/w",)))

    found = permissions(SandboxPolicy("readOnly"), more)

    assert paths(found, "write") == ["file:///w"]
    assert paths(found, "read") == ["root", "file:///r"]
    assert found["network"] == "enabled"


@pytest.mark.parametrize("more", [None, AdditionalPermissions(), AdditionalPermissions(network=None)])
def test_nothing_is_added_where_nothing_was_granted(more: AdditionalPermissions | None) -> None:
    found = permissions(SandboxPolicy("readOnly"), more)

    assert (paths(found, "write"), found["network"]) == ([], "restricted")


def test_a_policy_that_holds_nothing_back_is_not_sent() -> None:
    assert permissions(SandboxPolicy("dangerFullAccess"), AdditionalPermissions(network=True)) is None
