"""Parse hook declarations from hooks.json or the ``[hooks]`` table of config.toml (format of Codex 0.169)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

from codex_hooks_command import matching
from codex_hooks_command.config_probe import SETTINGS
from codex_hooks_command.events import DEFAULT_TIMEOUT, EVENTS_BY_NAME, MAX_SHORT_TIMEOUT, SHORT_TIMEOUT, Event
from codex_hooks_command.handlers import Handler, HookFile
from codex_hooks_command.refusals import GATES
from codex_hookspecs import json_text

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


class _InvalidValue(Exception):
    """Raised and caught inside this module for an invalid part of a file."""


def parse_json(text: str, path: str) -> HookFile:
    """Parse the text of a hooks.json.

    :param path: name of the file for warnings.
    :return: the valid handlers, and warnings about the rest.
    """
    try:
        document = json_text.parse_json(text, object_pairs_hook=_object_without_duplicates)
        if not isinstance(document, dict):
            _fail("", f"expected an object, found {_kind(document)}")
    except (ValueError, _InvalidValue) as fault:
        return unreadable(f"failed to parse hooks config {path}: {fault}", text)
    reader = _Reader(path)
    reader.read_top(document)
    return reader.read_events(document.get("hooks", {}), "failed to parse hooks config")


def parse_table(table: object, path: str) -> HookFile:
    """Parse the ``[hooks]`` table of a config.toml; settings in the same table are ignored.

    :param path: name of the file for warnings.
    """
    if isinstance(table, Mapping):
        table = {key: value for key, value in table.items() if key not in SETTINGS}
    return _Reader(path).read_events(table, "failed to parse TOML hooks in")


def unreadable(warning: str, text: str | None = None) -> HookFile:
    """Return the result for a file that can't be parsed.

    :param text: its content, if it could be read; if that mentions no gate event, no gate is missing.
    """
    names = [name for event in GATES for name in (event.spec.name.lower(), event.spec.snake)]
    unreadable_gates = text is None or any(name in text.lower() for name in names)
    return HookFile(warnings=(warning,), unreadable_gates=(warning,) if unreadable_gates else ())


_MISSING: list[object] = []


_MAX_UNKNOWN_NAMES = 50
"""Maximum number of unknown names of one file that are reported individually, with a suggestion."""


class _Reader:
    """Parses one file and collects warnings and notes about it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.warnings: list[str] = []
        self.notes: list[str] = []
        self.unreadable_gates: list[str] = []
        self._unnamed = -_MAX_UNKNOWN_NAMES

    def read_top(self, document: Mapping[str, Any]) -> None:
        for key in document:
            if key in EVENTS_BY_NAME:
                self.warnings.append(f'event "{key}" in {self.path} is ignored: it belongs inside "hooks"')
            elif key not in _TOP_LEVEL_KEYS:
                self._report_unknown("key", key, _TOP_LEVEL_KEYS)

    def read_events(self, events: object, failure: str) -> HookFile:
        if not isinstance(events, Mapping):
            return unreadable(f"{failure} {self.path}: hooks: expected an object, found {_kind(events)}", str(events))
        for name in events:
            if name not in EVENTS_BY_NAME:
                self._report_unknown("event", name, EVENTS_BY_NAME, warn=True)
        handlers: list[Handler] = []
        for event in Event:
            try:
                handlers += self._read_event(event, events.get(event.spec.name, _MISSING))
            except _InvalidValue as fault:
                self.warnings.append(f"{failure} {self.path}: {fault}")
                self.unreadable_gates += self.warnings[-1:] if event in GATES else []
        if self._unnamed > 0:
            self.warnings.append(f"{self._unnamed} more unknown names in {self.path} are ignored")
        return HookFile(tuple(handlers), tuple(self.warnings), tuple(self.notes), tuple(self.unreadable_gates))

    def _read_event(self, event: Event, groups: object) -> Iterator[Handler]:
        location = f"hooks.{event.spec.name}"
        if not isinstance(groups, list):
            _fail(location, f"expected a list of groups, found {_kind(groups)}")
        for number, group in enumerate(groups):
            with self._skipping("group"):
                yield from self._read_group(event, number, group, f"{location}[{number}]")

    def _read_group(self, event: Event, number: int, group: object, location: str) -> Iterator[Handler]:
        if not isinstance(group, Mapping):
            _fail(location, f"expected an object, found {_kind(group)}")
        if "hooks" not in group and not _HANDLER_KEYS.isdisjoint(group):
            _fail(location, 'expected a group, found a handler: write {"hooks": [ … ]} around it')
        matcher = _text_or_none(group, "matcher", location)
        entries = group.get("hooks", [])
        if not isinstance(entries, list):
            _fail(f"{location}.hooks", f"expected a list of handlers, found {_kind(entries)}")
        self._note_unknown(group, _GROUP_KEYS, location)
        fault = matching.matcher_error(matcher) if event.spec.subject else None
        if fault is not None:
            self.warnings.append(f"invalid matcher {json.dumps(matcher, ensure_ascii=False)} in {self.path}: {fault}")
        elif event.spec.subject and (unknown := matching.unsupported_part(matcher)) is not None:
            shown = json.dumps(matcher, ensure_ascii=False)
            self.warnings.append(f"matcher {shown} in {self.path} is treated as one that matches everything: {unknown}")
        for index, entry in enumerate(entries):
            entry_location = f"{location}.hooks[{index}]"
            with self._skipping("hook"):
                usable = self._validate(self._read_handler(entry, entry_location), entry_location, event)
                if fault is None and usable is not None:
                    chosen = matcher if event.spec.subject else None
                    yield Handler(event=event, group=number, index=index, matcher=chosen, **usable)

    def _read_handler(self, entry: object, location: str) -> dict[str, Any]:
        if not isinstance(entry, Mapping):
            _fail(location, f"expected an object, found {_kind(entry)}")
        if "type" not in entry:
            _fail(location, 'missing key "type"')
        kind = entry["type"]
        if kind not in _TYPES:
            _fail(
                _join(location, "type"),
                f"unknown type {json.dumps(kind, default=str)}, allowed are {', '.join(_TYPES)}",
            )
        if kind in {"prompt", "agent"}:
            return {"type": kind}
        self._note_unknown(entry, _HANDLER_KEYS, location)
        values = self._command(entry, location) if kind == "command" else _tool_call(entry, location)
        return {
            "type": kind,
            "timeout": self._optional(_count_or_none, entry, "timeout", location),
            "status_message": self._optional(_text_or_none, entry, "statusMessage", location),
            "context_limit": self._optional(_count_or_none, entry, "additionalContextLimit", location),
            **values,
        }

    def _command(self, entry: Mapping[str, Any], location: str) -> dict[str, Any]:
        command = _text(entry, "command", location)
        if "commandWindows" in entry and "command_windows" in entry:
            self._warn_ignored(f'{location}: "command_windows" is given in addition to "commandWindows"')
        name = "commandWindows" if "commandWindows" in entry else "command_windows"
        windows = self._optional(_text_or_none, entry, name, location)
        chosen = windows if os.name == "nt" and windows is not None else command
        return {"command": chosen, "detached": self._optional(_flag, entry, "async", location) or False}

    def _optional(
        self, read: Callable[[Mapping[str, Any], str, str], T], entry: Any, key: str, location: str
    ) -> T | None:
        """Read an optional value; an invalid one is ignored with a warning."""
        try:
            return read(entry, key, location)
        except _InvalidValue as fault:
            self._warn_ignored(str(fault))
            return None

    def _warn_ignored(self, fault: str) -> None:
        self.warnings.append(f"ignoring a value in {self.path}: {fault}")

    @contextmanager
    def _skipping(self, what: str) -> Iterator[None]:
        try:
            yield
        except _InvalidValue as fault:
            self.warnings.append(f"skipping a {what} in {self.path}: {fault}")

    def _validate(self, values: dict[str, Any], location: str, event: Event) -> dict[str, Any] | None:
        kind, name = values["type"], event.spec.name
        if kind in {"prompt", "agent"}:
            self.warnings.append(f"skipping {kind} hook in {self.path}: {kind} hooks are not supported yet")
            return None
        if kind == "command" and not values["command"].strip():
            self.warnings.append(f"skipping empty hook command in {self.path} ({location})")
            return None
        if values["context_limit"] is not None and not event.spec.takes_context:
            self.warnings.append(
                f"ignoring additionalContextLimit of a {name} hook in {self.path} ({location}): "
                "the event takes no context"
            )
            values["context_limit"] = None
        if values.get("detached") and event.spec.short_timeout:
            self.warnings.append(f"running async {name} hook synchronously in {self.path} ({location})")
            values["detached"] = False
        return {**values, "timeout": self._timeout(values["timeout"], location, event)}

    def _timeout(self, seconds: int | None, location: str, event: Event) -> int:
        if not event.spec.short_timeout:
            return max(DEFAULT_TIMEOUT if seconds is None else seconds, 1)
        if seconds is not None and seconds > MAX_SHORT_TIMEOUT:
            self.warnings.append(
                f"clamping {event.spec.name} hook timeout of {seconds}s to {MAX_SHORT_TIMEOUT}s "
                f"in {self.path} ({location})"
            )
        return min(max(SHORT_TIMEOUT if seconds is None else seconds, 1), MAX_SHORT_TIMEOUT)

    def _note_unknown(self, found: Mapping[str, Any], known: frozenset[str], location: str) -> None:
        for key in found:
            if key not in known:
                self._report_unknown(f"key of {location}", key, known)

    def _report_unknown(self, what: str, name: str, known: Iterable[str], *, warn: bool = False) -> None:
        self._unnamed += 1
        if self._unnamed > 0:
            return
        close = suggest_name(name, known)
        (self.warnings if close or warn else self.notes).append(
            f'unknown {what} "{name}" in {self.path} is ignored{close}'
        )


