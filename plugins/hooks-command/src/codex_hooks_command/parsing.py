"""Read hook declarations, from hooks.json or from the ``[hooks]`` table of config.toml (format of Codex 0.169)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

from codex_hookspecs import json_text

from . import matching
from .events import BRIEF_LONGEST, BRIEF_TIMEOUT, DEFAULT_TIMEOUT, EVENTS_BY_NAME, Event
from .handlers import Handler, HookFile
from .presence import SETTINGS
from .refusals import GATES

T = TypeVar("T")

_TOP_LEVEL_KEYS = ("hooks", "description")
_GROUP_KEYS = frozenset({"matcher", "hooks"})
_HANDLER_KEYS = frozenset(
    {
        "type",
        "command",
        "commandWindows",
        "command_windows",
        "timeout",
        "statusMessage",
        "async",
        "additionalContextLimit",
        "server",
        "tool",
        "input",
    }
)
_KNOWN_KEYS = _HANDLER_KEYS | _GROUP_KEYS | set(_TOP_LEVEL_KEYS) | set(EVENTS_BY_NAME)
_TYPES = ("command", "prompt", "agent", "mcp_tool")


class _Fault(Exception):
    """Raised inside this module for a part that can't be used."""


def parse_json(text: str, path: str) -> HookFile:
    """Read the text of a hooks.json.

    :param path: name of the file in warnings.
    :return: the handlers that can be used, and what is wrong with the rest.
    """
    try:
        document = json_text.parse_json(text, object_pairs_hook=_object_without_duplicates)
        if not isinstance(document, dict):
            _fail("", f"expected an object, found {_kind(document)}")
    except (ValueError, _Fault) as fault:
        return unreadable(f"failed to parse hooks config {path}: {fault}", text)
    reader = _Reader(path)
    reader.read_top(document)
    return reader.read_events(document.get("hooks", {}), "failed to parse hooks config")


def parse_table(table: object, path: str) -> HookFile:
    """Read the ``[hooks]`` table of a config.toml; settings that share the table are not looked at.

    :param path: name of the file in warnings.
    """
    if isinstance(table, Mapping):
        table = {key: value for key, value in table.items() if key not in SETTINGS}
    return _Reader(path).read_events(table, "failed to parse TOML hooks in")


def unreadable(warning: str, text: str | None = None) -> HookFile:
    """Return what is known of a file that can't be read.

    :param text: its content, if that is known: one that names no gate holds none.
    """
    names = [name for event in GATES for name in (event.facts.name.lower(), event.facts.snake)]
    lost = text is None or any(name in text.lower() for name in names)
    return HookFile(warnings=(warning,), lost=(warning,) if lost else ())


_MISSING: list[object] = []


_MOST_UNKNOWN = 50
"""Unknown names of one file that are told, each with what may have been meant."""


