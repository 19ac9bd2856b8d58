"""Text from outside is shown, not obeyed."""

from __future__ import annotations

import pytest

from codex_hookspecs.terminal_text import escape_controls, escape_controls_in, escape_controls_in_line
from codex_hookspecs.types.items import AgentMessage, UserMessage


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünïcode ✓ 漢字", "plain ünïcode ✓ 漢字"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("dos\r\nlines", "dos\nlines"),
        ("\x1b]0;title\x07", "^[]0;title^G"),
        ("\x1b[2J", "^[[2J"),
        ("over\rwritten", "over^Mwritten"),
        ("\x00\x08\x7f", "^@^H^?"),
        ("\x9b2J", "<U+009B>2J"),
        ("a\u202eb\u2066", "a<U+202E>b<U+2066>"),
        ("a\u2028b", "a<U+2028>b"),
    ],
)
def test_what_would_act_on_a_terminal_is_shown(text: str, shown: str) -> None:
    assert escape_controls(text) == shown


def test_a_line_stays_one_line() -> None:
    assert escape_controls_in_line("a\nb\tc") == "a^Jb^Ic"


def test_every_text_within_a_value_is_shown_and_the_rest_is_the_same() -> None:
    harmless = AgentMessage(id="i", text="hello")

    assert escape_controls_in(harmless) is harmless
    assert escape_controls_in(AgentMessage(id="i", text="\x1b[2J")) == AgentMessage(id="i", text="^[[2J")
    assert (
        escape_controls_in(UserMessage(id="i", content=({"type": "text", "text": "\x07"},))).content[0]["text"] == "^G"
    )
