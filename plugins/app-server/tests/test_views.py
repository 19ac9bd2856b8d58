"""Sandbox policies in wire form."""

from __future__ import annotations

from typing import Any

import pytest

from codex_app_server.paging import page
from codex_app_server.reviews import review_prompt
from codex_app_server.views import policy_from, policy_view
from codex_hookspecs.errors import RpcError
from codex_hookspecs.sandbox import SandboxPolicy

POLICIES = [
    SandboxPolicy("dangerFullAccess"),
    SandboxPolicy("readOnly", network_access=True),
    SandboxPolicy("externalSandbox", network_access=True),
    SandboxPolicy("workspaceWrite", writable_roots=("/a",), exclude_slash_tmp=True, exclude_tmpdir_env_var=True),
]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.kind)
def test_a_policy_comes_back_from_the_wire(policy: SandboxPolicy) -> None:
    assert policy_from(policy_view(policy)) == policy


@pytest.mark.parametrize(
    ("view", "message"),
    [
        ({}, "missing field `type`"),
        ({"type": "none"}, "unknown variant `none`"),
        ({"type": "workspaceWrite", "writableRoots": ["a"]}, "AbsolutePathBuf deserialized without a base path"),
        ({"type": "readOnly", "access": {"type": "restricted"}}, "restricted read access is not supported"),
    ],
)
def test_what_is_no_policy_is_refused(view: dict[str, Any], message: str) -> None:
    with pytest.raises(RpcError, match=message):
        policy_from(view)


def test_pages_follow_each_other_by_their_cursors() -> None:
    first = page("abcde", None, 2)
    second = page("abcde", first["nextCursor"], 3)

    assert first == {"data": ["a", "b"], "nextCursor": "2"}
    assert second == {"data": ["c", "d", "e"], "nextCursor": None}
    with pytest.raises(RpcError, match=r"^invalid cursor: x$"):
        page("abcde", "x", None)


@pytest.mark.parametrize("target", [{"type": "baseBranch"}, {"type": "commit", "sha": " "}, {"type": "other"}])
def test_a_review_needs_something_to_look_at(target: dict[str, Any]) -> None:
    with pytest.raises(RpcError):
        review_prompt(target)


def test_a_review_names_what_is_looked_at() -> None:
    assert "merge-base HEAD main" in review_prompt({"type": "baseBranch", "branch": "main"})
    assert 'abc ("fix")' in review_prompt({"type": "commit", "sha": "abc", "title": "fix"})
    assert review_prompt({"type": "custom", "instructions": " only names "}) == "only names"
