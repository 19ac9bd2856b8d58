"""Turn the end of a handler's process into what it means for its event (rules of Codex 0.169)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve

from .events import Event
from .outcomes import EntryKind, Finished, Outcome, failed
from .refusals import GATES, Refusal, Tangled, refusal_in
from .shape import read_object

_REFUSALS = {
    Event.USER_PROMPT_SUBMIT: "a blocking reason",
    Event.PRE_TOOL_USE: "a blocking reason",
    Event.PERMISSION_REQUEST: "a denial reason",
    Event.POST_TOOL_USE: "feedback",
    Event.STOP: "a continuation prompt",
    Event.SUBAGENT_STOP: "a continuation prompt",
}
"""Events whose handlers refuse with exit status 2, and what they have to write to standard error then."""

_TEXT_IS_CONTEXT = frozenset({Event.SESSION_START, Event.SUBAGENT_START, Event.USER_PROMPT_SUBMIT})
_TEXT_FAILS = {
    Event.STOP: "hook returned invalid stop hook JSON output",
    Event.SUBAGENT_STOP: "hook returned invalid subagent stop hook JSON output",
    Event.INTERRUPT: "Interrupt hook returned non-JSON stdout",
}
_STDERR_IS_ERROR = frozenset({Event.PRE_COMPACT, Event.POST_COMPACT, Event.PRE_MODEL_REQUEST, Event.POST_MODEL_REQUEST})
_SILENT = frozenset({Event.PRE_MODEL_REQUEST, Event.POST_MODEL_REQUEST, Event.SESSION_END})
"""Events whose handlers only watch: what they print counts for nothing."""

_DENIED_WITHOUT_MESSAGE = "PermissionRequest hook denied approval"


_CUT = "hook wrote more to standard output than is read, its answer was cut"
_REFUSED = 2
"""Exit status of a handler that refuses."""
_NOT_STARTED = (126, 127)
"""What a shell ends with when it can't start a command."""


def judge(event: Event, finished: Finished, *, tool_name: str = "") -> Outcome:
    """Say what a finished run means.

    :param tool_name: the tool, for events that are about one.
    """
    outcome = _judge(event, finished, tool_name)
    if outcome.reason is not None or outcome.asks is not None or outcome.stops:
        return outcome
    fits = outcome.status != "failed" and finished.stdout.lstrip().startswith("{")
    if event not in GATES and (fits or finished.exit_code != 0 or finished.error is not None):
        return outcome
    try:
        refusal = refusal_in(event, finished.stdout)
    except Tangled:
        return failed("hook returned output that can't be read", unanswered=True)
    if event in GATES and finished.exit_code == _REFUSED:
        text = finished.stdout.strip()
        said = "" if text.startswith(("{", "[")) else text
        refusal = Refusal("deny", said) if refusal is None else refusal._replace(kind="deny")
    return outcome if refusal is None else _recognised(event, outcome, refusal)


def _recognised(event: Event, outcome: Outcome, refusal: Refusal) -> Outcome:
    """Return the refusal that a handler meant when it answered something that does not fit."""
    faults = [text for kind, text in outcome.entries if kind == "error"] or ["the answer does not fit the event"]
    if refusal.is_python:
        faults = ["the answer is a Python value where JSON is expected (print it with json.dumps)"]
    warnings = [(kind, text) for kind, text in outcome.entries if kind == "warning"]
    meant = "denial" if refusal.kind == "deny" else "wish to ask"
    entries: list[tuple[EntryKind, str]] = [
        *warnings,
        *(("warning", f"{fault}; it is taken as the {meant} that it holds") for fault in faults),
    ]
    if refusal.kind == "ask":
        return _asking(Outcome(entries=tuple(entries)), refusal.reason)
    return _blocked(Outcome(entries=tuple(entries)), refusal.reason or f"a {event.facts.name} hook gave no reason")


