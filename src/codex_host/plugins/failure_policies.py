"""Decide what the failure of an implementation means: its specification says so, and settings of the user change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from codex_hookspecs.naming import snake

if TYPE_CHECKING:
    from codex_hookspecs.markers import HookPolicy, OnError
    from codex_hookspecs.types.lifecycle import Verdict

V = TypeVar("V", bound="Verdict")


class FailurePolicies:
    """What failures mean, by hook.

    :param policies: of all hooks.
    :param closed: names from ``hooks.fail_closed``, in either spelling: ``PreToolUse`` or ``pre_tool_use``.
    :param open: names from ``hooks.fail_open``; ``closed`` goes before it.
    :ivar warnings: names in the lists that are no events.
    """

    def __init__(self, policies: Mapping[str, HookPolicy], *, closed: Sequence[str], open: Sequence[str]) -> None:  # noqa: A002
        self._policies = policies
        self._chosen: dict[str, OnError] = {}
        self.warnings: list[str] = []
        self._choose(open, "skip", "hooks.fail_open")
        self._choose(closed, "block", "hooks.fail_closed")

    def is_gate(self, hook: str) -> bool:
        """Tell whether failures of a hook keep anything from being done."""
        return (self._chosen.get(hook) or self._policies[hook].on_error) != "skip"

    def answer(self, hook: str, verdict: type[V], message: str) -> V | None:
        """Return what an implementation that failed is taken to have answered.

        :param message: what is told of the failure.
        """
        meaning = self._chosen.get(hook) or self._policies[hook].on_error
        if meaning == "skip":
            return None
        return verdict.refusal(message) if meaning == "block" else verdict.doubt(message)

    def _choose(self, names: Sequence[str], meaning: OnError, key: str) -> None:
        for name in names:
            hook = snake(name)
            policy = self._policies.get(hook)
            if policy is None or policy.kind != "event":
                self.warnings.append(f"{key} names {name!r}, which is no event{self._near(hook)}; it has no effect")
            else:
                self._chosen[hook] = meaning

    def _near(self, hook: str) -> str:
        from difflib import get_close_matches

        events = [name for name, policy in self._policies.items() if policy.kind == "event"]
        near = get_close_matches(hook, events, n=1)
        return f" (did you mean {near[0]!r}?)" if near else ""
