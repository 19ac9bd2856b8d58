"""Listings come in pages."""

from __future__ import annotations

import pytest

from codex_app_server.paging import paginate
from codex_hookspecs.errors import RpcError


def test_pages_follow_each_other_by_their_cursors() -> None:
    first = paginate("abcde", None, 2)
    second = paginate("abcde", first["nextCursor"], 3)

    assert first == {"data": ["a", "b"], "nextCursor": "2"}
    assert second == {"data": ["c", "d", "e"], "nextCursor": None}
    with pytest.raises(RpcError, match=r"^invalid cursor: x$"):
        paginate("abcde", "x", None)
