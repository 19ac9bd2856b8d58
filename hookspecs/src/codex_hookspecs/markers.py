"""Declare hook specifications of three kinds, each with its policy, and mark their implementations.

``@offer`` hooks collect contributions, ``@choose`` hooks are called until the first answer, ``@event`` hooks are
awaited with a time limit. The declaration, together with the annotations of the specification, alone decides how a hook
is called: the host's typed methods, the validation of implementations and the generated reference are derived from it.
An invalid declaration fails when its specification is imported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from inspect import iscoroutinefunction
from typing import Any, Literal, TypeVar, get_args

import pluggy

from codex_hookspecs.values import frozen

PROJECT = "codex"

Kind = Literal["offer", "choose", "event"]
OnError = Literal["skip", "ask", "block"]
Merge = Literal["all", "first", "any_block", "concat"]

F = TypeVar("F", bound=Callable[..., Any])

hookimpl = pluggy.HookimplMarker(PROJECT)
"""Mark a function of ``plugin.py`` as the implementation of the hook with the same name.

``@hookimpl(tryfirst=True)`` is called before those of other plugins, ``@hookimpl(trylast=True)`` after them.
"""

_hookspec = pluggy.HookspecMarker(PROJECT)

_RESULT = re.compile(r"(?:Sequence\[(?P<part>\w+)\]|(?P<one>\w+)) \| None")


@frozen(kw_only=True)
class HookPolicy:
    """How the host calls one hook and combines the answers.

    :param kind: ``offer`` and ``choose`` are synchronous, ``event`` is always ``async def``.
    :param result: name of the class that an implementation returns, or returns a sequence of; empty for observers.
    :param many: whether a sequence is returned.
    :param timeout: time limit in seconds for one implementation; ``None`` for synchronous kinds, except for a
        ``choose`` hook that can refuse, which is called in a worker thread.
    :param on_error: ``skip`` treats a failure as no opinion, ``ask`` asks the user and refuses if no client can be
        asked, ``block`` treats a failure as a refusal.
    :param merge: how answers are combined. ``all``: each is used. ``first``: no implementation is called after the
        first answer. ``concat``: sequences are concatenated, of any other field the first value is used. ``any_block``:
        the same, among the strictest answers if the verdict has a ``behavior``.
    :param parallel: whether implementations are observers, which run concurrently and return nothing.
    :param refuses: whether an answer can refuse what the hook is called for.
    :param key: attribute with the name of a contribution; names are unique. Empty if a plugin contributes a single
        thing, which has the name of the plugin.
    :param requires: attributes that a contribution must have, including ``key``.
    :param by: parameter that names what is requested, where each plugin answers only for its own names.
    :param not_called_yet: whether no version of the host calls the hook so far.
    """

    kind: Kind
    result: str
    many: bool
    timeout: float | None = None
    on_error: OnError = "skip"
    merge: Merge = "all"
    parallel: bool = False
    refuses: bool = False
    key: str = ""
    requires: tuple[str, ...] = ()
    by: str = ""
    not_called_yet: bool = False


def offer(*, key: str = "", requires: Sequence[str] = (), not_called_yet: bool = False) -> Callable[[F], F]:
    """Declare a synchronous hook whose implementations return contributions, or ``None``.

    :param key: attribute with the name of a contribution, if implementations return sequences.
    :param requires: further attributes that a contribution must have.
    :param not_called_yet: whether no version of the host calls it so far.
    """
    needed = (key, *requires) if key else tuple(requires)
    return _declaring("offer", key=key, requires=needed, not_called_yet=not_called_yet)


def choose(
    *,
    requires: Sequence[str] = (),
    by: str = "",
    timeout: float | None = None,
    on_error: OnError = "skip",
    refuses: bool = False,
    not_called_yet: bool = False,
) -> Callable[[F], F]:
    """Declare a synchronous hook of which the first answer other than ``None`` is used.

    :param requires: attributes that an answer must have.
    :param by: parameter that names what is requested, where each plugin answers only for its own names.
    :param timeout: time limit in seconds for one implementation; such a hook is called in a worker thread.
    :param on_error: effect of a failed or timed out implementation.
    :param refuses: whether an answer can refuse what the hook is called for.
    :param not_called_yet: whether no version of the host calls it so far.
    """
    return _declaring(
        "choose",
        merge="first",
        requires=tuple(requires),
        by=by,
        timeout=timeout,
        on_error=on_error,
        refuses=refuses,
        not_called_yet=not_called_yet,
    )


def event(
    *,
    timeout: float,
    on_error: OnError = "skip",
    merge: Merge = "all",
    parallel: bool = False,
    refuses: bool = False,
    requires: Sequence[str] = (),
    not_called_yet: bool = False,
) -> Callable[[F], F]:
    """Declare an asynchronous hook, whose implementations are awaited with a time limit.

    :param timeout: time limit in seconds for one implementation.
    :param on_error: effect of a failed or timed out implementation.
    :param merge: how answers are combined: ``any_block`` or ``concat``; not given for observers.
    :param parallel: whether implementations are observers, which run concurrently.
    :param refuses: whether an answer can refuse what the event is about.
    :param requires: attributes that each element of a returned sequence must have.
    :param not_called_yet: whether no version of the host calls it so far.
    """
    return _declaring(
        "event",
        timeout=timeout,
        on_error=on_error,
        merge=merge,
        parallel=parallel,
        refuses=refuses,
        requires=tuple(requires),
        not_called_yet=not_called_yet,
    )


def time_limit(seconds: float | None) -> Callable[[F], F]:
    """Override the specification's time limit for one implementation.

    :param seconds: the limit, or ``None`` for implementations that enforce their own, such as runners of hook scripts
        with configured limits.
    :raises TypeError: when it is not a positive number or ``None``.
    """
    given: object = seconds
    if given is not None and not (isinstance(given, int | float) and not isinstance(given, bool) and given > 0):
        raise TypeError(f"time_limit: seconds is {seconds!r}, allowed is a number above 0 or None")

    def mark(implementation: F) -> F:
        implementation.codex_time_limit = seconds  # type: ignore[attr-defined]
        return implementation

    return mark


def enabled_if(predicate: Callable[..., bool]) -> Callable[[F], F]:
    """Skip an implementation unless a predicate is true; if all are skipped, the event is not built.

    :param predicate: called with the host and the thread (``None`` outside of one); must be fast and not raise.
    """

    def mark(implementation: F) -> F:
        implementation.codex_enabled_if = predicate  # type: ignore[attr-defined]
        return implementation

    return mark


def reports_runs(implementation: F) -> F:
    """Declare that an implementation of an event reports its runs itself, for example one that runs several scripts.

    It calls ``scope.started`` and ``scope.completed``. For all others the host reports one run, when they answer or
    fail.
    """
    implementation.codex_reports_runs = True  # type: ignore[attr-defined]
    return implementation


def policy_of(spec: Callable[..., Any]) -> HookPolicy:
    """Return the policy that a specification function was declared with.

    :raises AttributeError: when the function is not a hook specification.
    """
    policy: HookPolicy = spec.codex_policy  # type: ignore[attr-defined]
    return policy


def _declaring(kind: Kind, **declared: Any) -> Callable[[F], F]:
    def mark(spec: F) -> F:
        returned = str(spec.__annotations__.get("return"))
        found = _RESULT.fullmatch(returned)
        result, many = ("", False) if found is None else (found["part"] or found["one"], found["part"] is not None)
        policy = HookPolicy(kind=kind, result=result, many=many, **declared)
        fault = _fault_of_spec(spec, policy, returned) or _fault_of_policy(policy)
        if fault is not None:
            raise TypeError(f"hook specification {spec.__name__}: {fault}")
        spec.codex_policy = policy  # type: ignore[attr-defined]
        return _hookspec(spec, firstresult=kind == "choose")

    return mark


def _fault_of_spec(spec: Callable[..., Any], policy: HookPolicy, returned: str) -> str | None:
    """Return how a specification contradicts its marker, or ``None``."""
    is_event = policy.kind == "event"
    if policy.by and policy.by not in spec.__code__.co_varnames:
        return f"by is {policy.by!r}, which is no parameter"
    if iscoroutinefunction(spec) is not is_event:
        return f"{policy.kind} marks {'async def' if is_event else 'def'}"
    wanted = "None" if policy.parallel else "X | None" if policy.kind == "choose" else "X | None or Sequence[X] | None"
    if returned != "None" if policy.parallel else not policy.result or (policy.many and policy.kind == "choose"):
        return f"it is annotated to return {returned}, {policy.kind} marks what returns {wanted}"
    parameters = spec.__code__.co_varnames[: spec.__code__.co_argcount]
    if parameters[-1:] != ("host",):
        return "its last parameter is not host"
    if is_event and not policy.many and parameters != ("event", "scope", "host"):
        return f"its parameters are {', '.join(parameters)}; an event has event, scope, host"
    return None


def _fault_of_policy(policy: HookPolicy) -> str | None:
    """Return a contradiction in a declared policy, or ``None``."""
    if policy.kind == "offer" and policy.many is not bool(policy.key):
        return "key is given exactly where a sequence is returned"
    if policy.kind != "event" and not policy.refuses:
        return None if policy.timeout is None else "timeout is given, but no answer refuses anything"
    limit: object = policy.timeout
    if not (isinstance(limit, int | float) and not isinstance(limit, bool) and limit > 0):
        return f"timeout is {limit!r}, allowed is a number above 0"
    merges = ("all",) if policy.parallel else ("concat",) if policy.many else ("any_block", "concat")
    if policy.kind == "event" and policy.merge not in merges:
        return f"merge is {policy.merge!r}, allowed here is {' or '.join(merges)}"
    if policy.on_error not in get_args(OnError):
        return f"on_error is {policy.on_error!r}, allowed is {', '.join(get_args(OnError))}"
    if policy.refuses and (policy.parallel or policy.many):
        return "refuses is given, but no verdict is returned"
    if policy.on_error != "skip" and not policy.refuses:
        return f"on_error is {policy.on_error!r}, but no answer refuses anything"
    return None
