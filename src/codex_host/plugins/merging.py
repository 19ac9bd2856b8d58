"""Merge the verdicts of several implementations into one, by the merge rule of the hook's specification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

if TYPE_CHECKING:
    from codex_hookspecs.markers import Merge
    from codex_hookspecs.types.lifecycle import Verdict
    from codex_hookspecs.types.policy import PolicyDecision

V = TypeVar("V", bound="Verdict | PolicyDecision")

_BEHAVIORS = ("deny", "ask", "allow")
"""Behaviors of a permission verdict, strictest first."""


def merge_verdicts(rule: Merge, verdict: type[V], answers: Sequence[V]) -> V:
    """Merge verdicts in order: tuples are concatenated, of any other field the first value that is set is used.

    :param rule: with ``any_block``, only the strictest verdicts are merged if the verdict has a ``behavior``; a refusal
        in a separate field survives under either rule.
    """
    if rule == "any_block":
        answers = _strictest(answers)
    values: dict[str, Any] = {}
    for attribute in attrs.fields(verdict):
        found = [getattr(answer, attribute.name) for answer in answers]
        if isinstance(attribute.default, tuple):
            values[attribute.name] = tuple(part for parts in found for part in parts)
        else:
            values[attribute.name] = next((value for value in found if value is not None), None)
    return verdict(**values)


def _strictest(answers: Sequence[V]) -> Sequence[V]:
    for behavior in _BEHAVIORS:
        found = [answer for answer in answers if getattr(answer, "behavior", None) == behavior]
        if found:
            return found
    return answers
