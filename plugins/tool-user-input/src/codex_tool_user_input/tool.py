"""The tool ``request_user_input``: put questions of the agent to the user (app-server protocol v2, 0.118)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from codex_hookspecs.errors import RpcError, ToolError
from codex_hookspecs.json_text import parse_json
from codex_hookspecs.tools import ToolCall, ToolOutput

if TYPE_CHECKING:
    from logging import Logger

    from codex_hookspecs.protocol import JsonObject
    from codex_hookspecs.tools import ToolContext

METHOD: Final = "item/tool/requestUserInput"
_NAME: Final = "request_user_input"
_MODES: Final = {"plan": "Plan", "default": "Default"}


async def request_user_input(call: ToolCall, context: ToolContext, log: Logger) -> ToolOutput:
    """Put the questions of a call to the thread's clients and return the user's answers.

    :param log: told of answers that are not valid; they count as none.
    :raises ToolError: outside of plan mode, and when the arguments are invalid.
    """
    mode = (context.settings.collaboration_mode or {}).get("mode", "default")
    if mode != "plan":
        raise ToolError(f"{_NAME} is unavailable in {_MODES.get(str(mode), str(mode))} mode")
    questions = read_questions(call.arguments)
    params: JsonObject = {
        "threadId": context.thread.id,
        "turnId": context.turn_id,
        "itemId": call.call_id,
        "questions": questions,
        "isBlocking": True,
    }
    answers: JsonObject = {}
    try:
        answer = await context.ask_client(METHOD, params)
        answers = read_answers(answer)
    except RpcError as error:
        log.info("thread %s: %s was answered with an error: %s", context.thread.id, METHOD, error)
    except ValueError as error:
        log.error("thread %s: the client's answer to %s is not valid: %s", context.thread.id, METHOD, error)  # noqa: TRY400
    return ToolOutput(json.dumps({"answers": answers}, ensure_ascii=False, separators=(",", ":")))


def read_questions(arguments: str) -> list[JsonObject]:
    """Return the questions of a call in the form for clients.

    :raises ToolError: when they are invalid.
    """
    try:
        value = parse_json(arguments)
    except ValueError as error:
        raise ToolError(f"failed to parse function arguments: {error}") from error
    questions = [_question(each) for each in _list(value, "questions")]
    if not all(question["options"] for question in questions):
        raise ToolError(f"{_NAME} requires non-empty options for every question")
    return questions


def read_answers(answer: object) -> JsonObject:
    """Return the answers by question in the form for the model.

    :raises ValueError: when the client's answer is invalid.
    """
    answers = answer.get("answers") if isinstance(answer, dict) else None
    if not isinstance(answers, dict):
        raise ValueError("it has no object `answers`")  # noqa: TRY004
    found = {}
    for name, given in answers.items():
        texts = given.get("answers") if isinstance(given, dict) else None
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"the answers to `{name}` are no list of texts")
        found[name] = {"answers": texts}
    return found


def _question(value: Any) -> JsonObject:
    options = value.get("options") if isinstance(value, dict) else None
    return {
        "id": _text(value, "id"),
        "header": _text(value, "header"),
        "question": _text(value, "question"),
        "isOther": True,
        "isSecret": False,
        "options": [
            {"label": _text(option, "label"), "description": _text(option, "description")}
            for option in ([] if options is None else _list(value, "options"))
        ],
    }


def _list(value: Any, name: str) -> list[Any]:
    found = value.get(name) if isinstance(value, dict) else None
    if not isinstance(found, list):
        raise ToolError(f"failed to parse function arguments: missing or invalid field `{name}`, a list is expected")
    return found


def _text(value: Any, name: str) -> str:
    found = value.get(name) if isinstance(value, dict) else None
    if not isinstance(found, str):
        raise ToolError(f"failed to parse function arguments: missing or invalid field `{name}`, a text is expected")
    return found