def suggest_name(name: str, known: Iterable[str]) -> str:
    """Return a "did you mean" suggestion, or the empty string."""
    from difflib import get_close_matches  # needed for unknown names only

    folded = {_fold(each): each for each in known}
    close = get_close_matches(_fold(str(name)), folded, n=1, cutoff=0.75)
    return f" (did you mean {folded[close[0]]}?)" if close else ""


def _fold(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _tool_call(entry: Mapping[str, Any], location: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {key: _text(entry, key, location) for key in ("server", "tool")}
    given = entry.get("input")
    if given is not None and not isinstance(given, Mapping):
        _fail(_join(location, "input"), f"expected an object, found {_kind(given)}")
    if given is not None:
        arguments["input"] = given
    return {"command": "", "arguments": arguments}


def _text(entry: Mapping[str, Any], key: str, location: str) -> str:
    if key not in entry:
        _fail(location, f'missing key "{key}"')
    value = entry[key]
    if not isinstance(value, str):
        _fail(_join(location, key), f"expected a string, found {_kind(value)}")
    return value


def _text_or_none(entry: Mapping[str, Any], key: str, location: str) -> str | None:
    return None if entry.get(key) is None else _text(entry, key, location)


def _count_or_none(entry: Mapping[str, Any], key: str, location: str) -> int | None:
    value = entry.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        found = json.dumps(value, default=str)
        _fail(_join(location, key), f"expected a whole number that is not negative, found {found}")
    return value


def _flag(entry: Mapping[str, Any], key: str, location: str) -> bool:
    value = entry.get(key, False)
    if not isinstance(value, bool):
        _fail(_join(location, key), f"expected true or false, found {_kind(value)}")
    return value


def _fail(location: str, found: str) -> NoReturn:
    message = f"{location}: {found}" if location else found
    raise _InvalidValue(message)


def _join(location: str, key: str) -> str:
    return f"{location}.{key}" if location else key


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
