"""Cache the JSON encoding of a conversation's items, which every request of a thread repeats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codex_hookspecs.protocol import JsonObject


class EncodedInput:
    """The encoded input of the last request; the next one reuses the prefix that both have in common.

    :param encode: encodes one item.
    """

    def __init__(self, encode: Callable[[JsonObject], bytes]) -> None:
        self._encode = encode
        self._items: list[JsonObject] = []
        self._ends: list[int] = []
        self._data = bytearray()

    def to_json_array(self, items: Sequence[JsonObject]) -> bytes:
        """Return the items as a JSON array; an item that is the same object as before is not encoded again."""
        same = 0
        for old, new in zip(self._items, items, strict=False):
            if old is not new:
                break
            same += 1
        del self._items[same:], self._ends[same:], self._data[self._ends[-1] if self._ends else 0 :]
        for item in items[same:]:
            if self._items:
                self._data += b","
            self._data += self._encode(item)
            self._items.append(item)
            self._ends.append(len(self._data))
        return b"".join((b"[", self._data, b"]"))
