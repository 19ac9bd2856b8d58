"""Decode parameters of the exec-server protocol; error messages are those of Codex's server (0.169).

A reader takes a parsed JSON value and returns the decoded one. Readers are plain functions instead of the shared
converter because the error messages differ and every request pays for them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from codex_exec_server.base64_text import Base64Error, decode_base64
from codex_hookspecs.environments import PathError, path_of
from codex_hookspecs.errors import RpcError

INVALID_REQUEST: Final = -32600
INVALID_PARAMS: Final = -32602

Reader = Callable[[Any], Any]


class _Required:
    """Type of :data:`REQUIRED`, which takes the place of the default of a required member."""


REQUIRED: Final = _Required()
Default = Any
Member = tuple[Reader, Default]


def invalid_params(message: str, code: int = INVALID_PARAMS) -> RpcError:
    """Build the error for invalid parameters."""
    return RpcError(message, code=code)


def describe_value(value: Any) -> str:
    """Describe an unexpected value for an error message."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"boolean `{json.dumps(value)}`"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return f"string {json.dumps(value, ensure_ascii=False)}"
    return "sequence" if isinstance(value, list) else "map"


def string(value: Any) -> str:
    """Read a string."""
    if type(value) is not str:
        raise _unexpected(value, "a string")
    return value


def boolean(value: Any) -> bool:
    """Read a boolean."""
    if type(value) is not bool:
        raise _unexpected(value, "a boolean")
    return value


def unsigned(value: Any, kind: str = "u64") -> int:
    """Read an unsigned 64-bit integer."""
    if type(value) is int and 0 <= value < 2**64:
        return value
    if type(value) in (int, float):
        raise invalid_params("invalid number")
    raise _unexpected(value, kind)


def size(value: Any) -> int:
    """Read an unsigned integer that errors call ``usize``."""
    return unsigned(value, "usize")


def path(value: Any) -> str:
    """Read an absolute path or a file URI."""
    try:
        return path_of(string(value))
    except PathError as error:
        raise invalid_params(
            str(error), INVALID_REQUEST if error.foreign and "%00" not in value else INVALID_PARAMS
        ) from None


def working_directory(value: Any) -> str:
    """Read the working directory of a process."""
    try:
        return path_of(string(value))
    except PathError as error:
        if error.foreign and "%00" not in value:
            raise invalid_params(f"cwd URI `{value}` is not valid on this exec-server host: {error}") from None
        raise invalid_params(str(error)) from None


def data(value: Any) -> bytes:
    """Read base64; a long value has been decoded by the message parser already."""
    if type(value) is bytes:
        return value
    try:
        return decode_base64(string(value))
    except Base64Error as error:
        raise invalid_params(str(error)) from None


def base64_string(value: Any) -> str | bytes:
    """Read base64 without validating it; a long value has been decoded by the message parser already."""
    return value if type(value) is bytes else string(value)


def optional(reader: Reader) -> Reader:
    """Make a reader that also accepts null."""
    return lambda value: None if value is None else reader(value)


def sequence(reader: Reader) -> Reader:
    """Make a reader of sequences."""

    def read(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise _unexpected(value, "a sequence")
        return [reader(item) for item in value]

    return read


def mapping(value: Any) -> dict[str, str]:
    """Read an object with string values."""
    if not isinstance(value, dict):
        raise _unexpected(value, "a map")
    return {key: string(item) for key, item in value.items()}


def variant(*words: str) -> Reader:
    """Make a reader of an enumeration."""
    shown = [f"`{each}`" for each in words]
    names = f"one of {', '.join(shown)}" if len(shown) > 2 else " or ".join(shown)

    def read(value: Any) -> str:
        if isinstance(value, dict):
            if len(value) != 1:
                raise invalid_params("invalid value: map, expected map with a single key")
            value = next(iter(value))
            if value in words:
                raise invalid_params("invalid type: map, expected unit variant")
        if not isinstance(value, str):
            raise _unexpected(value, "string or map")
        if value not in words:
            raise invalid_params(f"unknown variant `{value}`, expected {names}")
        return value

    return read


def nothing(value: Any) -> None:
    """Read the parameters of a method without parameters."""
    if value is not None and value != {}:
        raise _unexpected(value, "unit")


def struct(name: str, members: Mapping[str, Member], elements: int | None = None) -> Reader:
    """Make a reader of objects; unknown members are ignored.

    :param name: name of the type, for error messages.
    :param members: reader and default of each member; with the default ``REQUIRED`` a member is required.
    :param elements: number of members for error messages, where it differs from that of ``members``.
    """
    needed = sum(default is REQUIRED for _, default in members.values())
    count = elements or len(members)
    shown = f"{count} element{'s' if count > 1 else ''}"

    def read(value: Any) -> dict[str, Any]:
        if isinstance(value, list):
            if len(value) < needed:
                for (reader, _), item in zip(members.values(), value, strict=False):
                    reader(item)
                raise invalid_params(f"invalid length {len(value)}, expected struct {name} with {shown}")
            value = dict(zip(members, value, strict=False))
        elif not isinstance(value, dict):
            raise _unexpected(value, f"struct {name}")
        result = {}
        missing = None
        for key, (reader, default) in members.items():
            if key in value:
                result[key] = reader(value[key])
            elif default is REQUIRED:
                missing = missing or key
            else:
                result[key] = default
        if missing is not None:
            raise invalid_params(f"missing field `{missing}`")
        return result

    return read


def opaque(name: str) -> Reader:
    """Make a reader that accepts any object unchanged."""

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _unexpected(value, f"struct {name}")
        return value

    return read


def _unexpected(value: Any, expected: str) -> RpcError:
    return invalid_params(f"invalid type: {describe_value(value)}, expected {expected}")
