"""The fragment for the collaboration mode."""

from __future__ import annotations

from codex_hookspecs.protocol import JsonObject

_PLAN = (
    "You are in plan mode. Look around, run commands that only read, and ask when a decision belongs to the user; "
    "change no file and start nothing that has effects. End with a plan that somebody could carry out without "
    "asking again: the goal, the steps in order with the files they touch, and how the result will be checked."
)


_DEFAULT = (
    "You are in default mode; instructions for other modes given before no longer hold. Do the work that is asked for. "
    "The tool request_user_input is not available: decide small things yourself, and ask in your answer only what you "
    "can't go on without."
)


def collaboration_text(mode: JsonObject) -> str:
    """Return the text of the fragment for a collaboration mode.

    :param mode: ``{"mode":…, "settings":{"developer_instructions":…}}`` as sent by clients.
    """
    settings = mode.get("settings") or {}
    text = settings.get("developer_instructions") or (_PLAN if mode.get("mode") == "plan" else _DEFAULT)
    return f"<collaboration_mode>{text}</collaboration_mode>"
