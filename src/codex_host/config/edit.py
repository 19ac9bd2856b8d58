"""Change keys of a TOML file, keeping its comments and layout."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomlkit

from codex_hookspecs.errors import ConfigConflict, ConfigError
from codex_hookspecs.file_reading import MAX_DEPTH, parse_toml, read_text
from codex_hookspecs.state_file import locked, replace_file
from codex_hookspecs.types.config import ConfigLayer
from codex_host.config.keys import merge, split_key

if TYPE_CHECKING:
    from codex_hookspecs.protocol import ConfigEdit

_LARGEST = 2**63 - 1


def edit_file(file: str, edits: Mapping[str, Any]) -> None:
    """Set dotted keys; ``None`` deletes one. The file is replaced as a whole and keeps its mode.

    A lock file serializes changes by several processes.

    :raises ConfigError: when the file is not TOML or can't be written; the file is unchanged then.
    """
    _change(file, [(key, value, False) for key, value in edits.items()])


def change_file(
    file: str,
    edits: Sequence[ConfigEdit],
    *,
    expected_version: str | None = None,
    check: Callable[[dict[str, Any]], None],
) -> str:
    """Make several changes at once: either all are made or none.

    :param expected_version: version that the file must have, or ``None`` for any.
    :param check: raises ``ConfigError`` for a content that must not be written.
    :return: the new version.
    :raises ConfigConflict: when the file has another version.
    :raises ConfigError: when an edit or the result is invalid, or the file can't be written; it is unchanged then.
    """
    for edit in edits:
        _check_value(edit.value, file)
    return _change(
        file,
        [(edit.key_path, edit.value, edit.merge_strategy == "upsert") for edit in edits],
        expected_version=expected_version,
        check=check,
    )


def _change(
    file: str,
    edits: Sequence[tuple[str, Any, bool]],
    *,
    expected_version: str | None = None,
    check: Callable[[dict[str, Any]], None] | None = None,
) -> str:
    with _changing(file):
        text = read_text(file)
        wanted: dict[str, Any] = parse_toml(text or "")
        if expected_version is not None and expected_version != _version(wanted):
            raise ConfigConflict("it was modified since it was read: read it again and repeat the change", source=file)
        for key, value, upsert in edits:
            path = split_key(key)
            wanted = _applied(wanted, path, value, upsert=upsert, file=file)
        if check is not None:
            check(wanted)
        after = _edited(text or "", edits, wanted, file)
        if after != text:
            _write(file, text, after)
        return _version(wanted)


def _edited(text: str, edits: Sequence[tuple[str, Any, bool]], wanted: dict[str, Any], file: str) -> str:
    """Return the text of a file with the changes made.

    :param wanted: its content then. If the library can't make a change where it belongs, the topmost table is written
        anew, without its comments.
    :raises ConfigError: when that does not work either.
    """
    for change in (_change_in_place, _change_anew):
        document = tomlkit.parse(text)
        with suppress(tomlkit.exceptions.TOMLKitError, LookupError, TypeError, ValueError, AttributeError):
            change(document, edits, wanted)
            after = tomlkit.dumps(document)
            if _version(parse_toml(after)) == _version(wanted):
                return after
    raise ConfigError("can't be changed without losing something else in it; change it by hand", source=file)


def _change_in_place(
    document: tomlkit.TOMLDocument, edits: Sequence[tuple[str, Any, bool]], _wanted: dict[str, Any]
) -> None:
    for key, value, upsert in edits:
        _assign(document, split_key(key), value, upsert=upsert)


def _change_anew(
    document: tomlkit.TOMLDocument, edits: Sequence[tuple[str, Any, bool]], wanted: dict[str, Any]
) -> None:
    for top in dict.fromkeys(split_key(key)[0] for key, _, _ in edits):
        document.pop(top, None)
        if top in wanted:
            document[top] = wanted[top]


@contextmanager
def _changing(file: str) -> Iterator[None]:
    try:
        with locked(file):
            yield
    except OSError as error:
        raise ConfigError(f"can't be changed: {error.strerror or error}", source=file) from error
    except (tomlkit.exceptions.TOMLKitError, RecursionError, ValueError) as error:
        raise ConfigError(f"is not TOML: {error}", source=file) from error


def _write(file: str, before: str | None, after: str) -> None:
    path = Path(os.path.realpath(file))
    mark = "" if before is None else _byte_order_mark(path)
    mode = 0o600 if before is None else path.stat().st_mode & 0o777
    replace_file(path, f"{mark}{after}", mode=mode)


def _version(table: dict[str, Any]) -> str:
    return ConfigLayer(kind="user", table=table).version


def _check_value(value: Any, file: str, depth: int = 0) -> None:
    """Check that a JSON value has a form in TOML; the value itself may be ``None``, which deletes the key.

    :raises ConfigError: when it has none.
    """
    if depth and value is None:
        raise ConfigError("null can't be written; to delete a key, give null as its value", source=file)
    if depth > MAX_DEPTH:
        raise ConfigError(f"the value has more than {MAX_DEPTH} levels", source=file)
    if isinstance(value, int) and not -_LARGEST - 1 <= value <= _LARGEST:
        raise ConfigError("the value holds a number with more than 64 bits", source=file)
    if isinstance(value, str) and any("\ud800" <= sign <= "\udfff" for sign in value):
        raise ConfigError("the value holds text that is not Unicode", source=file)
    if isinstance(value, dict):
        for key, inner in value.items():
            _check_value(key, file, depth)
            _check_value(inner, file, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check_value(inner, file, depth + 1)


def _applied(table: Mapping[str, Any], path: Sequence[str], value: Any, *, upsert: bool, file: str) -> dict[str, Any]:
    """Return a table with one change made."""
    head, *rest = path
    result = dict(table)
    if rest:
        inner = result.get(head, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"{head} is {inner!r}, which is not a table", source=file)
        if value is not None or head in result:
            result[head] = _applied(inner, rest, value, upsert=upsert, file=file)
    elif value is None:
        result.pop(head, None)
    else:
        below = result.get(head)
        together = upsert and isinstance(below, dict) and isinstance(value, dict)
        result[head] = merge(below, value) if together and below is not None else value
    return result


def _assign(table: Any, path: Sequence[str], value: Any, *, upsert: bool) -> None:
    """Make the same change in a document, touching nothing that stays."""
    head, *rest = path
    if rest:
        if head not in table:
            if value is None:
                return
            table[head] = tomlkit.table(is_super_table=True)
        _assign(table[head], rest, value, upsert=upsert)
    elif value is None:
        table.pop(head, None)
    elif isinstance(value, dict) and isinstance(table.get(head), dict):
        inner = table[head]
        for key in [] if upsert else [key for key in inner if key not in value]:
            del inner[key]
        for key, each in value.items():
            _assign(inner, [key], each, upsert=upsert)
    elif head not in table or _plain(table[head]) != value or isinstance(value, bool):
        table[head] = value


def _plain(value: Any) -> Any:
    return value.unwrap() if hasattr(value, "unwrap") else value


def _byte_order_mark(path: Path) -> str:
    """Return the byte order mark of a file, so that it can be written back."""
    with path.open("rb") as file:
        return "\ufeff" if file.read(3) == b"\xef\xbb\xbf" else ""
