"""The script format of the offline model: what it says and calls, one round for each model request.

A script is JSON: ``{"rounds": [[step, …], …]}`` or the bare list of rounds. Every model request of a thread plays the
next round; after the last one the model says ``done``. A step is an object with one of these keys:

===========  ==========================================================================================================
key          value
===========  ==========================================================================================================
``say``      text of an agent message; ``"phase"`` beside it (``commentary``, ``final_answer``)
``reason``   text of a reasoning summary
``sh``       a command line, or an object of ``exec_command`` arguments with ``cmd``
``stdin``    an object of ``write_stdin`` arguments
``patch``    the text for ``apply_patch`` (a custom tool: the text itself is the input)
``plan``     ``[[step, status], …]`` for ``update_plan``; ``"explanation"`` beside it
``view``     a path for ``view_image``
``web``      the query of a web search that the model's service did itself
``call``     any tool's name; beside it ``"args"`` (an object, or a string sent as it is), ``"custom"``: true for a
             custom tool, ``"namespace"`` and ``"call_id"``
``delay``    seconds to wait before the next step (``sleep`` is the same)
``usage``    token counts of this response: ``input``, ``cached``, ``output``, ``reasoning``
``fail``     what goes wrong here instead of an answer, see below; the rest of the round is not played
===========  ==========================================================================================================

``"call_id"`` may stand beside every step that calls a tool. The text ``$SESSION`` in arguments becomes the number of
the process session that the last tool output named.

``fail`` is an HTTP status (``{"fail": 500}``, alone in its round) or an object: ``status`` with ``message``, ``code``,
``type``, ``retry_after`` and ``headers``; or ``code`` and ``message`` without a status, which is a ``response.failed``
event; or ``incomplete`` with the reason; or ``cut``: ``before_completed`` (the stream ends in good order), ``abrupt``
(the connection breaks) or ``silence`` (nothing more comes). ``"always": true`` plays the same round again for every
later request. Short forms: ``{"http": 500}``, ``{"failed": [code, message]}``, ``{"cut": true}``.

Reading and playing is pure: :func:`parse_script` turns text into a :class:`Script`, :func:`round_events` turns a round
into Responses API stream events. Events whose type begins with ``script.`` are control events for the player
(:data:`DELAY`, :data:`HTTP_ERROR`, :data:`CUT`) and are not part of the stream.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.json_text import parse_json
from codex_hookspecs.values import frozen
from codex_responses.script._events import CUT, DELAY, HTTP_ERROR, USAGE, Step, last_session, round_events

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "CUT",
    "CUTS",
    "DELAY",
    "DONE",
    "HTTP_ERROR",
    "USAGE",
    "Script",
    "Step",
    "last_session",
    "parse_script",
    "round_events",
    "script_from",
]

CUTS: Final = ("before_completed", "abrupt", "silence")
"""Ways in which a stream can end prematurely."""

# key of a step -> (what its value must be, the keys that may stand beside it)
_STEPS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "say": ("text", ("phase",)),
    "reason": ("text", ()),
    "sh": ("text or an object with 'cmd'", ("call_id",)),
    "stdin": ("an object", ("call_id",)),
    "patch": ("text", ("call_id",)),
    "plan": ("a list of [step, status]", ("explanation", "call_id")),
    "view": ("text", ("call_id",)),
    "web": ("text", ()),
    "call": ("text", ("args", "custom", "namespace", "call_id")),
    "delay": ("a number of seconds", ()),
    "usage": ("an object with counts under input, cached, output, reasoning", ()),
    "fail": ("a status from 400 to 599 or an object with status, code, incomplete or cut", ()),
}
_BESIDE: Final[Mapping[str, tuple[type, ...]]] = {
    **dict.fromkeys(("phase", "explanation", "namespace", "call_id"), (str,)),
    "args": (dict, str),
    "custom": (bool,),
}
_BESIDE_WANTED: Final = {
    **dict.fromkeys(_BESIDE, "text"),
    "args": "an object or text",
    "custom": "true or false",
}
_SHORT: Final[Mapping[str, str]] = {"sleep": "delay", "http": "fail", "failed": "fail", "cut": "fail"}
_FAIL_KEYS: Final = (
    "status", "message", "code", "type", "retry_after", "headers", "incomplete", "cut", "always",
)  # fmt: skip


@frozen
class Script:
    """Rounds to play, one for each model request.

    :param rounds: the steps of each round.
    :param after: the steps of every round after the last one, ``done`` is said when ``None``.
    """

    rounds: tuple[tuple[Step, ...], ...]
    after: tuple[Step, ...] | None = None

    def round(self, index: int) -> tuple[Step, ...]:
        """Return the steps for a model request.

        :param index: number of earlier requests.
        :return: the steps; a round that fails ``always`` is repeated forever.
        """
        for steps in self.rounds[: index + 1]:
            if any(step.kind == "fail" and step.value.get("always") for step in steps):
                return steps
        return self.rounds[index] if index < len(self.rounds) else self.after or DONE


DONE: Final = (Step("say", "done"),)
"""The default round after the last one."""


def parse_script(text: str | bytes) -> Script:
    """Read a script.

    :param text: JSON as the module describes it.
    :return: the script.
    :raises ConfigError: when it is invalid; names round and step (counted from 1).
    """
    try:
        found = parse_json(text)
    except ValueError as error:
        raise ConfigError(f"the script is not JSON: {error}") from None
    return script_from(found)


def script_from(found: object) -> Script:
    """Make a script from decoded JSON; see :func:`parse_script`.

    :param found: the object with ``rounds`` or the list of rounds.
    :raises ConfigError: when it is invalid.
    """
    if isinstance(found, dict):
        unknown = sorted(set(found) - {"rounds", "description"})
        if unknown or "rounds" not in found:
            what = f"unknown key {unknown[0]!r}" if unknown else "no key 'rounds'"
            raise ConfigError(f"the script has {what}; allowed: 'rounds', 'description'")
        found = found["rounds"]
    if not isinstance(found, list):
        raise ConfigError(f"a script is a list of rounds or an object with 'rounds', found {_kind(found)}")
    return Script(tuple(_round(number, steps) for number, steps in enumerate(found, 1)))


def _round(number: int, found: object) -> tuple[Step, ...]:
    if not isinstance(found, list):
        raise ConfigError(f"round {number}: a round is a list of steps, found {_kind(found)}")
    steps = tuple(_step(f"round {number}, step {place}", step) for place, step in enumerate(found, 1))
    said = [step.kind for step in steps if step.kind not in {"delay", "usage"}]
    if said[1:] and any(step.kind == "fail" and "status" in step.value for step in steps):
        raise ConfigError(f"round {number}: an HTTP failure is the whole answer, found it together with {said[0]!r}")
    return steps


def _step(where: str, found: object) -> Step:
    if not isinstance(found, dict):
        raise ConfigError(f"{where}: a step is an object, found {_kind(found)}")
    kinds = [key for key in found if key in _STEPS or key in _SHORT]
    if len(kinds) != 1:
        what = " and ".join(map(repr, kinds)) if kinds else f"none of them in {', '.join(map(repr, found)) or 'it'}"
        raise ConfigError(f"{where}: found {what}; a step has exactly one of {', '.join(_STEPS)}")
    key = kinds[0]
    kind = _SHORT.get(key, key)
    value, (wanted, beside) = found[key], _STEPS[kind]
    for other in found:
        if other != key and other not in beside:
            allowed = ", ".join(map(repr, beside)) or "nothing"
            raise ConfigError(f"{where}: {other!r} cannot stand beside {key!r}; allowed: {allowed}")
        if other != key and not isinstance(found[other], _BESIDE[other]):
            raise ConfigError(f"{where}: {other!r} must be {_BESIDE_WANTED[other]}, found {_kind(found[other])}")
    value = _unshorten(key, value)
    if not _CHECKS[kind](value):
        raise ConfigError(f"{where}: {key!r} must be {wanted}, found {json.dumps(found[key])[:80]}")
    return Step(kind, value, extra={other: found[other] for other in beside if other in found})


def _unshorten(key: str, value: Any) -> Any:
    if key == "failed":
        pair = isinstance(value, list) and len(value) == 2
        return {"code": value[0], "message": value[1]} if pair else None
    if key == "cut":
        return {"cut": CUTS[0] if value is True else value}
    if key in {"fail", "http"} and isinstance(value, int) and not isinstance(value, bool):
        return {"status": value}
    if key == "sh" and isinstance(value, str):
        return {"cmd": value}
    return value


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_plan(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair) for pair in value
    )


def _is_seconds(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _is_usage(value: Any) -> bool:
    return isinstance(value, dict) and all(key in USAGE and isinstance(count, int) for key, count in value.items())


def _is_failure(value: Any) -> bool:
    if not isinstance(value, dict) or not set(value) <= set(_FAIL_KEYS):
        return False
    if "cut" in value:
        return value["cut"] in CUTS
    if "status" in value:
        return isinstance(value["status"], int) and 400 <= value["status"] <= 599
    return isinstance(value.get("code"), str) or isinstance(value.get("incomplete"), str)


_CHECKS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "say": _is_text,
    "reason": _is_text,
    "patch": _is_text,
    "view": _is_text,
    "web": _is_text,
    "call": _is_text,
    "sh": lambda value: isinstance(value, dict) and isinstance(value.get("cmd"), str),
    "stdin": lambda value: isinstance(value, dict),
    "plan": _is_plan,
    "delay": _is_seconds,
    "usage": _is_usage,
    "fail": _is_failure,
}


def _kind(found: object) -> str:
    if found is None or isinstance(found, bool):
        return json.dumps(found)
    return {"dict": "an object", "list": "a list", "str": "text"}.get(type(found).__name__, "a number")
