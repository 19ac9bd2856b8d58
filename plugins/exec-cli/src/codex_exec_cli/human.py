"""Report a turn as text: everything on standard error, the final message on standard output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.protocol import (
    AgentMessage,
    CommandExecution,
    ConfigWarning,
    ContextCompaction,
    DeprecationNotice,
    DynamicToolCall,
    ErrorNotice,
    FileChange,
    HookCompleted,
    HookStarted,
    ImageView,
    ItemCompleted,
    ItemStarted,
    McpToolCall,
    PlanUpdated,
    Reasoning,
    TokenUsageUpdated,
    TurnCompleted,
    TurnDiffUpdated,
    WarningNotice,
    WebSearch,
)
from codex_hookspecs.surface import escape_controls, escape_controls_in
from codex_sandboxing.app_server_form import read_policy

if TYPE_CHECKING:
    from codex_exec_cli.streams import Stream
    from codex_exec_cli.style import Style
    from codex_hookspecs.protocol import (
        HookRun,
        Item,
        JsonObject,
        Notification,
        PlanStep,
        ThreadForkResponse,
        ThreadStartResponse,
        TokenUsage,
        Turn,
    )

_HOOK_STYLES = {"completed": "green", "blocked": "yellow", "failed": "red", "stopped": "red"}


class HumanReporter:
    """Writes a human-readable log of the turn; control characters in foreign text are escaped before styling.

    :param title: first line of the header.
    :param summaries: the setting for reasoning summaries, for the header.
    :param hide_reasoning: do not show reasoning.
    :param raw_reasoning: show raw reasoning instead of its summary.
    """

    def __init__(
        self,
        out: Stream,
        err: Stream,
        style: Style,
        *,
        title: str,
        summaries: str = "none",
        hide_reasoning: bool = False,
        raw_reasoning: bool = False,
    ) -> None:
        self._out = out
        self._err = err
        self._style = style
        self._title = title
        self._summaries = summaries
        self._hide_reasoning = hide_reasoning
        self._raw_reasoning = raw_reasoning
        self._error = ""
        self._usage: TokenUsage | None = None

    def remark(self, text: str) -> None:
        """Show a line before the session."""
        self._print(escape_controls(text))

    def begin(self, opened: ThreadStartResponse | ThreadForkResponse, prompt: str | None) -> None:
        """Show the session and the prompt."""
        header = {
            "workdir": opened.cwd,
            "model": opened.model,
            "provider": opened.model_provider,
            "approval": opened.approval_policy,
            "sandbox": sandbox_summary(opened.sandbox),
            "reasoning effort": opened.reasoning_effort or "none",
            "reasoning summaries": self._summaries,
            "session id": opened.thread.id,
        }
        rows = [f"{self._style(f'{name}:', 'bold')} {escape_controls(str(value))}" for name, value in header.items()]
        self._print(self._title, "--------", *rows, "--------")
        if prompt is not None:
            self._print(self._style("user", "cyan"), escape_controls(prompt))

    def warn(self, text: str) -> None:
        """Show a warning."""
        self._print(f"{self._style('warning:', 'bold', 'yellow')} {escape_controls(text)}")

    def end(self, final_message: str | None, *, completed: bool) -> None:
        """Show token usage, and print the final message unless both streams are terminals."""
        if self._usage is not None:
            used = max(self._usage.input_tokens - self._usage.cached_input_tokens, 0) + self._usage.output_tokens
            self._print(self._style("tokens used", "dim"), f"{used:,}")
        if completed and final_message is not None and not (self._out.terminal and self._err.terminal):
            self._out.line(escape_controls(final_message) if self._out.terminal else final_message)

    def show(self, notification: Notification) -> None:
        """Show a notification."""
        notification = escape_controls_in(notification)
        match notification:
            case ItemStarted(item=item):
                self._on_item_started(item)
            case ItemCompleted(item=item):
                self._on_item_completed(item)
            case TokenUsageUpdated(token_usage=usage):
                self._usage = usage.total
            case PlanUpdated(explanation=explanation, plan=plan):
                self._print(*([explanation] if explanation else ()), *map(self._step, plan))
            case TurnDiffUpdated(diff=diff) if diff.strip():
                self._print(diff)
            case TurnCompleted(turn=turn):
                self._on_turn_completed(turn)
            case HookStarted(run=run):
                self._on_hook_started(run)
            case HookCompleted(run=run):
                self._on_hook_completed(run)
            case _:
                self._show_notice(notification)

    def _show_notice(self, notification: Notification) -> None:
        match notification:
            case ErrorNotice(error=error):
                self._show_error(error.message)
            case WarningNotice(message=message):
                self.warn(message)
            case ConfigWarning(summary=summary, details=details):
                self.warn(f"{summary} ({details})" if details else summary)
            case DeprecationNotice(summary=summary, details=details):
                self._print(f"{self._style('deprecated:', 'bold', 'yellow')} {summary}")
                if details:
                    self._print(self._style(details, "dim"))

    def _on_item_started(self, item: Item) -> None:
        style = self._style
        match item:
            case CommandExecution(command=command, cwd=cwd):
                self._print(style("exec", "magenta", "italic"), f"{style(command, 'bold')} in {cwd}")
            case McpToolCall(server=server, tool=tool):
                self._print(f"{style('mcp:', 'bold')} {style(f'{server}/{tool}', 'cyan')} started")
            case DynamicToolCall(tool=tool):
                self._print(f"{style('tool:', 'bold')} {style(tool, 'cyan')} started")
            case WebSearch(query=query):
                self._print(f"{style('web search:', 'bold')} {query}")
            case FileChange():
                self._print(style("apply patch", "bold"))

    def _on_item_completed(self, item: Item) -> None:
        style = self._style
        match item:
            case AgentMessage(text=text):
                self._print(style("codex", "magenta", "italic"), text)
            case Reasoning():
                self._show_reasoning(item)
            case CommandExecution():
                self._show_command_end(item)
            case FileChange(changes=changes, status=status):
                paths = sorted(change.path for change in changes)
                self._print(f"{style('patch:', 'bold')} {status}", *(style(path, "dim") for path in paths))
            case McpToolCall(server=server, tool=tool, status=status):
                self._show_tool_end("mcp:", f"{server}/{tool}", status)
            case DynamicToolCall(tool=tool, status=status):
                self._show_tool_end("tool:", tool, status)
            case WebSearch(query=query):
                self._print(f"{style('web search:', 'bold')} {query}")
            case ImageView(path=path):
                self._print(f"{style('viewed image:', 'bold')} {path}")
            case ContextCompaction():
                self._print(style("context compacted", "dim"))

    def _show_reasoning(self, item: Reasoning) -> None:
        if self._hide_reasoning:
            return
        text = "\n".join(item.content if self._raw_reasoning and item.content else item.summary)
        if text.strip():
            self._print(self._style(text, "dim"))

    def _show_command_end(self, item: CommandExecution) -> None:
        if item.status == "declined":
            self._print(self._style(" declined", "yellow"))
            return
        took = f" in {duration(item.duration_ms)}" if item.duration_ms is not None else ""
        if item.exit_code == 0:
            self._print(self._style(f" succeeded{took}:", "green"))
        elif item.exit_code is None:
            self._print(self._style(f" {item.status}{took}:", "red"))
        else:
            self._print(self._style(f" exited {item.exit_code}{took}:", "red"))
        if item.aggregated_output and item.aggregated_output.strip():
            self._print(item.aggregated_output)

    def _show_tool_end(self, label: str, name: str, status: str) -> None:
        shown = self._style(f"({status})", "green" if status == "completed" else "red")
        self._print(f"{self._style(label, 'bold')} {self._style(name, 'cyan')} {shown}")

    def _on_hook_started(self, run: HookRun) -> None:
        from codex_exec_cli.hook_lines import hook_name

        message = f": {run.status_message}" if run.status_message else ""
        self._print(self._style(f"• Running {hook_name(run)} hook{message}", "dim"))

    def _on_hook_completed(self, run: HookRun) -> None:
        from codex_exec_cli.hook_lines import hook_name

        status = self._style(f"({run.status})", _HOOK_STYLES.get(run.status, "dim"))
        self._print(f"{hook_name(run)} hook {status}")
        for entry in run.entries:
            label = "hook context" if entry.kind == "context" else entry.kind
            first, *rest = entry.text.splitlines() or [""]
            self._print(f"  {label}: {first}", *(f"    {line}" for line in rest))

    def _on_turn_completed(self, turn: Turn) -> None:
        if turn.status == "failed" and turn.error is not None:
            self._show_error(turn.error.message)
        elif turn.status == "interrupted":
            self._print(self._style("turn interrupted", "dim"))

    def _step(self, step: PlanStep) -> str:
        if step.status == "completed":
            return f"  {self._style('✓', 'green')} {step.step}"
        if step.status == "inProgress":
            return f"  {self._style('→', 'cyan')} {step.step}"
        return f"  {self._style('•', 'dim')} {self._style(step.step, 'dim')}"

    def _show_error(self, message: str) -> None:
        if message == self._error:
            return  # A failed turn ends with the error that was shown when it happened.
        self._error = message
        self._print(f"{self._style('ERROR:', 'bold', 'red')} {message}")

    def _print(self, *lines: str) -> None:
        self._err.write("".join(f"{line}\n" for line in lines))


def duration(milliseconds: int) -> str:
    """Format a duration: ``558ms``, ``1.25s``, ``2m 05s``."""
    if milliseconds < 1000:
        return f"{milliseconds}ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.2f}s"
    seconds = milliseconds // 1000
    return f"{seconds // 60}m {seconds % 60:02}s"


def sandbox_summary(document: JsonObject) -> str:
    """Return a short description of a sandbox policy in wire format."""
    policy = read_policy(document)
    if policy.kind == "dangerFullAccess":
        return policy.mode
    words = policy.mode
    if policy.kind == "workspaceWrite":
        roots = ["workdir"]
        if not policy.exclude_slash_tmp:
            roots.append("/tmp")  # noqa: S108
        if not policy.exclude_tmpdir_env_var:
            roots.append("$TMPDIR")
        words += f" [{', '.join([*roots, *policy.writable_roots])}]"
    return f"{words} (network access enabled)" if policy.network_access else words
