"""Interpret the result of a handler's process for its event (rules of Codex 0.169)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve

from codex_hooks_command.events import Event
from codex_hooks_command.json_shape import read_object
from codex_hooks_command.refusals import GATES, Refusal, TooComplex, find_refusal
from codex_hooks_command.results import EntryKind, HookOutput, ProcessResult, failed_output

_REFUSALS = {
    Event.USER_PROMPT_SUBMIT: "a blocking reason",
    Event.PRE_TOOL_USE: "a blocking reason",
    Event.PERMISSION_REQUEST: "a denial reason",
    Event.POST_TOOL_USE: "feedback",
    Event.STOP: "a continuation prompt",
    Event.SUBAGENT_STOP: "a continuation prompt",
}
"""Events that handlers refuse with exit status 2, and what they have to write to standard error then."""

_TEXT_IS_CONTEXT = frozenset({Event.SESSION_START, Event.SUBAGENT_START, Event.USER_PROMPT_SUBMIT})
_TEXT_FAILS = {
    Event.STOP: "hook returned invalid stop hook JSON output",
    Event.SUBAGENT_STOP: "hook returned invalid subagent stop hook JSON output",
    Event.INTERRUPT: "Interrupt hook returned non-JSON stdout",
}
_STDERR_IS_ERROR = frozenset({Event.PRE_COMPACT, Event.POST_COMPACT, Event.PRE_MODEL_REQUEST, Event.POST_MODEL_REQUEST})
_OBSERVED = frozenset({Event.PRE_MODEL_REQUEST, Event.POST_MODEL_REQUEST, Event.SESSION_END})
"""Events that are only observed: the output of their handlers is ignored."""

_DEFAULT_DENIAL = "PermissionRequest hook denied approval"


_TRUNCATED = "hook output exceeds the limit and was truncated"
_REFUSAL_STATUS = 2
"""Exit status by which a handler refuses."""

_NOT_STARTED_STATUSES = (126, 127)
"""Exit statuses of a shell that can't start a command."""


def interpret(event: Event, result: ProcessResult, *, tool_name: str = "") -> HookOutput:
    """Interpret the result of a handler's process.

    :param tool_name: the tool, for events about a tool call.
    """
    output = _interpret_result(event, result, tool_name)
    if output.reason is not None or output.asks is not None or output.stops:
        return output
    fits = output.status != "failed" and result.stdout.lstrip().startswith("{")
    if event not in GATES and (fits or result.exit_code != 0 or result.error is not None):
        return output
    try:
        refusal = find_refusal(event, result.stdout)
    except TooComplex:
        return failed_output("hook returned output that can't be read", unanswered=True)
    if event in GATES and result.exit_code == _REFUSAL_STATUS:
        text = result.stdout.strip()
        stderr = "" if text.startswith(("{", "[")) else text
        refusal = Refusal("deny", stderr) if refusal is None else refusal._replace(kind="deny")
    return output if refusal is None else _treat_as_refusal(event, output, refusal)


def _treat_as_refusal(event: Event, output: HookOutput, refusal: Refusal) -> HookOutput:
    """Return a refusal for an invalid output that contains one."""
    faults = [text for kind, text in output.entries if kind == "error"] or ["the output is not valid for the event"]
    if refusal.is_python:
        faults = ["the output is a Python value instead of JSON (print it with json.dumps)"]
    warnings = [(kind, text) for kind, text in output.entries if kind == "warning"]
    meant = "denial" if refusal.kind == "deny" else "request to ask"
    entries: list[tuple[EntryKind, str]] = [
        *warnings,
        *(("warning", f"{fault}; it is treated as the {meant} that it contains") for fault in faults),
    ]
    if refusal.kind == "ask":
        return _ask(HookOutput(entries=tuple(entries)), refusal.reason)
    return _block(HookOutput(entries=tuple(entries)), refusal.reason or f"a {event.spec.name} hook gave no reason")


def _interpret_result(event: Event, result: ProcessResult, tool_name: str) -> HookOutput:
    if result.error is not None:
        return failed_output(result.error, unanswered=True)
    code, stderr = result.exit_code, result.stderr.strip()
    if code == 0:
        text = result.stdout.strip()
        return (
            _interpret_truncated(event, text, tool_name)
            if result.truncated
            else _interpret_text(event, text, tool_name)
        )
    if code == _REFUSAL_STATUS and event in _REFUSALS:
        if not stderr:
            name, wanted = event.spec.name, _REFUSALS[event]
            return failed_output(f"{name} hook exited with code 2 but did not write {wanted} to stderr")
        return HookOutput(status="blocked", entries=(("feedback", stderr),), reason=stderr)
    if code is None or (ending := _signal_name(code)) is not None:
        how = "" if code is None else f" ({ending} ended it)"
        compacts = event in _STDERR_IS_ERROR
        words = "process terminated without an exit" if compacts else "exited without a status"
        return failed_output(f"hook {words} code{how}", unanswered=True)
    if stderr and event in _STDERR_IS_ERROR:
        return failed_output(stderr)
    if code in _NOT_STARTED_STATUSES:
        return failed_output(f"hook exited with code {code} (a command in it could not be started)", unanswered=True)
    return failed_output(f"hook exited with code {code}")


