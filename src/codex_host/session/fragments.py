"""Gather the standing texts of a turn and send those that changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from codex_hookspecs.fragments import texts_of
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


def changed_messages(
    fragments: Sequence[Fragment], sent: dict[str, str], history: Sequence[JsonObject]
) -> list[JsonObject]:
    """Return messages for the fragments whose text differs from what was sent, and note them as sent.

    Developer fragments are the parts of one message, user fragments those of another (as Codex 0.118 sends them).

    :param sent: text of each fragment sent so far, by key; changed in place.
    :param history: what the model was told so far; a text that stands in it is not sent again.
    """
    fresh = [part for part in fragments if part.place != "base" and part.text and sent.get(part.key) != part.text]
    if fresh and history:
        told = {text for item in history for text in texts_of(item, "developer", "user")}
        unknown = [part.key for part in fresh if part.key not in sent and part.text in told]
        fresh = [part for part in fresh if part.key not in unknown]
    sent.update((part.key, part.text) for part in fresh)
    texts = {role: [part.text for part in fresh if part.place == role] for role in ("developer", "user")}
    return [message(role, *parts) for role, parts in texts.items() if parts]
