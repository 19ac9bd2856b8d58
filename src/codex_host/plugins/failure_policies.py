"""Decide what the failure of an implementation means: its specification says so, and settings of the user change it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from codex_hookspecs.wire._names import snake

if TYPE_CHECKING:
    from codex_hookspecs.markers import HookPolicy, OnError

V = TypeVar("V", bound="Refusing")


class Refusing(Protocol):
    """A class of answers that can be given in place of an implementation that failed."""

    @classmethod
    def refusal(cls, message: str) -> Self: ...

    @classmethod
    def doubt(cls, message: str) -> Self: ...


class FailurePolicies:
    """What failures mean, by hook.

    The lists ``hooks.fail_closed`` and ``hooks.fail_open`` of a thread's configuration change it; names in them are
    spelt ``PreToolUse`` or ``pre_tool_use``, and the first list goes before the second.

    :param policies: of all hooks.
    """

    def __init__(self, policies: Mapping[str, HookPolicy]) -> None:
        self._policies = policies

    def is_gate(self, hook: str, config: Mapping[str, Any]) -> bool:
        """Tell whether failures of a hook keep anything from being done."""
        return self._meaning(hook, config) != "skip"

    def answer(self, hook: str, verdict: type[V], message: str, config: Mapping[str, Any]) -> V | None:
        """Return what an implementation that failed is taken to have answered.

        :param message: what is told of the failure.
        """
        meaning = self._meaning(hook, config)
        if meaning == "skip":
            return None
        return verdict.refusal(message) if meaning == "block" else verdict.doubt(message)

    def warnings(self, config: Mapping[str, Any]) -> Iterator[str]:
        """Iterate what is wrong with the lists: names that are no events, or events that refuse nothing."""
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
