"""Declare hook specifications of three kinds, each with its policy, and mark their implementations.

``@offer`` is called when a thing is wanted and collects contributions; ``@choose`` asks until the first answer;
``@event`` is awaited under a time limit. The policy set here is the only place that decides what happens when an
implementation is slow or fails: the host reads it, the generated reference prints it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import pluggy

from codex_hookspecs.values import frozen

PROJECT = "codex"

Kind = Literal["offer", "choose", "event"]
OnError = Literal["skip", "ask", "block"]
Merge = Literal["all", "first", "any_block", "concat"]

F = TypeVar("F", bound=Callable[..., Any])

hookimpl = pluggy.HookimplMarker(PROJECT)
_hookspec = pluggy.HookspecMarker(PROJECT)


@frozen
class HookPolicy:
    """How the host calls one hook and what it makes of the answers.

    :param kind: ``offer`` and ``choose`` are synchronous, ``event`` is always ``async def``.
    :param timeout: seconds that one implementation may take; ``None`` for synchronous kinds.
    :param on_error: ``skip`` goes on as if the implementation had no opinion, ``ask`` leaves the decision to a person
        and refuses where nobody can be asked, ``block`` treats a failure as a refusal.
    :param merge: how several answers become one.
    :param parallel: observers of an event that may run side by side; their answers are ignored.
    :param refuses: an answer to the event can keep what it is about from being done or from counting.
    """

    kind: Kind
    timeout: float | None = None
    on_error: OnError = "skip"
    merge: Merge = "all"
    parallel: bool = False
    refuses: bool = False


def offer(spec: F) -> F:
    """Mark a synchronous hook whose implementations each return contributions, or ``None``."""
    return _declare(spec, HookPolicy("offer"))


def choose(spec: F) -> F:
    """Mark a synchronous hook whose first answer other than ``None`` wins."""
    return _declare(spec, HookPolicy("choose", merge="first"), firstresult=True)


def event(
    *,
    timeout: float,
    on_error: OnError = "skip",
    merge: Merge = "all",
    parallel: bool = False,
    refuses: bool = False,
) -> Callable[[F], F]:
    """Mark an asynchronous hook, awaited once per implementation under a time limit.

    :param timeout: seconds that one implementation may take.
    :param on_error: what a failure or a time-out of one implementation means.
    :param merge: how the answers are combined.
    :param parallel: run implementations side by side and ignore what they return.
    :param refuses: an answer can keep what the event is about from being done or from counting.
    """
    policy = HookPolicy("event", timeout=timeout, on_error=on_error, merge=merge, parallel=parallel, refuses=refuses)

    def mark(spec: F) -> F:
        return _declare(spec, policy)

    return mark


def time_limit(seconds: float | None) -> Callable[[F], F]:
    """Give one implementation of an event a longer or shorter limit than its specification has.

    :param seconds: the limit, or ``None`` for implementations that bound their own work, such as runners of scripts
        with configured limits.
    :raises TypeError: when it is no time.
    """
    given: object = seconds
    if given is not None and not (isinstance(given, int | float) and not isinstance(given, bool) and given > 0):
        raise TypeError(f"time_limit: seconds is {seconds!r}, allowed is a number above 0 or None")

    def mark(implementation: F) -> F:
        implementation.codex_time_limit = seconds  # type: ignore[attr-defined]
        return implementation

    return mark


def active_when(predicate: Callable[..., bool]) -> Callable[[F], F]:
    """Have an implementation asked only where it has something to do; where nobody has, the event is not even made.

    :param predicate: called with the host and the thread, or ``None`` outside of one; must be quick and not fail.
    """

    def mark(implementation: F) -> F:
        implementation.codex_active = predicate  # type: ignore[attr-defined]
        return implementation

    return mark


def policy_of(spec: Callable[..., Any]) -> HookPolicy:
    """Return the policy that a specification function was declared with.

    :raises AttributeError: when the function is not a hook specification.
    """
    policy: HookPolicy = spec.codex_policy  # type: ignore[attr-defined]
    return policy


def _declare(spec: F, policy: HookPolicy, *, firstresult: bool = False) -> F:
    spec.codex_policy = policy  # type: ignore[attr-defined]
    return _hookspec(spec, firstresult=firstresult)
