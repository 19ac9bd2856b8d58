"""Parse and check the JSON arguments of a call; error messages, with line and column, are those of Codex 0.118."""

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
"""Returns the error message for an invalid value, or ``None``."""


def read_arguments(document: str, fields: Mapping[str, Check], *, required: str) -> dict[str, Any]:
    """Parse a JSON object and return its known members; ``null`` counts as absent, except for the required one.

    :param fields: known members with their checks; others are ignored.
    :param required: name of the required member.
    :raises ToolError: when the document is invalid.
    """
    reader = _Reader(document)
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


def string(value: Any) -> str | None:
    """Check for a string."""
    return None if isinstance(value, str) else _invalid_type(value, "a string")


def boolean(value: Any) -> str | None:
    """Check for a boolean."""
    return None if isinstance(value, bool) else _invalid_type(value, "a boolean")


def strings(value: Any) -> str | None:
    """Check for a list of strings."""
    if not isinstance(value, list):
        return _invalid_type(value, "a sequence")
    return next((problem for part in value if (problem := string(part))), None)


def permissions(value: Any) -> str | None:
    """Check for the object ``additional_permissions``."""
    if not isinstance(value, dict):
        return _invalid_type(value, "struct PermissionProfile")
    for name, kind in (("network", "NetworkPermissions"), ("file_system", "FileSystemPermissions"), ("macos", "map")):
        part = value.get(name)
        if part is not None and not isinstance(part, dict):
            return _invalid_type(part, f"struct {kind}")
    checks = [("network", "enabled", boolean), ("file_system", "read", strings), ("file_system", "write", strings)]
    for name, key, check in checks:
        part = (value.get(name) or {}).get(key)
        problem = None if part is None else check(part)
        if problem is not None:
            return problem
    return None


def integer(name: str, low: int = 0, high: int = _U64) -> Check:
    """Make a check for integers in a range.

    :param name: name of the type in error messages.
    """

    def check(value: Any) -> str | None:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            return _invalid_type(value, name)
        return None if low <= value <= high else f"invalid value: integer `{value}`, expected {name}"

    return check


def sandbox_permission(value: Any) -> str | None:
    """Check for a value of ``sandbox_permissions``."""
    problem = string(value)
    if problem is not None or value in _WORDS:
        return problem
    return (
        f"unknown variant `{value}`, expected one of `use_default`, `require_escalated`, `with_additional_permissions`"
    )


def _invalid_type(value: Any, expected: str) -> str:
    return f"invalid type: {json_type_name(value)}, expected {expected}"


class _Reader:
    """Incremental parser of a JSON object that keeps track of its position."""

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
        """Return the name of the next member, ``None`` at the end of the object."""
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
        """Return the value after a key."""
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
        """Raise the error for the current position, or for the start of the last value."""
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
