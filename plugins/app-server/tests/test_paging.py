"""Pages of lists."""

from __future__ import annotations

import pytest

from codex_app_server.paging import paginate
from codex_hookspecs.errors import RpcError


def test_pages_follow_each_other_by_their_cursors() -> None:
    first = paginate("abcde", None, 2, what="letters")
    second = paginate("abcde", first.next_cursor, 3, what="letters")

    assert first == (("a", "b"), "2")
    assert second == (("c", "d", "e"), None)


@pytest.mark.parametrize(
    ("cursor", "message"),
    [("x", "invalid cursor: x"), ("-1", "invalid cursor: -1"), ("6", "cursor 6 exceeds total letters 5")],
)
def test_a_cursor_that_no_page_has_is_refused(cursor: str, message: str) -> None:
    with pytest.raises(RpcError) as caught:
        paginate("abcde", cursor, None, what="letters")

    assert caught.value.message == message
