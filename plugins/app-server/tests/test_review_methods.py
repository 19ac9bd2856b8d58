"""What the prompt of a review says."""

from __future__ import annotations

from typing import Any

import pytest

from codex_app_server.review_methods import review_prompt
from codex_hookspecs.errors import RpcError


@pytest.mark.parametrize("target", [{"type": "baseBranch"}, {"type": "commit", "sha": " "}, {"type": "other"}])
def test_a_review_needs_something_to_look_at(target: dict[str, Any]) -> None:
    with pytest.raises(RpcError):
        review_prompt(target)


def test_a_review_names_what_is_looked_at() -> None:
    assert "merge-base HEAD main" in review_prompt({"type": "baseBranch", "branch": "main"})
    assert 'abc ("fix")' in review_prompt({"type": "commit", "sha": "abc", "title": "fix"})
    assert review_prompt({"type": "custom", "instructions": " only names "}) == "only names"