def _judge(event: Event, finished: Finished, tool_name: str) -> Outcome:
    if finished.error is not None:
        return failed(finished.error, unanswered=True)
    code, said = finished.exit_code, finished.stderr.strip()
    if code == 0:
        text = finished.stdout.strip()
        return _judge_cut(event, text, tool_name) if finished.cut else _judge_output(event, text, tool_name)
    if code == _REFUSED and event in _REFUSALS:
        if not said:
            name, wanted = event.facts.name, _REFUSALS[event]
            return failed(f"{name} hook exited with code 2 but did not write {wanted} to stderr")
        return Outcome(status="blocked", entries=(("feedback", said),), reason=said)
    if code is None or (ending := _signal_name(code)) is not None:
        how = "" if code is None else f" ({ending} ended it)"
        compacts = event in _STDERR_IS_ERROR
        words = "process terminated without an exit" if compacts else "exited without a status"
        return failed(f"hook {words} code{how}", unanswered=True)
    if said and event in _STDERR_IS_ERROR:
        return failed(said)
    if code in _NOT_STARTED:
        return failed(f"hook exited with code {code} (a command in it could not be started)", unanswered=True)
    return failed(f"hook exited with code {code}")


def _signal_name(code: int) -> str | None:
    """Return which signal an exit status of a shell tells of."""
    from signal import NSIG, Signals

    number = code - 128
    try:
        return Signals(number).name
    except ValueError:
        return f"signal {number}" if 0 < number < NSIG else None


def _judge_cut(event: Event, text: str, tool_name: str) -> Outcome:
    if event in GATES:
        return failed(_CUT, unanswered=True)
    if text.startswith(("{", "[")):
        return _blocked(Outcome(), _CUT) if event is Event.USER_PROMPT_SUBMIT else failed(_CUT)
    outcome = _judge_output(event, text, tool_name)
    return evolve(outcome, entries=(("warning", _CUT), *outcome.entries))


def _judge_output(event: Event, text: str, tool_name: str) -> Outcome:
    if not text or event in _SILENT:
        return Outcome()
    if text.startswith(("{", "[")):
        document, fault = read_object(event, text)
        if document is None:
            return failed(f"hook returned invalid {event.facts.phrase} JSON output: {fault}")
        return _judge_object(event, document, tool_name)
    if event in _TEXT_IS_CONTEXT:
        return Outcome(entries=(("context", text),), context=text)
    if event in _TEXT_FAILS:
        return failed(_TEXT_FAILS[event])
    return Outcome()


def _judge_object(event: Event, document: dict[str, Any], tool_name: str) -> Outcome:
    message = document.get("systemMessage")
    before: tuple[tuple[EntryKind, str], ...] = () if message is None else (("warning", message),)
    outcome = _JUDGES.get(event, _observe)(document, tool_name)
    return evolve(outcome, entries=(*before, *outcome.entries))


def _start(document: dict[str, Any], _tool_name: str) -> Outcome:
    context = _specific(document).get("additionalContext")
    return _stopping(document, Outcome(entries=_context_entries(context), context=context))


def _subagent_start(document: dict[str, Any], _tool_name: str) -> Outcome:
    context = _specific(document).get("additionalContext")
    return Outcome(entries=_context_entries(context), context=context)


def _prompt(document: dict[str, Any], _tool_name: str) -> Outcome:
    missing = _missing_reason(document, "UserPromptSubmit")
    context = None if missing else _specific(document).get("additionalContext")
    outcome = Outcome(entries=_context_entries(context), context=context)
    if document.get("continue") is False:
        return _stopping(document, outcome)
    if missing:
        return failed(missing)
    if document.get("decision") == "block":
        return _blocked(outcome, document["reason"])
    return outcome


def _before_tool(document: dict[str, Any], _tool_name: str) -> Outcome:
    if fault := _unsupported(document, "PreToolUse") or _unsupported_permission(document):
        return failed(fault)
    specific = _specific(document)
    context = specific.get("additionalContext")
    outcome = Outcome(entries=_context_entries(context), context=context)
    if specific.get("permissionDecision") == "deny":
        return _blocked(outcome, specific["permissionDecisionReason"].strip())
    if not _decides(specific) and document.get("decision") == "block":
        return _blocked(outcome, document["reason"].strip())
    if specific.get("updatedInput") is not None:
        if not isinstance(specific["updatedInput"], dict):
            return failed("PreToolUse hook returned updatedInput that is no object", unanswered=True)
        outcome = evolve(outcome, updated_input=specific["updatedInput"])
    if specific.get("permissionDecision") == "ask":
        return _asking(outcome, (specific.get("permissionDecisionReason") or "").strip())
    return outcome


