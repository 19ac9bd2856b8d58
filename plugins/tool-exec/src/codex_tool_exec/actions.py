"""Guess what a command does, for display."""

from __future__ import annotations

from codex_hookspecs.types.json import JsonObject


def command_actions(script: str, cwd: str) -> tuple[JsonObject, ...]:
    """Return what a script does: objects tagged ``read``, ``listFiles``, ``search`` or ``unknown``.

    :param cwd: directory it runs in.
    """
    return ({"type": "unknown", "command": script},)
