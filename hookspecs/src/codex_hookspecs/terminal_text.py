"""Escape control characters in untrusted text, so that it can be printed to a terminal safely."""

from __future__ import annotations

from typing import Any

import attrs

_KEPT = "\n\t"
_BIDI = [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C]
_CONTROLS: dict[int, str] = {
    **{code: f"^{chr(code ^ 0x40)}" for code in (*range(0x20), 0x7F) if chr(code) not in _KEPT},
    **{code: f"<U+{code:04X}>" for code in (*range(0x80, 0xA0), *_BIDI, 0x2028, 0x2029)},
}
"""Escapes of characters that would move the cursor, change the terminal or reorder text."""


def escape_controls(text: str) -> str:
    """Escape the control characters of a text except line ends and tabs; ``ESC`` becomes ``^[``."""
    if text.isascii() and text.isprintable():
        return text
    return text.replace("\r\n", "\n").translate(_CONTROLS)


def escape_controls_in_line(text: str) -> str:
    """Escape all control characters of a text, including line ends and tabs."""
    return escape_controls(text).replace("\n", "^J").replace("\t", "^I")


def escape_controls_in(value: Any) -> Any:
    """Escape the control characters of every text in a value: in its fields, elements, and so on."""
    if isinstance(value, str):
        return escape_controls(value)
    if isinstance(value, dict):
        return {escape_controls_in(key): escape_controls_in(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(escape_controls_in, value))
    if attrs.has(type(value)):
        parts = {attribute.name: getattr(value, attribute.name) for attribute in attrs.fields(type(value))}
        shown = {name: escape_controls_in(part) for name, part in parts.items()}
        changed = {name: part for name, part in shown.items() if part is not parts[name] and part != parts[name]}
        return attrs.evolve(value, **changed) if changed else value
    return value