def _permission(document: dict[str, Any], _tool_name: str) -> Outcome:
    answer = _specific(document).get("decision") or {}
    if fault := _unsupported(document, "PermissionRequest"):
        return failed(fault)
    for key in ("updatedInput", "updatedPermissions"):
        if answer.get(key) is not None:
            return failed(f"PermissionRequest hook returned unsupported {key}")
    if answer.get("interrupt"):
        return failed("PermissionRequest hook returned unsupported interrupt:true")
    if answer.get("behavior") == "deny":
        return _blocked(Outcome(), (answer.get("message") or "").strip() or _DENIED_WITHOUT_MESSAGE)
    return Outcome(allows=answer.get("behavior") == "allow")


def _after_tool(document: dict[str, Any], tool_name: str) -> Outcome:
    specific = _specific(document)
    fault = "PostToolUse hook returned unsupported suppressOutput" if document.get("suppressOutput") else None
    if specific.get("updatedMCPToolOutput") is not None and not tool_name.startswith("mcp__"):
        fault = fault or "PostToolUse hook returned unsupported updatedMCPToolOutput"
    fault = fault or _missing_reason(document, "PostToolUse") or _reason_alone(document)
    context = None if fault else specific.get("additionalContext")
    outcome = Outcome(entries=_context_entries(context), context=context)
    if document.get("continue") is False:
        text = document.get("stopReason")
        text = "PostToolUse hook stopped execution" if text is None else text
        reason = (document.get("reason") or "").strip() or text
        return evolve(outcome, status="stopped", entries=(*outcome.entries, ("stop", text)), reason=reason)
    if fault:
        return failed(fault)
    if document.get("decision") == "block":
        return _blocked(outcome, document["reason"])
    if specific.get("updatedMCPToolOutput") is not None:
        return evolve(outcome, updated_output=specific["updatedMCPToolOutput"])
    return outcome


def _stop(event_name: str) -> Callable[[dict[str, Any], str], Outcome]:
    def judge_stop(document: dict[str, Any], _tool_name: str) -> Outcome:
        if document.get("continue") is False:
            return _stopping(document, Outcome())
        if missing := _missing_reason(document, event_name):
            return failed(missing)
        if document.get("decision") == "block":
            return _blocked(Outcome(), document["reason"].strip())
        return Outcome()

    return judge_stop


def _compact(event_name: str) -> Callable[[dict[str, Any], str], Outcome]:
    def judge_compact(document: dict[str, Any], _tool_name: str) -> Outcome:
        return _stopping(document, Outcome(), default=f"{event_name} hook stopped execution")

    return judge_compact


def _observe(_document: dict[str, Any], _tool_name: str) -> Outcome:
    return Outcome()


_JUDGES: dict[Event, Callable[[dict[str, Any], str], Outcome]] = {
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


def _stopping(document: dict[str, Any], outcome: Outcome, *, default: str | None = None) -> Outcome:
    if document.get("continue", True):
        return outcome
    given = document.get("stopReason")
    shown = default if given is None else given
    entries = outcome.entries if shown is None else (*outcome.entries, ("stop", shown))
    return evolve(outcome, status="stopped", entries=entries, stops=True, stop_reason=given)


def _blocked(outcome: Outcome, reason: str) -> Outcome:
    return evolve(outcome, status="blocked", entries=(*outcome.entries, ("feedback", reason)), reason=reason)


def _asking(outcome: Outcome, reason: str) -> Outcome:
    reason = reason or "a PreToolUse hook wants a person to decide"
    return evolve(outcome, entries=(*outcome.entries, ("warning", f"a person shall decide: {reason}")), asks=reason)


def _missing_reason(document: dict[str, Any], event_name: str) -> str | None:
    if document.get("decision") != "block" or (document.get("reason") or "").strip():
        return None
    return f"{event_name} hook returned decision:block without a non-empty reason"


def _reason_alone(document: dict[str, Any]) -> str | None:
    if document.get("decision") is not None or document.get("reason") is None or document.get("continue") is False:
        return None
    return "PostToolUse hook returned reason without decision"


def _unsupported(document: dict[str, Any], event_name: str) -> str | None:
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
