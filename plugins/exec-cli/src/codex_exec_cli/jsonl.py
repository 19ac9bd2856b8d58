"""Report a turn as JSON lines on standard output (format of ``codex exec --json`` 0.118)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from codex_hookspecs.protocol import (
    AgentMessage,
    CollabAgentToolCall,
    CommandExecution,
    ConfigWarning,
    DeprecationNotice,
    ErrorNotice,
    FileChange,
    HookCompleted,
    HookStarted,
    ItemCompleted,
    ItemStarted,
    McpToolCall,
    PlanUpdated,
    Reasoning,
    TokenUsageUpdated,
    TurnCompleted,
    TurnStarted,
    WarningNotice,
    WebSearch,
)
from codex_hookspecs.surface import escape_controls

if TYPE_CHECKING:
    from codex_exec_cli.streams import Stream
    from codex_hookspecs.protocol import (
        HookRun,
        Item,
        JsonObject,
        Notification,
        ThreadForkResponse,
        ThreadStartResponse,
        TokenUsage,
        Turn,
        TurnError,
    )

_STATUS: Final = {"inProgress": "in_progress"}


class JsonReporter:
    """Writes one line per event.

    :param err: receives messages of hooks for the user as well.
    :param hook_events: also report hooks.
    :param count_tokens: report token usage; the format has zeros for reviews.
    :param started_changes: report the start of a file change, as the format demands.
    """

    def __init__(
        self,
        out: Stream,
        err: Stream | None = None,
        *,
        hook_events: bool = False,
        count_tokens: bool = True,
        started_changes: bool = True,
    ) -> None:
        self._out = out
        self._err = err
        self._started_changes = started_changes
        self._count_tokens = count_tokens
        self._hook_events = hook_events
        self._count = 0
        self._ids: dict[str, str] = {}
        self._todo: JsonObject | None = None
        self._usage: TokenUsage | None = None
        self._error: str | None = None

    def remark(self, text: str) -> None:
        """Show a line on standard error."""
        if self._err is not None:
            self._err.line(escape_controls(text))

    def begin(self, opened: ThreadStartResponse | ThreadForkResponse, prompt: str | None) -> None:
        """Report the thread."""
        self._emit({"type": "thread.started", "thread_id": opened.thread.id})

    def warn(self, text: str) -> None:
        """Report a warning."""
        self._emit({"type": "item.completed", "item": {"id": self._next_id(), "type": "error", "message": text}})

    def end(self, final_message: str | None, *, completed: bool) -> None:
        """Do nothing: the events of the turn were reported already."""

    def show(self, notification: Notification) -> None:
        """Report a notification."""
        match notification:
            case ItemStarted(item=item):
                self._on_item_started(item)
            case ItemCompleted(item=item):
                self._on_item_completed(item)
            case TokenUsageUpdated(token_usage=usage):
                self._usage = usage.total if self._count_tokens else None
            case PlanUpdated():
                self._on_plan_updated(notification)
            case TurnStarted():
                self._emit({"type": "turn.started"})
            case TurnCompleted(turn=turn):
                self._on_turn_completed(turn)
            case ErrorNotice(error=error):
                self._error = with_details(error)
                self._emit({"type": "error", "message": self._error})
            case WarningNotice(message=message):
                self.warn(message)
            case ConfigWarning(summary=summary, details=details) | DeprecationNotice(summary=summary, details=details):
                self.warn(f"{summary} ({details})" if details else summary)
            case HookStarted(run=run) if self._hook_events:
                self._emit({"type": "hook.started", "hook": _hook(run)})
            case HookCompleted(run=run):
                self._on_hook_completed(run)

    def _on_hook_completed(self, run: HookRun) -> None:
        from codex_exec_cli.hook_lines import hook_messages

        if self._hook_events:
            self._emit({"type": "hook.completed", "hook": _hook(run)})
        for text in hook_messages(run):
            if not self._hook_events:
                self.warn(text)
            if self._err is not None:
                self._err.line(escape_controls(text))

    def _on_item_started(self, item: Item) -> None:
        if isinstance(item, AgentMessage | Reasoning):
            return
        details = _details(item)
        if details is not None:
            own = self._ids.setdefault(item.id, "") or self._next_id()
            self._ids[item.id] = own
            if isinstance(item, FileChange) and not self._started_changes:
                return
            self._emit({"type": "item.started", "item": {"id": own, **details}}, item)

    def _on_item_completed(self, item: Item) -> None:
        details = _details(item)
        if details is not None:
            own = self._ids.pop(item.id, None) or self._next_id()
            self._emit({"type": "item.completed", "item": {"id": own, **details}}, item)

    def _on_plan_updated(self, update: PlanUpdated) -> None:
        items = [{"text": step.step, "completed": step.status == "completed"} for step in update.plan]
        kind = "item.started" if self._todo is None else "item.updated"
        own = self._next_id() if self._todo is None else self._todo["id"]
        self._todo = {"id": own, "type": "todo_list", "items": items}
        self._emit({"type": kind, "item": self._todo})

    def _on_turn_completed(self, turn: Turn) -> None:
        if self._todo is not None:
            self._emit({"type": "item.completed", "item": self._todo})
            self._todo = None
        if turn.status == "completed":
            self._emit({"type": "turn.completed", "usage": _usage(self._usage)})
        elif turn.status == "failed":
            message = with_details(turn.error) if turn.error else self._error or "turn failed"
            self._emit({"type": "turn.failed", "error": {"message": message}})

    def _next_id(self) -> str:
        self._count += 1
        return f"item_{self._count - 1}"

    def _emit(self, event: JsonObject, item: Item | None = None) -> None:
        line = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        if isinstance(item, WebSearch):
            # The format has two members ``id`` here; JSON parsers use the last one.
            line = line.replace('"type":"web_search",', f'"type":"web_search","id":{json.dumps(item.id)},', 1)
        self._out.line(line)


def with_details(error: TurnError) -> str:
    """Return the message of an error with its additional details."""
    return f"{error.message} ({error.additional_details})" if error.additional_details else error.message


def _details(item: Item) -> JsonObject | None:
    """Return the members of an item without its id; ``None`` for kinds that are not reported."""
    match item:
        case AgentMessage(text=text):
            return {"type": "agent_message", "text": text}
        case Reasoning(summary=summary):
            text = "\n".join(summary)
            return {"type": "reasoning", "text": text} if text.strip() else None
        case CommandExecution():
            return {
                "type": "command_execution",
                "command": item.command,
                "aggregated_output": item.aggregated_output or "",
                "exit_code": item.exit_code,
                "status": _STATUS.get(item.status, item.status),
            }
        case FileChange():
            changes = [{"path": change.path, "kind": change.kind["type"]} for change in item.changes]
            status = "failed" if item.status == "declined" else _STATUS.get(item.status, item.status)
            return {"type": "file_change", "changes": changes, "status": status}
        case McpToolCall():
            return _mcp(item)
        case CollabAgentToolCall():
            return {
                "type": "collab_tool_call",
                "tool": item.tool,
                "sender_thread_id": item.sender_thread_id,
                "receiver_thread_ids": list(item.receiver_thread_ids),
                "prompt": item.prompt,
                "agents_states": item.agents_states,
                "status": _STATUS.get(item.status, item.status),
            }
        case WebSearch():
            return {"type": "web_search", "query": item.query, "action": item.action or {"type": "other"}}
    return None


def _mcp(item: McpToolCall) -> JsonObject:
    result: Any = None
    if item.result is not None:
        content = item.result.get("content", [])
        result = {"content": content, "structured_content": item.result.get("structuredContent")}
    return {
        "type": "mcp_tool_call",
        "server": item.server,
        "tool": item.tool,
        "arguments": item.arguments,
        "result": result,
        "error": item.error,
        "status": _STATUS.get(item.status, item.status),
    }


def _usage(total: TokenUsage | None) -> JsonObject:
    return {
        "input_tokens": total.input_tokens if total else 0,
        "cached_input_tokens": total.cached_input_tokens if total else 0,
        "output_tokens": total.output_tokens if total else 0,
    }


def _hook(run: HookRun) -> JsonObject:
    return {
        "id": run.id,
        "event": run.event_name,
        "status": run.status,
        "status_message": run.status_message,
        "source_path": run.source_path,
        "duration_ms": run.duration_ms,
        "entries": [{"kind": entry.kind, "text": entry.text} for entry in run.entries],
    }
