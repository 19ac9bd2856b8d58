"""Tables that people read."""

from __future__ import annotations

from codex_host.plugins.tables import aligned


def test_what_would_act_on_a_terminal_is_shown_in_a_cell() -> None:
    assert aligned([("a\x1b[2J", "b"), ("c\nd", "e")]) == "a^[[2J  b\nc^Jd    e"
