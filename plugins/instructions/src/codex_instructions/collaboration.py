"""The fragment for the collaboration mode."""

from __future__ import annotations

from codex_hookspecs.protocol import JsonObject

_PLAN = (
    "You are in plan mode. Look around, run commands that only read, and ask when a decision belongs to the user; "
    "change no file and start nothing that has effects. End with a plan that somebody could carry out without "
    "asking again: the goal, the steps in order with the files they touch, and how the result will be checked."
)


def collaboration_text(mode: JsonObject | None) -> str:
    """Return the text of the fragment for a collaboration mode; empty when the mode needs none.

    :param mode: ``{"mode":…, "settings":{"developer_instructions":…}}`` as sent by clients.
    """
    if not mode:
        return ""
    settings = mode.get("settings") or {}
    text = settings.get("developer_instructions") or (_PLAN if mode.get("mode") == "plan" else "")
    return f"<collaboration_mode>\n{text}\n</collaboration_mode>" if text else ""