def _signal_name(code: int) -> str | None:
    """Return the name of the signal that an exit status of a shell stands for."""
    from signal import NSIG, Signals

    number = code - 128
    try:
        return Signals(number).name
    except ValueError:
        return f"signal {number}" if 0 < number < NSIG else None


def _interpret_truncated(event: Event, text: str, tool_name: str) -> HookOutput:
    if event in GATES:
        return failed_output(_TRUNCATED, unanswered=True)
    if text.startswith(("{", "[")):
        return _block(HookOutput(), _TRUNCATED) if event is Event.USER_PROMPT_SUBMIT else failed_output(_TRUNCATED)
    output = _interpret_text(event, text, tool_name)
    return evolve(output, entries=(("warning", _TRUNCATED), *output.entries))


def _interpret_text(event: Event, text: str, tool_name: str) -> HookOutput:
    if not text or event in _OBSERVED:
        return HookOutput()
    if text.startswith(("{", "[")):
        document, fault = read_object(event, text)
        if document is None:
            return failed_output(f"hook returned invalid {event.spec.phrase} JSON output: {fault}")
        return _interpret_object(event, document, tool_name)
    if event in _TEXT_IS_CONTEXT:
        return HookOutput(entries=(("context", text),), context=text)
    if event in _TEXT_FAILS:
        return failed_output(_TEXT_FAILS[event])
    return HookOutput()


def _interpret_object(event: Event, document: dict[str, Any], tool_name: str) -> HookOutput:
    message = document.get("systemMessage")
    before: tuple[tuple[EntryKind, str], ...] = () if message is None else (("warning", message),)
    output = _INTERPRETERS.get(event, _observe)(document, tool_name)
    return evolve(output, entries=(*before, *output.entries))


def _start(document: dict[str, Any], _tool_name: str) -> HookOutput:
    context = _specific(document).get("additionalContext")
    return _stop_if_asked(document, HookOutput(entries=_context_entries(context), context=context))


def _subagent_start(document: dict[str, Any], _tool_name: str) -> HookOutput:
    context = _specific(document).get("additionalContext")
    return HookOutput(entries=_context_entries(context), context=context)


def _prompt(document: dict[str, Any], _tool_name: str) -> HookOutput:
    missing = _missing_reason(document, "UserPromptSubmit")
    context = None if missing else _specific(document).get("additionalContext")
    output = HookOutput(entries=_context_entries(context), context=context)
    if document.get("continue") is False:
        return _stop_if_asked(document, output)
    if missing:
        return failed_output(missing)
    if document.get("decision") == "block":
        return _block(output, document["reason"])
    return output


def _before_tool(document: dict[str, Any], _tool_name: str) -> HookOutput:
    if fault := _unsupported_key(document, "PreToolUse") or _unsupported_permission(document):
        return failed_output(fault)
    specific = _specific(document)
    context = specific.get("additionalContext")
    output = HookOutput(entries=_context_entries(context), context=context)
    if specific.get("permissionDecision") == "deny":
        return _block(output, specific["permissionDecisionReason"].strip())
    if not _decides(specific) and document.get("decision") == "block":
        return _block(output, document["reason"].strip())
    if specific.get("updatedInput") is not None:
        if not isinstance(specific["updatedInput"], dict):
            return failed_output("PreToolUse hook returned updatedInput that is no object", unanswered=True)
        output = evolve(output, updated_input=specific["updatedInput"])
    if specific.get("permissionDecision") == "ask":
        return _ask(output, (specific.get("permissionDecisionReason") or "").strip())
    return output


def _permission(document: dict[str, Any], _tool_name: str) -> HookOutput:
    answer = _specific(document).get("decision") or {}
    if fault := _unsupported_key(document, "PermissionRequest"):
        return failed_output(fault)
    for key in ("updatedInput", "updatedPermissions"):
        if answer.get(key) is not None:
            return failed_output(f"PermissionRequest hook returned unsupported {key}")
    if answer.get("interrupt"):
        return failed_output("PermissionRequest hook returned unsupported interrupt:true")
    if answer.get("behavior") == "deny":
        return _block(HookOutput(), (answer.get("message") or "").strip() or _DEFAULT_DENIAL)
    return HookOutput(allows=answer.get("behavior") == "allow")


def _after_tool(document: dict[str, Any], tool_name: str) -> HookOutput:
    specific = _specific(document)
    fault = "PostToolUse hook returned unsupported suppressOutput" if document.get("suppressOutput") else None
    if specific.get("updatedMCPToolOutput") is not None and not tool_name.startswith("mcp__"):
        fault = fault or "PostToolUse hook returned unsupported updatedMCPToolOutput"
    fault = fault or _missing_reason(document, "PostToolUse") or _reason_alone(document)
    context = None if fault else specific.get("additionalContext")
    output = HookOutput(entries=_context_entries(context), context=context)
    if document.get("continue") is False:
        text = document.get("stopReason")
        text = "PostToolUse hook stopped execution" if text is None else text
        reason = (document.get("reason") or "").strip() or text
        return evolve(output, status="stopped", entries=(*output.entries, ("stop", text)), reason=reason)
    if fault:
        return failed_output(fault)
    if document.get("decision") == "block":
        return _block(output, document["reason"])
    if specific.get("updatedMCPToolOutput") is not None:
        return evolve(output, updated_output=specific["updatedMCPToolOutput"])
    return output


