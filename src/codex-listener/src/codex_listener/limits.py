"""What a listener accepts of its clients."""

from __future__ import annotations

from codex_hookspecs.values import frozen


@frozen(kw_only=True)
class Limits:
    """What a listener accepts.

    :param max_frame: payload of a frame in bytes.
    :param max_message: bytes of a message.
    :param max_head: bytes of request line and headers.
    :param upgrade_seconds: time for the upgrade.
    :param max_upgrades: connections that may be without their upgrade at once; the oldest makes room.
    """

    max_frame: int
    max_message: int
    max_head: int = 32 * 1024
    upgrade_seconds: float = 10.0
    max_upgrades: int = 512
