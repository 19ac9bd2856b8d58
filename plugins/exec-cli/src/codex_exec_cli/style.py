"""Styles and colours of the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_CODES: Final = {"bold": 1, "dim": 2, "italic": 3, "red": 31, "green": 32, "yellow": 33, "magenta": 35, "cyan": 36}


class Style:
    """Adds escape sequences to text.

    :param enabled: if false, text is unchanged.
    """

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled

    def __call__(self, text: str, *names: str) -> str:
        """Return the text in one or more styles, the first outermost."""
        if not self._enabled:
            return text
        for name in reversed(names):
            text = f"\x1b[{_CODES[name]}m{text}\x1b[0m"
        return text


def wants_color(choice: str, *, terminal: bool, environ: Mapping[str, str]) -> bool:
    """Return whether output should be coloured.

    :param choice: ``always``, ``never`` or ``auto``.
    """
    if choice == "auto":
        return terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    return choice == "always"