def _stop(event_name: str) -> Callable[[dict[str, Any], str], HookOutput]:
    def interpret_stop(document: dict[str, Any], _tool_name: str) -> HookOutput:
        if document.get("continue") is False:
            return _stop_if_asked(document, HookOutput())
        if missing := _missing_reason(document, event_name):
            return failed_output(missing)
        if document.get("decision") == "block":
            return _block(HookOutput(), document["reason"].strip())
        return HookOutput()

    return interpret_stop


def _compact(event_name: str) -> Callable[[dict[str, Any], str], HookOutput]:
    def interpret_compact(document: dict[str, Any], _tool_name: str) -> HookOutput:
        return _stop_if_asked(document, HookOutput(), default=f"{event_name} hook stopped execution")

    return interpret_compact


def _observe(_document: dict[str, Any], _tool_name: str) -> HookOutput:
    return HookOutput()


_INTERPRETERS: dict[Event, Callable[[dict[str, Any], str], HookOutput]] = {
    Event.SESSION_START: _start,
    Event.SUBAGENT_START: _subagent_start,
    Event.USER_PROMPT_SUBMIT: _prompt,
    Event.PRE_TOOL_USE: _before_tool,
    Event.PERMISSION_REQUEST: _permission,
    Event.POST_TOOL_USE: _after_tool,
    Event.STOP: _stop("Stop"),
    Event.SUBAGENT_STOP: _stop("SubagentStop"),
    Event.PRE_COMPACT: _compact("PreCompact"),
    Event.POST_COMPACT: _compact("PostCompact"),
}


def _specific(document: dict[str, Any]) -> dict[str, Any]:
    return document.get("hookSpecificOutput") or {}


def _context_entries(context: str | None) -> tuple[tuple[EntryKind, str], ...]:
    return () if context is None else (("context", context),)


def _stop_if_asked(document: dict[str, Any], output: HookOutput, *, default: str | None = None) -> HookOutput:
    if document.get("continue", True):
        return output
    given = document.get("stopReason")
    shown = default if given is None else given
    entries = output.entries if shown is None else (*output.entries, ("stop", shown))
    return evolve(output, status="stopped", entries=entries, stops=True, stop_reason=given)


def _block(output: HookOutput, reason: str) -> HookOutput:
    return evolve(output, status="blocked", entries=(*output.entries, ("feedback", reason)), reason=reason)


def _ask(output: HookOutput, reason: str) -> HookOutput:
    reason = reason or "a PreToolUse hook asks for a decision by a person"
    return evolve(output, entries=(*output.entries, ("warning", f"a person has to decide: {reason}")), asks=reason)


def _missing_reason(document: dict[str, Any], event_name: str) -> str | None:
    if document.get("decision") != "block" or (document.get("reason") or "").strip():
        return None
    return f"{event_name} hook returned decision:block without a non-empty reason"


def _reason_alone(document: dict[str, Any]) -> str | None:
    if document.get("decision") is not None or document.get("reason") is None or document.get("continue") is False:
        return None
    return "PostToolUse hook returned reason without decision"


def _unsupported_key(document: dict[str, Any], event_name: str) -> str | None:
    found = None
    if document.get("continue") is False:
        found = "continue:false"
    elif document.get("stopReason") is not None:
        found = "stopReason"
    elif document.get("suppressOutput"):
        found = "suppressOutput"
    return found and f"{event_name} hook returned unsupported {found}"


def _decides(specific: dict[str, Any]) -> bool:
    keys = ("permissionDecision", "permissionDecisionReason", "updatedInput")
    return any(specific.get(key) is not None for key in keys)


def _unsupported_permission(document: dict[str, Any]) -> str | None:
    specific = _specific(document)
    if not _decides(specific):
        return _unsupported_decision(document)
    decision = specific.get("permissionDecision")
    if specific.get("updatedInput") is not None:
        wrong = None if decision in {"allow", "ask"} else "updatedInput without permissionDecision:allow"
    elif decision == "ask":
        wrong = None
    elif decision is None:
        wrong = "permissionDecisionReason without permissionDecision"
    elif decision == "deny":
        given = (specific.get("permissionDecisionReason") or "").strip()
        wrong = None if given else "permissionDecision:deny without a non-empty permissionDecisionReason"
    else:
        wrong = f"unsupported permissionDecision:{decision}"
    return wrong and f"PreToolUse hook returned {wrong}"


def _unsupported_decision(document: dict[str, Any]) -> str | None:
    decision = document.get("decision")
    if decision == "approve":
        return "PreToolUse hook returned unsupported decision:approve"
    if decision is None and document.get("reason") is not None:
        return "PreToolUse hook returned reason without decision"
    return _missing_reason(document, "PreToolUse")
