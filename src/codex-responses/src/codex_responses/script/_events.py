"""Responses API stream events of a scripted round; the public names are in :mod:`codex_responses.script.steps`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from attrs import field

from codex_hookspecs.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


DELAY: Final = "script.delay"
"""Control event: wait ``seconds``."""
HTTP_ERROR: Final = "script.http_error"
"""Control event: respond with ``status``, ``headers`` and the JSON ``body`` instead of a stream."""
CUT: Final = "script.cut"
"""Control event: end the stream as given by ``how``."""
USAGE: Final = {"input": 120, "cached": 20, "output": 12, "reasoning": 2}
"""Default token counts of a response."""

_CHUNKS: Final = 6
_SESSION: Final = re.compile(r"Process running with session ID (\d+)")


@frozen
class Step:
    """One action of the model.

    :param kind: a key of the table in :mod:`codex_responses.script.steps`, short forms replaced.
    :param value: the value under that key.
    :param extra: the other keys of the step.
    """

    kind: str
    value: Any
    extra: Mapping[str, Any] = field(factory=dict, kw_only=True)


def round_events(
    steps: Iterable[Step],
    number: int,
    *,
    session: str | None = None,
    model: str = "scripted",
) -> tuple[dict[str, Any], ...]:
    """Convert a round to the stream events of one model response.

    :param steps: the round.
    :param number: number of the request within its thread, used in ids (``msg_0_1``, ``call_0_2``, …).
    :param session: value of ``$SESSION``, see :func:`last_session`.
    :param model: model name in the response.
    :return: Responses API events from ``response.created`` to ``response.completed``, including control events;
        a round that fails has no ``response.completed``, one that is an HTTP failure no stream event at all.
    """
    response = {"id": f"resp_{number}", "object": "response", "model": model}
    events: list[dict[str, Any]] = [{"type": "response.created", "response": {**response, "status": "in_progress"}}]
    usage = dict(USAGE)
    output: list[dict[str, Any]] = []
    for step in steps:
        if step.kind == "fail":
            failure = _failure(step.value, response)
            return (*(events[1:] if failure["type"] == HTTP_ERROR else events), failure)
        if step.kind == "delay":
            events.append({"type": DELAY, "seconds": step.value})
        elif step.kind == "usage":
            usage.update(step.value)
        else:
            place = len(output)
            item = _ITEMS[step.kind](step, f"{number}_{place}", session)
            output.append(item)
            events += _item_events(item, place)
    done = {**response, "status": "completed", "output": output, "usage": _usage(usage)}
    return (*events, {"type": "response.completed", "response": done})


def last_session(items: Iterable[Mapping[str, Any]]) -> str | None:
    """Find the process session in the newest tool output of a model request.

    :param items: the request's ``input``.
    :return: the number as text, or None.
    """
    for item in reversed(list(items)):
        if str(item.get("type", "")).endswith("_call_output"):
            output = item.get("output")
            found = _SESSION.search(output if isinstance(output, str) else json.dumps(output))
            if found:
                return found[1]
    return None


def _message(step: Step, ident: str, _session: str | None) -> dict[str, Any]:
    content = [{"type": "output_text", "text": step.value, "annotations": []}]
    return {"type": "message", "id": f"msg_{ident}", "role": "assistant", "content": content, **step.extra}


def _reasoning(step: Step, ident: str, _session: str | None) -> dict[str, Any]:
    summary = [{"type": "summary_text", "text": step.value}]
    return {"type": "reasoning", "id": f"rs_{ident}", "summary": summary, "content": None, "encrypted_content": None}


def _search(step: Step, ident: str, _session: str | None) -> dict[str, Any]:
    action = {"type": "search", "query": step.value}
    return {"type": "web_search_call", "id": f"ws_{ident}", "status": "completed", "action": action}


def _tool_call(step: Step, ident: str, session: str | None) -> dict[str, Any]:
    name, args = _tool(step)
    if isinstance(args, str):
        text = args if session is None else args.replace("$SESSION", session)
    else:
        text = json.dumps(_fill(args, session), ensure_ascii=False)
    call_id = step.extra.get("call_id", f"call_{ident}")
    custom = step.kind == "patch" or step.extra.get("custom")
    item: dict[str, Any] = {"type": "custom_tool_call" if custom else "function_call", "id": f"fc_{ident}"}
    item |= {"status": "completed"} if custom else {}
    item |= {"call_id": call_id, "name": name, "input" if custom else "arguments": text}
    if "namespace" in step.extra:
        item["namespace"] = step.extra["namespace"]
    return item


def _tool(step: Step) -> tuple[str, Any]:
    value = step.value
    if step.kind == "call":
        return value, step.extra.get("args", {})
    if step.kind == "plan":
        extra = {key: step.extra[key] for key in ("explanation",) if key in step.extra}
        return "update_plan", {**extra, "plan": [{"step": text, "status": status} for text, status in value]}
    if step.kind == "view":
        return "view_image", {"path": value}
    return {"sh": "exec_command", "stdin": "write_stdin", "patch": "apply_patch"}[step.kind], value


def _fill(args: Any, session: str | None) -> Any:
    if args == "$SESSION" and session is not None:
        return int(session)
    if isinstance(args, dict):
        return {key: _fill(value, session) for key, value in args.items()}
    return args


_ITEMS: Final[Mapping[str, Callable[[Step, str, str | None], dict[str, Any]]]] = {
    "say": _message,
    "reason": _reasoning,
    "web": _search,
    **dict.fromkeys(("sh", "stdin", "patch", "plan", "view", "call"), _tool_call),
}


def _item_events(item: dict[str, Any], place: int) -> Iterable[dict[str, Any]]:
    at = {"output_index": place, "item_id": item["id"]}
    kind = item["type"]
    if kind == "message":
        text, begun = item["content"][0]["text"], {**item, "content": []}
        delta = {"type": "response.output_text.delta", **at, "content_index": 0}
    elif kind == "reasoning":
        text, begun = item["summary"][0]["text"], {**item, "summary": []}
        delta = {"type": "response.reasoning_summary_text.delta", **at, "summary_index": 0}
    elif kind == "custom_tool_call":
        text, begun = item["input"], {**item, "input": ""}
        delta = {"type": "response.custom_tool_call_input.delta", **at, "call_id": item["call_id"]}
    elif kind == "function_call":
        text, begun = item["arguments"], {**item, "arguments": ""}
        delta = {"type": "response.function_call_arguments.delta", **at}
    else:
        text, begun, delta = "", {**item, "status": "in_progress"}, {}
    yield {"type": "response.output_item.added", "output_index": place, "item": begun}
    if kind == "reasoning":
        part = {"type": "summary_text", "text": ""}
        yield {"type": "response.reasoning_summary_part.added", **at, "summary_index": 0, "part": part}
    size = max(12, -(-len(text) // _CHUNKS))
    for start in range(0, len(text), size):
        yield {**delta, "delta": text[start : start + size]}
    yield {"type": "response.output_item.done", "output_index": place, "item": item}


def _failure(value: Mapping[str, Any], response: dict[str, Any]) -> dict[str, Any]:
    if "cut" in value:
        return {"type": CUT, "how": value["cut"]}
    error = {key: value[key] for key in ("code", "message", "type") if key in value}
    if "status" in value:
        headers = dict(value.get("headers", {}))
        if "retry_after" in value:
            headers["retry-after"] = str(value["retry_after"])
        error.setdefault("message", f"scripted failure {value['status']}")
        return {"type": HTTP_ERROR, "status": value["status"], "headers": headers, "body": {"error": error}}
    if "incomplete" in value:
        details = {"reason": value["incomplete"]}
        return {
            "type": "response.incomplete",
            "response": {**response, "status": "incomplete", "incomplete_details": details},
        }
    return {"type": "response.failed", "response": {**response, "status": "failed", "error": error}}


def _usage(counts: Mapping[str, int]) -> dict[str, Any]:
    return {
        "input_tokens": counts["input"],
        "input_tokens_details": {"cached_tokens": counts["cached"]},
        "output_tokens": counts["output"],
        "output_tokens_details": {"reasoning_tokens": counts["reasoning"]},
        "total_tokens": counts["input"] + counts["output"],
    }
