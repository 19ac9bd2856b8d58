"""Read hook declarations, from hooks.json or from the ``[hooks]`` table of config.toml (format of Codex 0.169)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from codex_hookspecs import json_text

from . import matching
from .events import BRIEF_LONGEST, BRIEF_TIMEOUT, DEFAULT_TIMEOUT, EVENTS_BY_NAME, Event
from .handlers import Handler, HookFile
from .presence import SETTINGS

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
    """Raised inside this module when a file can't be used as a whole."""


def parse_json(text: str, path: str) -> HookFile:
    """Read the text of a hooks.json.

    :param path: name of the file in warnings.
    :return: the handlers; none and one warning when the file can't be used.
    """
    try:
        document = json_text.parse_json(text, object_pairs_hook=_object_without_duplicates)
        if not isinstance(document, dict):
            _fail("", f"expected an object, found {_kind(document)}")
        for key in document:
            if key not in _TOP_LEVEL_KEYS:
                _fail("", f'unknown key "{key}", allowed are "hooks" and "description"')
        _text_or_none(document, "description", "")
        return _parse_events(document.get("hooks", {}), path)
    except (ValueError, _Fault) as fault:
        return HookFile(warnings=(f"failed to parse hooks config {path}: {fault}",))


def parse_table(table: object, path: str) -> HookFile:
    """Read the ``[hooks]`` table of a config.toml; settings that share the table are not looked at.

    :param path: name of the file in warnings.
    """
    try:
        if isinstance(table, Mapping):
            table = {key: value for key, value in table.items() if key not in SETTINGS}
        return _parse_events(table, path)
    except _Fault as fault:
        return HookFile(warnings=(f"failed to parse TOML hooks in {path}: {fault}",))


def _parse_events(events: object, path: str) -> HookFile:
    if not isinstance(events, Mapping):
        _fail("hooks", f"expected an object, found {_kind(events)}")
    reader = _Reader(path)
    for name in events:
        if name not in EVENTS_BY_NAME:
            reader.notes.append(f'unknown event "{name}" in {path} is ignored')
    # Every event is read before any handler is used: one fault anywhere rejects the whole file.
    handlers = [
        handler for event in Event for handler in reader.read_event(event, events.get(event.facts.name, _MISSING))
    ]
    return HookFile(tuple(handlers), tuple(reader.warnings), tuple(reader.notes))


_MISSING: list[object] = []


class _Reader:
    """Reads the groups of one file and collects what has to be said about them."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.warnings: list[str] = []
        self.notes: list[str] = []

    def read_event(self, event: Event, groups: object) -> Iterator[Handler]:
        place = f"hooks.{event.facts.name}"
        if not isinstance(groups, list):
            _fail(place, f"expected a list of groups, found {_kind(groups)}")
        for number, group in enumerate(groups):
            yield from self._read_group(event, number, group, f"{place}[{number}]")

    def _read_group(self, event: Event, number: int, group: object, place: str) -> Iterator[Handler]:
        if not isinstance(group, Mapping):
            _fail(place, f"expected an object, found {_kind(group)}")
        matcher = _text_or_none(group, "matcher", place)
        entries = group.get("hooks", [])
        if not isinstance(entries, list):
            _fail(f"{place}.hooks", f"expected a list of handlers, found {_kind(entries)}")
        self._note_unknown(group, _GROUP_KEYS, place)
        fault = matching.fault_of(matcher) if event.facts.subject else None
        if fault is not None:
            self.warnings.append(f"invalid matcher {json.dumps(matcher, ensure_ascii=False)} in {self.path}: {fault}")
        for index, entry in enumerate(entries):
            read = self._read_handler(entry, f"{place}.hooks[{index}]")
            if fault is None and (usable := self._usable(read, f"{place}.hooks[{index}]", event)) is not None:
                yield Handler(
                    event=event, group=number, index=index, matcher=matcher if event.facts.subject else None, **usable
                )

    def _read_handler(self, entry: object, place: str) -> dict[str, Any]:
        if not isinstance(entry, Mapping):
            _fail(place, f"expected an object, found {_kind(entry)}")
        if "type" not in entry:
            _fail(place, 'missing key "type"')
        kind = entry["type"]
        if kind not in _TYPES:
            _fail(_join(place, "type"), f"unknown type {json.dumps(kind)}, allowed are {', '.join(_TYPES)}")
        if kind in {"prompt", "agent"}:
            return {"type": kind}
        self._note_unknown(entry, _HANDLER_KEYS, place)
        return {
            "type": kind,
            "timeout": _count_or_none(entry, "timeout", place),
            "status_message": _text_or_none(entry, "statusMessage", place),
            "context_limit": _count_or_none(entry, "additionalContextLimit", place),
            **(_command(entry, place) if kind == "command" else _tool_call(entry, place)),
        }

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
        self.notes.extend(
            f'unknown key "{key}" in {self.path} ({place}) is ignored' for key in found if key not in known
        )


def _command(entry: Mapping[str, Any], place: str) -> dict[str, Any]:
    if "commandWindows" in entry and "command_windows" in entry:
        _fail(place, 'give either "commandWindows" or "command_windows", not both')
    command = _text(entry, "command", place)
    name = "commandWindows" if "commandWindows" in entry else "command_windows"
    windows = _text_or_none(entry, name, place)
    chosen = windows if os.name == "nt" and windows is not None else command
    return {"command": chosen, "detached": _flag(entry, "async", place)}


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
