"""The log on standard error: which records it has (``CODEX_LOG``) and how they look (``CODEX_LOG_FORMAT``)."""

from __future__ import annotations

import json
import logging
import re
import time
from typing import TYPE_CHECKING, Any, Final

from codex_hookspecs.terminal_text import escape_controls, escape_controls_in_line
from codex_hookspecs.tracing import current_trace
from codex_host.session.turn_state import CURRENT_TURN
from codex_responses.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

LEVEL: Final = "CODEX_LOG"
FORMATS: Final = ("CODEX_LOG_FORMAT", "LOG_FORMAT")
ROOT: Final = "codex"
HOST: Final = "host"
_TRACE: Final = 5
_LEVELS: Final = {
    "off": logging.CRITICAL + 1,
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": _TRACE,
}
_NAMES: Final = {logging.CRITICAL: "ERROR", logging.WARNING: "WARN", _TRACE: "TRACE"}
_SECRET_NAME: Final = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS)$", re.IGNORECASE)


def configure(environ: Mapping[str, str], plugins: Collection[str] = ()) -> logging.Handler:
    """Set up the log of the process and return its handler.

    :param plugins: names of the plugins that can log; with none, any name is accepted.
    """
    root = logging.getLogger(ROOT)
    logging.addLevelName(_TRACE, "TRACE")
    general, levels, faults = parse_levels(environ.get(LEVEL, ""))
    handler = logging.StreamHandler()
    structured = any(environ.get(name, "").strip().lower() == "json" for name in FORMATS)
    handler.setFormatter((JsonFormatter if structured else TextFormatter)(secrets_of(environ)))
    root.handlers[:] = [handler]
    root.propagate = False
    root.setLevel(general)
    for name, level in levels.items():
        logging.getLogger(f"{ROOT}.{name}").setLevel(level)
    host = logging.getLogger(f"{ROOT}.{HOST}")
    for fault in faults:
        host.error("%s: %s", LEVEL, fault)
    for name in levels:
        if plugins and name != HOST and name not in plugins:
            host.error("%s: there is no plugin %s; the host's own records are those of %s", LEVEL, name, HOST)
    return handler


def parse_levels(text: str) -> tuple[int, dict[str, int], list[str]]:
    """Parse the value of ``CODEX_LOG``: levels, or ``PLUGIN=LEVEL``, separated by commas.

    :return: the level of all plugins (errors, if none is set), those of single plugins, and what is not understood.
    """
    general, levels, faults = logging.ERROR, dict[str, int](), list[str]()
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, word = (piece.strip() for piece in part.rpartition("="))
        level = _LEVELS.get(word.lower())
        if level is None:
            faults.append(f"{word!r} is not a level, allowed are {', '.join(sorted(_LEVELS))}")
        elif equals:
            levels[name] = level
        else:
            general = level
    return general, levels, faults


def secrets_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of environment variables whose names say that they are secret."""
    return tuple({value for name, value in environ.items() if _SECRET_NAME.search(name)})


def _facts(record: logging.LogRecord) -> dict[str, str]:
    """Return the ids of the thread, turn and trace that a record belongs to."""
    facts: dict[str, str] = {}
    turn = CURRENT_TURN.get()
    if turn is not None:
        facts["thread_id"], facts["turn_id"] = turn
    for name in ("thread_id", "turn_id", "connection"):
        if (value := getattr(record, name, None)) is not None:
            facts[name] = str(value)
    if (trace := current_trace()) is not None:
        facts["trace_id"] = trace.trace_id
    return facts


class _Formatter(logging.Formatter):
    """:param secrets: values that are never shown."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = tuple(secrets)

    def _hide(self, text: str) -> str:
        return redact(text, self._secrets)

    def _target(self, record: logging.LogRecord) -> str:
        return record.name.removeprefix(f"{ROOT}.")

    def _traceback(self, record: logging.LogRecord) -> str:
        found = record.exc_info
        return self._hide(self.formatException(found)) if found and found[0] is not None else ""


class TextFormatter(_Formatter):
    """One line a record, ids at its end, below it the traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of a record."""
        facts = "".join(f" {name}={value}" for name, value in _facts(record).items())
        message = escape_controls_in_line(self._hide(record.getMessage()))
        line = f"{_time(record)} {_level(record):>5} {self._target(record)}: {message}{escape_controls_in_line(facts)}"
        traceback = self._traceback(record)
        return f"{line}\n{escape_controls(traceback)}" if traceback else line


class JsonFormatter(_Formatter):
    """One JSON object a record, with the members that Codex's own log has, and the ids."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the JSON of a record."""
        fields: dict[str, Any] = {"message": self._hide(record.getMessage())}
        if traceback := self._traceback(record):
            fields["error"] = traceback
        return json.dumps(
            {
                "timestamp": _time(record),
                "level": _level(record),
                "fields": fields,
                "target": self._target(record),
                **_facts(record),
            }
        )


def _time(record: logging.LogRecord) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03}Z"


def _level(record: logging.LogRecord) -> str:
    return _NAMES.get(record.levelno, record.levelname)
