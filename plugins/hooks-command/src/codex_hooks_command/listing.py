"""Show handlers and their standing, as wire objects and as a table for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from codex_hookspecs.surface import visible_line

from .trust import hash_of

if TYPE_CHECKING:
    from .discovery import Registry
    from .handlers import Registered

_HEADINGS = ("#", "EVENT", "MATCHER", "COMMAND", "FROM", "STATUS")
_COMMAND_WIDTH = 48
_WAITING = frozenset({"untrusted", "modified"})


def wire_entry(one: Registered) -> dict[str, Any]:
    """Return a handler as ``hooks/list`` shows it (format of Codex 0.169), with ``skipped`` added."""
    handler, origin = one.handler, one.origin
    entry: dict[str, Any] = {"key": one.key, "eventName": handler.event.facts.camel}
    if handler.type == "command":
        entry |= {"handlerType": "command", "command": handler.command, "async": handler.detached}
    else:
        entry |= {
            "handlerType": "mcpTool",
            "server": handler.arguments["server"],
            "tool": handler.arguments["tool"],
        }
    return entry | {
        "matcher": handler.matcher,
        "timeoutSec": handler.timeout,
        "statusMessage": handler.status_message,
        "additionalContextLimit": handler.context_limit,
        "sourcePath": origin.path,
        "source": origin.source,
        "pluginId": origin.plugin_id,
        "environmentId": None,
        "displayOrder": one.display_order,
        "enabled": one.enabled,
        "isManaged": origin.source == "system",
        "currentHash": hash_of(one.handler),
        "trustStatus": one.trust,
        "skipped": one.skipped,
    }


def wire_listing(cwd: str, registry: Registry | None) -> dict[str, Any]:
    """Return all handlers of a directory as one element of the answer to ``hooks/list``."""
    if registry is None:
        return {"cwd": cwd, "hooks": [], "warnings": [], "errors": []}
    return {
        "cwd": cwd,
        "hooks": [wire_entry(one) for one in registry.handlers],
        "warnings": [*registry.warnings, *registry.notes],
        "errors": [],
    }


def table(registry: Registry | None, *, home: str) -> str:
    """Return what ``codex hooks list`` prints.

    :param home: the user's directory, written ``~``.
    """
    if registry is None or not registry.handlers:
        lines = ["No hooks are configured here."]
    else:
        rows = [_HEADINGS, *(line for one in registry.handlers for line in _rows(one, home))]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        lines += _advice(registry.handlers)
    if registry is not None:
        skips = {one.skipped for one in registry.handlers}
        told = [text for text in registry.warnings if not any(skip and text.endswith(skip) for skip in skips)]
        lines += [""] * bool(told or registry.notes)
        lines += [f"warning: {text}" for text in told] + [f"note: {text}" for text in registry.notes]
    return "\n".join(lines)


def _rows(one: Registered, home: str) -> Iterator[tuple[str, ...]]:
    """Yield the lines of one handler: its whole command, wrapped."""
    handler = one.handler
    path = one.origin.path
    shown = f"~{path[len(home) :]}" if home and path.startswith(f"{home}/") else path
    first, *rest = [line for part in handler.does.strip().splitlines() for line in _wrapped(part)]
    yield (
        str(one.display_order),
        handler.event.facts.name,
        visible_line(handler.matcher or "-"),
        first,
        one.origin.plugin_id or shown,
        _status(one),
    )
    for line in rest:
        yield "", "", "", line, "", ""


def _wrapped(text: str) -> Iterator[str]:
    """Yield a line in pieces that fit the column; only spaces at which it is broken are left out."""
    text = visible_line(text)
    while len(text) > _COMMAND_WIDTH:
        end = text.rfind(" ", 1, _COMMAND_WIDTH + 1)
        end = _COMMAND_WIDTH if end < 0 else end
        yield text[:end]
        text = text[end:].removeprefix(" ")
    yield text


def _status(one: Registered) -> str:
    if one.skipped is None:
        return "runs"
    if one.origin.disabled is not None:
        return "not run: project not trusted"
    if not one.enabled:
        return "switched off"
    if one.changed_script:
        return "not run: script changed since trusted"
    return "not run: not trusted" if one.trust == "untrusted" else "not run: changed since trusted"


def _advice(handlers: Sequence[Registered]) -> list[str]:
    advice = []
    waiting = [one for one in handlers if one.skipped and one.enabled and (one.changed_script or one.trust in _WAITING)]
    foreign = next((one.origin.disabled for one in handlers if one.origin.disabled is not None), None)
    off = [one for one in handlers if one.skipped and not one.enabled and one.origin.disabled is None]
    if foreign is not None:
        advice.append(foreign)
    elif waiting:
        numbers = " ".join(str(one.display_order) for one in waiting)
        counted = "One hook waits" if len(waiting) == 1 else f"{len(waiting)} hooks wait"
        advice.append(f"{counted} for your review. If you want what they do, run: codex hooks trust {numbers}")
    if off:
        numbers = " ".join(str(one.display_order) for one in off)
        advice.append(f"To switch on again what is switched off, run: codex hooks trust {numbers}")
    return ["", *advice] if advice else []
