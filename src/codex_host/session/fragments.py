"""Gather the standing texts of a turn and send those that changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from codex_hookspecs.response_items import message
from codex_hookspecs.types.context import Fragment
from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.types.threads import ThreadSettings

if TYPE_CHECKING:
    from codex_host.session.thread import HostThread


async def gather(thread: HostThread, settings: ThreadSettings) -> list[Fragment]:
    """Ask all plugins for fragments and sort them by order and key."""
    found = await thread.dispatch.concat("instruction_fragments", thread.warn, thread=thread, settings=settings)
    return sorted(found, key=lambda fragment: (fragment.order, fragment.key))


def changed_messages(fragments: Sequence[Fragment], sent: dict[str, str]) -> list[JsonObject]:
    """Return messages for the fragments whose text differs from what was sent, and note them as sent.

    :param sent: text of each fragment sent so far, by key; changed in place.
    """
    fresh = [part for part in fragments if part.place != "base" and part.text and sent.get(part.key) != part.text]
    sent.update((part.key, part.text) for part in fresh)
    developer = [part.text for part in fresh if part.place == "developer"]
    messages = [message("developer", *developer)] if developer else []
    return messages + [message("user", part.text) for part in fresh if part.place == "user"]
