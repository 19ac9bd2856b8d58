"""Format handlers and their status, as wire objects and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from codex_hooks_command.trust import hash_of
from codex_hookspecs.surface import escape_controls_in_line

if TYPE_CHECKING:
    from codex_hooks_command.discovery import Registry
    from codex_hooks_command.handlers import RegisteredHook

_HEADINGS = ("#", "EVENT", "MATCHER", "COMMAND", "FROM", "STATUS")
_COMMAND_WIDTH = 48
_WAITING = frozenset({"untrusted", "modified"})


def to_wire(one: RegisteredHook) -> dict[str, Any]:
    """Return a handler in the format of ``hooks/list`` (Codex 0.169), with ``skipped`` added."""
    handler, source = one.handler, one.source
    entry: dict[str, Any] = {"key": one.key, "eventName": handler.event.spec.camel}
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
        "sourcePath": source.path,
        "source": source.kind,
        "pluginId": source.plugin_id,
        "environmentId": None,
        "displayOrder": one.display_order,
        "enabled": one.enabled,
        "isManaged": source.kind == "system",
        "currentHash": hash_of(one.handler),
        "trustStatus": one.trust,
        "skipped": one.skipped,
    }


def listing_to_wire(cwd: str, registry: Registry | None) -> dict[str, Any]:
    """Return the handlers of a directory as one element of the result of ``hooks/list``."""
    if registry is None:
        return {"cwd": cwd, "hooks": [], "warnings": [], "errors": []}
    return {
        "cwd": cwd,
        "hooks": [to_wire(one) for one in registry.handlers],
        "warnings": [*registry.warnings, *registry.notes],
        "errors": [],
    }


def format_table(registry: Registry | None, *, home: str) -> str:
    """Return the output of ``codex hooks list``.

    :param home: the user's home directory, abbreviated to ``~``.
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
        texts = [text for text in registry.warnings if not any(skip and text.endswith(skip) for skip in skips)]
        lines += [""] * bool(texts or registry.notes)
        lines += [f"warning: {text}" for text in texts] + [f"note: {text}" for text in registry.notes]
    return "\n".join(lines)


def _rows(one: RegisteredHook, home: str) -> Iterator[tuple[str, ...]]:
    """Yield the rows of one handler; its command is wrapped, never shortened."""
    handler = one.handler
    path = one.source.path
    shown = f"~{path[len(home) :]}" if home and path.startswith(f"{home}/") else path
    first, *rest = [line for part in handler.action.strip().splitlines() for line in _wrap(part)]
    yield (
        str(one.display_order),
        handler.event.spec.name,
        escape_controls_in_line(handler.matcher or "-"),
        first,
        one.source.plugin_id or shown,
        _status(one),
    )
    for line in rest:
        yield "", "", "", line, "", ""


def _wrap(text: str) -> Iterator[str]:
    """Wrap a line to the width of the column; only spaces at line breaks are dropped."""
    text = escape_controls_in_line(text)
    while len(text) > _COMMAND_WIDTH:
        end = text.rfind(" ", 1, _COMMAND_WIDTH + 1)
        end = _COMMAND_WIDTH if end < 0 else end
        yield text[:end]
        text = text[end:].removeprefix(" ")
    yield text


def _status(one: RegisteredHook) -> str:
    if one.skipped is None:
        return "runs"
    if one.source.disabled is not None:
        return "not run: project not trusted"
    if not one.enabled:
        return "switched off"
    if one.changed_script:
        return "not run: script changed since trusted"
    return "not run: not trusted" if one.trust == "untrusted" else "not run: changed since trusted"


def _advice(handlers: Sequence[RegisteredHook]) -> list[str]:
    advice = []
    waiting = [one for one in handlers if one.skipped and one.enabled and (one.changed_script or one.trust in _WAITING)]
    foreign = next((one.source.disabled for one in handlers if one.source.disabled is not None), None)
    off = [one for one in handlers if one.skipped and not one.enabled and one.source.disabled is None]
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