class _Reader:
    """Reads one file and collects what has to be said about it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.warnings: list[str] = []
        self.notes: list[str] = []
        self.lost: list[str] = []
        self._unnamed = -_MOST_UNKNOWN

    def read_top(self, document: Mapping[str, Any]) -> None:
        for key in document:
            if key in EVENTS_BY_NAME:
                self.warnings.append(f'event "{key}" in {self.path} is not looked at: it belongs inside of "hooks"')
            elif key not in _TOP_LEVEL_KEYS:
                self._unknown("key", key, _TOP_LEVEL_KEYS)

    def read_events(self, events: object, failure: str) -> HookFile:
        if not isinstance(events, Mapping):
            return unreadable(f"{failure} {self.path}: hooks: expected an object, found {_kind(events)}", str(events))
        for name in events:
            if name not in EVENTS_BY_NAME:
                self._unknown("event", name, EVENTS_BY_NAME, warn=True)
        handlers: list[Handler] = []
        for event in Event:
            try:
                handlers += self._read_event(event, events.get(event.facts.name, _MISSING))
            except _Fault as fault:
                self.warnings.append(f"{failure} {self.path}: {fault}")
                self.lost += self.warnings[-1:] if event in GATES else []
        if self._unnamed > 0:
            self.warnings.append(f"{self._unnamed} more unknown names in {self.path} are ignored")
        return HookFile(tuple(handlers), tuple(self.warnings), tuple(self.notes), tuple(self.lost))

    def _read_event(self, event: Event, groups: object) -> Iterator[Handler]:
        place = f"hooks.{event.facts.name}"
        if not isinstance(groups, list):
            _fail(place, f"expected a list of groups, found {_kind(groups)}")
        for number, group in enumerate(groups):
            with self._skipping("group"):
                yield from self._read_group(event, number, group, f"{place}[{number}]")

    def _read_group(self, event: Event, number: int, group: object, place: str) -> Iterator[Handler]:
        if not isinstance(group, Mapping):
            _fail(place, f"expected an object, found {_kind(group)}")
        if "hooks" not in group and not _HANDLER_KEYS.isdisjoint(group):
            _fail(place, 'a handler stands where a group is expected, write {"hooks": [ … ]} around it')
        matcher = _text_or_none(group, "matcher", place)
        entries = group.get("hooks", [])
        if not isinstance(entries, list):
            _fail(f"{place}.hooks", f"expected a list of handlers, found {_kind(entries)}")
        self._note_unknown(group, _GROUP_KEYS, place)
        fault = matching.fault_of(matcher) if event.facts.subject else None
        if fault is not None:
            self.warnings.append(f"invalid matcher {json.dumps(matcher, ensure_ascii=False)} in {self.path}: {fault}")
        elif event.facts.subject and (unknown := matching.unknown_in(matcher)) is not None:
            shown = json.dumps(matcher, ensure_ascii=False)
            self.warnings.append(f"matcher {shown} in {self.path} is taken for one that matches everything: {unknown}")
        for index, entry in enumerate(entries):
            place_of_entry = f"{place}.hooks[{index}]"
            with self._skipping("hook"):
                usable = self._usable(self._read_handler(entry, place_of_entry), place_of_entry, event)
                if fault is None and usable is not None:
                    chosen = matcher if event.facts.subject else None
                    yield Handler(event=event, group=number, index=index, matcher=chosen, **usable)

    def _read_handler(self, entry: object, place: str) -> dict[str, Any]:
        if not isinstance(entry, Mapping):
            _fail(place, f"expected an object, found {_kind(entry)}")
        if "type" not in entry:
            _fail(place, 'missing key "type"')
        kind = entry["type"]
        if kind not in _TYPES:
            _fail(
                _join(place, "type"), f"unknown type {json.dumps(kind, default=str)}, allowed are {', '.join(_TYPES)}"
            )
        if kind in {"prompt", "agent"}:
            return {"type": kind}
        self._note_unknown(entry, _HANDLER_KEYS, place)
        values = self._command(entry, place) if kind == "command" else _tool_call(entry, place)
        return {
            "type": kind,
            "timeout": self._optional(_count_or_none, entry, "timeout", place),
            "status_message": self._optional(_text_or_none, entry, "statusMessage", place),
            "context_limit": self._optional(_count_or_none, entry, "additionalContextLimit", place),
            **values,
        }

    def _command(self, entry: Mapping[str, Any], place: str) -> dict[str, Any]:
        command = _text(entry, "command", place)
        if "commandWindows" in entry and "command_windows" in entry:
            self._ignored(f'{place}: "command_windows" is given beside "commandWindows"')
        name = "commandWindows" if "commandWindows" in entry else "command_windows"
        windows = self._optional(_text_or_none, entry, name, place)
        chosen = windows if os.name == "nt" and windows is not None else command
        return {"command": chosen, "detached": self._optional(_flag, entry, "async", place) or False}

    def _optional(self, read: Callable[[Mapping[str, Any], str, str], T], entry: Any, key: str, place: str) -> T | None:
        """Read a value that a handler can do without."""
        try:
            return read(entry, key, place)
        except _Fault as fault:
            self._ignored(str(fault))
            return None

    def _ignored(self, fault: str) -> None:
        self.warnings.append(f"ignoring a value in {self.path}: {fault}")

    @contextmanager
    def _skipping(self, what: str) -> Iterator[None]:
        try:
            yield
        except _Fault as fault:
            self.warnings.append(f"skipping a {what} in {self.path}: {fault}")

    def _usable(self, values: dict[str, Any], place: str, event: Event) -> dict[str, Any] | None:
        kind, name = values["type"], event.facts.name
        if kind in {"prompt", "agent"}:
            self.warnings.append(f"skipping {kind} hook in {self.path}: {kind} hooks are not supported yet")
            return None
        if kind == "command" and not values["command"].strip():
            self.warnings.append(f"skipping empty hook command in {self.path} ({place})")
            return None
        if values["context_limit"] is not None and not event.facts.takes_context:
            self.warnings.append(
                f"ignoring additionalContextLimit of a {name} hook in {self.path} ({place}): the event takes no context"
            )
            values["context_limit"] = None
        if values.get("detached") and event.facts.brief:
            self.warnings.append(f"running async {name} hook synchronously in {self.path} ({place})")
            values["detached"] = False
        return {**values, "timeout": self._timeout(values["timeout"], place, event)}

    def _timeout(self, seconds: int | None, place: str, event: Event) -> int:
        if not event.facts.brief:
            return max(DEFAULT_TIMEOUT if seconds is None else seconds, 1)
        if seconds is not None and seconds > BRIEF_LONGEST:
            self.warnings.append(
                f"clamping {event.facts.name} hook timeout of {seconds}s to {BRIEF_LONGEST}s in {self.path} ({place})"
            )
        return min(max(BRIEF_TIMEOUT if seconds is None else seconds, 1), BRIEF_LONGEST)

    def _note_unknown(self, found: Mapping[str, Any], known: frozenset[str], place: str) -> None:
        for key in found:
            if key not in known:
                self._unknown(f"key of {place}", key, known)

    def _unknown(self, what: str, name: str, known: Iterable[str], *, warn: bool = False) -> None:
        self._unnamed += 1
        if self._unnamed > 0:
            return
        near = near_name(name, known)
        (self.warnings if near or warn else self.notes).append(
            f'unknown {what} "{name}" in {self.path} is ignored{near}'
        )


def near_name(name: str, known: Iterable[str]) -> str:
    """Return a question that names what somebody may have meant, or nothing."""
    from difflib import get_close_matches  # only mistakes need it

    plain = {_plain(each): each for each in known}
    near = get_close_matches(_plain(str(name)), plain, n=1, cutoff=0.75)
    return f" (did you mean {plain[near[0]]}?)" if near else ""


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _tool_call(entry: Mapping[str, Any], place: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {key: _text(entry, key, place) for key in ("server", "tool")}
    given = entry.get("input")
    if given is not None and not isinstance(given, Mapping):
        _fail(_join(place, "input"), f"expected an object, found {_kind(given)}")
    if given is not None:
        arguments["input"] = given
    return {"command": "", "arguments": arguments}


def _text(entry: Mapping[str, Any], key: str, place: str) -> str:
    if key not in entry:
        _fail(place, f'missing key "{key}"')
    value = entry[key]
    if not isinstance(value, str):
        _fail(_join(place, key), f"expected a string, found {_kind(value)}")
    return value


def _text_or_none(entry: Mapping[str, Any], key: str, place: str) -> str | None:
    return None if entry.get(key) is None else _text(entry, key, place)


def _count_or_none(entry: Mapping[str, Any], key: str, place: str) -> int | None:
    value = entry.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        found = json.dumps(value, default=str)
        _fail(_join(place, key), f"expected a whole number that is not negative, found {found}")
    return value


def _flag(entry: Mapping[str, Any], key: str, place: str) -> bool:
    value = entry.get(key, False)
    if not isinstance(value, bool):
        _fail(_join(place, key), f"expected true or false, found {_kind(value)}")
    return value


def _fail(place: str, found: str) -> NoReturn:
    message = f"{place}: {found}" if place else found
    raise _Fault(message)


def _join(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    names = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), "something else")


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs if name in _KNOWN_KEYS]
        duplicate = next((name for name in names if names.count(name) > 1), None)
        if duplicate is not None:
            _fail("", f'key "{duplicate}" is given twice in one object')
    return found
