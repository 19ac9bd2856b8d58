"""Read the arguments of a call; errors say what is wrong and where, in the words of Codex 0.118."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from codex_hookspecs.errors import ToolError
from codex_hookspecs.wire import json_type_name

_U64 = 2**64 - 1
_SPACE = " \t\n\r"
_WORDS = {"use_default", "require_escalated", "with_additional_permissions"}
_SYNTAX = {
    "Expecting value": "expected value",
    "Invalid control character at": "control character (\\u0000-\\u001F) found while parsing a string",
    "Expecting ',' delimiter": "expected `,`",
}

Check = Callable[[Any], str | None]
"""Says what is wrong with a value, or ``None``."""


def read_arguments(text: str, fields: Mapping[str, Check], *, required: str) -> dict[str, Any]:
    """Return the known members of a JSON object; ``null`` counts as absent for all but the required one.

    :param fields: known members with their checks; others are ignored.
    :raises ToolError: when the text is no such object.
    """
    reader = _Reader(text)
    found: dict[str, Any] = {}
    reader.open_object()
    while (key := reader.key()) is not None:
        if key in fields and key in found:
            reader.fail(f"duplicate field `{key}`")
        value = reader.value()
        check = fields.get(key)
        if check is None or (value is None and key != required):
            continue
        problem = check(value)
        if problem is not None:
            reader.fail(problem, at_start=problem.startswith(("invalid type: map", "invalid type: sequence")))
        found[key] = value
    if required not in found:
        reader.fail(f"missing field `{required}`")
    reader.end()
    return found


def text(value: Any) -> str | None:
    """Check for text."""
    return None if isinstance(value, str) else _invalid_type(value, "a string")


def flag(value: Any) -> str | None:
    """Check for true or false."""
    return None if isinstance(value, bool) else _invalid_type(value, "a boolean")


def texts(value: Any) -> str | None:
    """Check for a list of texts."""
    if not isinstance(value, list):
        return _invalid_type(value, "a sequence")
    return next((problem for part in value if (problem := text(part))), None)


def permissions(value: Any) -> str | None:
    """Check for what ``additional_permissions`` may hold."""
    if not isinstance(value, dict):
        return _invalid_type(value, "struct PermissionProfile")
    for name, kind in (("network", "NetworkPermissions"), ("file_system", "FileSystemPermissions"), ("macos", "map")):
        part = value.get(name)
        if part is not None and not isinstance(part, dict):
            return _invalid_type(part, f"struct {kind}")
    checks = [("network", "enabled", flag), ("file_system", "read", texts), ("file_system", "write", texts)]
    for name, key, check in checks:
        part = (value.get(name) or {}).get(key)
        problem = None if part is None else check(part)
        if problem is not None:
            return problem
    return None


def whole(name: str, low: int = 0, high: int = _U64) -> Check:
    """Return a check for whole numbers of a range.

    :param name: name of the type in the message.
    """

    def check(value: Any) -> str | None:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            return _invalid_type(value, name)
        return None if low <= value <= high else f"invalid value: integer `{value}`, expected {name}"

    return check


def permission(value: Any) -> str | None:
    """Check for a word that ``sandbox_permissions`` knows."""
    problem = text(value)
    if problem is not None or value in _WORDS:
        return problem
    return (
        f"unknown variant `{value}`, expected one of `use_default`, `require_escalated`, `with_additional_permissions`"
    )


def _invalid_type(value: Any, expected: str) -> str:
    return f"invalid type: {json_type_name(value)}, expected {expected}"


class _Reader:
    """Walks through the members of one JSON object and knows where it is."""

    def __init__(self, document: str) -> None:
        self._text = document
        self._at = self._start = 0
        self._members = 0
        self._decoder = json.JSONDecoder()

    def open_object(self) -> None:
        self._skip()
        if self._at >= len(self._text):
            self.fail("EOF while parsing a value")
        if self._text[self._at] != "{":
            value = self.value()
            self.fail(_invalid_type(value, "an object"))
        self._at += 1

    def key(self) -> str | None:
        """Return the next member's name with its colon taken, ``None`` at the end of the object."""
        self._skip()
        if self._peek("EOF while parsing an object") == "}":
            self._at += 1
            return None
        if self._members:
            if self._text[self._at] != ",":
                self._at += 1
                self.fail("expected `,` or `}`")
            self._at += 1
            self._skip()
            self._peek("EOF while parsing an object")
        self._members += 1
        if self._text[self._at] != '"':
            self._at += 1
            self.fail("trailing comma" if self._text[self._at - 1] == "}" else "key must be a string")
        key = self._scan(lambda: scanstring(self._text, self._at + 1, True))
        return str(key)

    def value(self) -> Any:
        """Return the value behind a key."""
        self._skip()
        if self._members:
            colon = self._peek("EOF while parsing an object")
            self._at += 1
            if colon != ":":
                self.fail("expected `:`")
            self._skip()
        self._peek("EOF while parsing a value")
        self._start = self._at
        return self._scan(lambda: self._decoder.raw_decode(self._text, self._at))

    def end(self) -> None:
        self._skip()
        if self._at < len(self._text):
            self._at += 1
            self.fail("trailing characters")

    def fail(self, problem: str, *, at_start: bool = False) -> None:
        """Raise the error for the present place, or for where the last value starts."""
        read = self._text[: self._start if at_start else self._at]
        line = read.count("\n") + 1
        column = len(read.rpartition("\n")[2].encode("utf-8", "surrogatepass"))
        raise ToolError(f"failed to parse function arguments: {problem} at line {line} column {column}")

    def _scan(self, scan: Callable[[], tuple[Any, int]]) -> Any:
        try:
            value, self._at = scan()
        except json.JSONDecodeError as error:
            unterminated = error.msg.startswith("Unterminated")
            cut = unterminated or error.pos >= len(self._text)
            self._at = len(self._text) if cut else error.pos + 1
            if cut:
                self.fail(f"EOF while parsing a {'string' if unterminated else 'value'}")
            self.fail(_SYNTAX.get(error.msg, f"invalid JSON ({error.msg})"))
        except RecursionError:
            self.fail("recursion limit exceeded")
        return value

    def _peek(self, problem: str) -> str:
        if self._at >= len(self._text):
            self.fail(problem)
        return self._text[self._at]

    def _skip(self) -> None:
        while self._at < len(self._text) and self._text[self._at] in _SPACE:
            self._at += 1
