"""Decide the effect of a failed implementation, from its hook's specification and the user's settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from codex_hookspecs.wire._names import snake

if TYPE_CHECKING:
    from codex_hookspecs.markers import HookPolicy, OnError

V = TypeVar("V", bound="Refusing")


class Refusing(Protocol):
    """A verdict class with instances that stand for a failed implementation."""

    @classmethod
    def refusal(cls, message: str) -> Self: ...

    @classmethod
    def confirmation(cls, message: str) -> Self: ...


class FailurePolicies:
    """The effect of failures, by hook.

    ``hooks.fail_closed`` and ``hooks.fail_open`` of a thread's configuration override the specification; names are
    spelt ``PreToolUse`` or ``pre_tool_use``, and ``fail_closed`` takes precedence.

    :param policies: policies of all hooks.
    """

    def __init__(self, policies: Mapping[str, HookPolicy]) -> None:
        self._policies = policies

    def is_gate(self, hook: str, config: Mapping[str, Any]) -> bool:
        """Return whether a failure of a hook blocks what it is called for."""
        return self._meaning(hook, config) != "skip"

    def answer(self, hook: str, verdict: type[V], message: str, config: Mapping[str, Any]) -> V | None:
        """Return the verdict that a failed implementation counts as.

        :param message: description of the failure.
        """
        meaning = self._meaning(hook, config)
        if meaning == "skip":
            return None
        return verdict.refusal(message) if meaning == "block" else verdict.confirmation(message)

    def warnings(self, config: Mapping[str, Any]) -> Iterator[str]:
        """Yield problems of the two lists: unknown names, and events that can't refuse anything."""
        for key in ("fail_open", "fail_closed"):
            for name in _list(config, key):
                hook = snake(name)
                policy = self._policies.get(hook)
                if policy is None or not (policy.kind == "event" or policy.refuses):
                    yield f"hooks.{key} names {name!r}, which is no event{self._near(hook)}; it has no effect"
                elif key == "fail_closed" and not policy.refuses:
                    refusing = ", ".join(name for name, policy in self._policies.items() if policy.refuses)
                    yield f"hooks.{key} names {name!r}, which has nothing to refuse; events that have: {refusing}"

    def _meaning(self, hook: str, config: Mapping[str, Any]) -> OnError:
        if config.get("hooks"):
            if hook in map(snake, _list(config, "fail_closed")):
                return "block"
            if hook in map(snake, _list(config, "fail_open")):
                return "skip"
        return self._policies[hook].on_error

    def _near(self, hook: str) -> str:
        from difflib import get_close_matches

        events = [name for name, policy in self._policies.items() if policy.kind == "event"]
        near = get_close_matches(hook, events, n=1)
        return f" (did you mean {near[0]!r}?)" if near else ""


def _list(config: Mapping[str, Any], key: str) -> list[str]:
    hooks = config.get("hooks")
    found: list[str] = hooks.get(key, []) if isinstance(hooks, Mapping) else []
    return found
