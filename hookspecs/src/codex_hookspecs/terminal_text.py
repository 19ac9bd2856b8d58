"""Make text from outside safe to print to a terminal: what would act on it is shown instead."""

from __future__ import annotations

from typing import Any

import attrs

_KEPT = "\n\t"
_BIDI = [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C]
_CONTROLS: dict[int, str] = {
    **{code: f"^{chr(code ^ 0x40)}" for code in (*range(0x20), 0x7F) if chr(code) not in _KEPT},
    **{code: f"<U+{code:04X}>" for code in (*range(0x80, 0xA0), *_BIDI, 0x2028, 0x2029)},
}
"""How characters are shown that would move the cursor, change the terminal, or reorder what stands around them."""


def visible(text: str) -> str:
    """Return a text of one or more lines with its control characters shown, ``ESC`` as ``^[``."""
    if text.isascii() and text.isprintable():
        return text
    return text.replace("\r\n", "\n").translate(_CONTROLS)


def visible_line(text: str) -> str:
    """Return a text that stays on one line: line ends and tabs are shown too."""
    return visible(text).replace("\n", "^J").replace("\t", "^I")


def made_visible(value: Any) -> Any:
    """Return a value with every text in it made visible: in its fields, its elements, and so on."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {made_visible(key): made_visible(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(made_visible, value))
    if attrs.has(type(value)):
        parts = {attribute.name: getattr(value, attribute.name) for attribute in attrs.fields(type(value))}
        shown = {name: made_visible(part) for name, part in parts.items()}
        changed = {name: part for name, part in shown.items() if part is not parts[name] and part != parts[name]}
        return attrs.evolve(value, **changed) if changed else value
    return value
