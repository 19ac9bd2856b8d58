"""Read parameters of the exec-server protocol, refusing them in the words of its server (0.169).

A reader takes a decoded JSON value and returns what it stands for. They are plain functions instead of the shared
converter because the protocol words its errors differently and every request pays for them.
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
    """Stands for the default of a member that has none."""


REQUIRED: Final = _Required()
Default = Any
Member = tuple[Reader, Default]


def wrong(message: str, code: int = INVALID_PARAMS) -> RpcError:
    """Return the error that refuses parameters."""
    return RpcError(message, code=code)


def described(value: Any) -> str:
    """Return how errors name a value that was not expected."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"boolean `{json.dumps(value)}`"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return f"string {json.dumps(value, ensure_ascii=False)}"
    return "sequence" if isinstance(value, list) else "map"


def text(value: Any) -> str:
    """Read a string."""
    if type(value) is not str:
        raise _unexpected(value, "a string")
    return value


def flag(value: Any) -> bool:
    """Read a boolean."""
    if type(value) is not bool:
        raise _unexpected(value, "a boolean")
    return value


def whole(value: Any, kind: str = "u64") -> int:
    """Read a number that is whole and not negative."""
    if type(value) is int and 0 <= value < 2**64:
        return value
    if type(value) in (int, float):
        raise wrong("invalid number")
    raise _unexpected(value, kind)


def size(value: Any) -> int:
    """Read a number of things in memory."""
    return whole(value, "usize")


def path(value: Any) -> str:
    """Read an absolute path or a file URI."""
    try:
        return path_of(text(value))
    except PathError as error:
        raise wrong(str(error), INVALID_REQUEST if error.foreign and "%00" not in value else INVALID_PARAMS) from None


def working_directory(value: Any) -> str:
    """Read the directory of a process."""
    try:
        return path_of(text(value))
    except PathError as error:
        if error.foreign and "%00" not in value:
            raise wrong(f"cwd URI `{value}` is not valid on this exec-server host: {error}") from None
        raise wrong(str(error)) from None


def data(value: Any) -> bytes:
    """Read base64, which is decoded already when it was long."""
    if type(value) is bytes:
        return value
    try:
        return decode_base64(text(value))
    except Base64Error as error:
        raise wrong(str(error)) from None


def encoded(value: Any) -> str | bytes:
    """Read what should be base64, without judging it; it is decoded already when it was long."""
    return value if type(value) is bytes else text(value)


def optional(reader: Reader) -> Reader:
    """Read what may be null."""
    return lambda value: None if value is None else reader(value)


def items(reader: Reader) -> Reader:
    """Read a sequence."""

    def read(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise _unexpected(value, "a sequence")
        return [reader(item) for item in value]

    return read


def mapping(value: Any) -> dict[str, str]:
    """Read an object whose members are strings."""
    if not isinstance(value, dict):
        raise _unexpected(value, "a map")
    return {key: text(item) for key, item in value.items()}


def word(*words: str) -> Reader:
    """Read one of some words."""
    shown = [f"`{each}`" for each in words]
    names = f"one of {', '.join(shown)}" if len(shown) > 2 else " or ".join(shown)

    def read(value: Any) -> str:
        if isinstance(value, dict):
            if len(value) != 1:
                raise wrong("invalid value: map, expected map with a single key")
            value = next(iter(value))
            if value in words:
                raise wrong("invalid type: map, expected unit variant")
        if not isinstance(value, str):
            raise _unexpected(value, "string or map")
        if value not in words:
            raise wrong(f"unknown variant `{value}`, expected {names}")
        return value

    return read


def nothing(value: Any) -> None:
    """Read parameters of a method that has none."""
    if value is not None and value != {}:
        raise _unexpected(value, "unit")


def struct(name: str, members: Mapping[str, Member], elements: int | None = None) -> Reader:
    """Read an object with named members; unknown ones are ignored.

    :param members: reader and default by name; a default of ``REQUIRED`` is none.
    :param elements: how many members errors speak of, where it is not as many as there are.
    """
    needed = sum(default is REQUIRED for _, default in members.values())
    count = elements or len(members)
    shown = f"{count} element{'s' if count > 1 else ''}"

    def read(value: Any) -> dict[str, Any]:
        if isinstance(value, list):
            if len(value) < needed:
                for (reader, _), item in zip(members.values(), value, strict=False):
                    reader(item)
                raise wrong(f"invalid length {len(value)}, expected struct {name} with {shown}")
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
            raise wrong(f"missing field `{missing}`")
        return result

    return read


def opaque(name: str) -> Reader:
    """Read an object that is kept as it came."""

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _unexpected(value, f"struct {name}")
        return value

    return read


def _unexpected(value: Any, expected: str) -> RpcError:
    return wrong(f"invalid type: {described(value)}, expected {expected}")
