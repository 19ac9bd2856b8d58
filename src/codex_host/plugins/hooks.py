"""Hooks as typed callables, with the arguments and result of their specifications."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, TypeVarTuple

from codex_hookspecs.markers import policy_of
from codex_hookspecs.specs import (
    auth,
    context,
    environment,
    lifecycle,
    models,
    policy,
    sandbox,
    storage,
    surface,
    tools,
)

if TYPE_CHECKING:
    from codex_hookspecs.ports.threads import AgentThread, HookScope
    from codex_hookspecs.types.lifecycle import LifecycleEvent, Verdict
    from codex_host.plugins.dispatch import Dispatcher, EventScope, Offered, Warn

A = TypeVarTuple("A")
E = TypeVar("E", bound="LifecycleEvent")
V = TypeVar("V", bound="Verdict")
T = TypeVar("T")


class Hooks:
    """The hooks that the host calls."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.session_start = VerdictHook(dispatcher, lifecycle.session_start)
        self.user_prompt_submit = VerdictHook(dispatcher, lifecycle.user_prompt_submit)
        self.pre_tool_use = VerdictHook(dispatcher, lifecycle.pre_tool_use)
        self.permission_request = VerdictHook(dispatcher, lifecycle.permission_request)
        self.post_tool_use = VerdictHook(dispatcher, lifecycle.post_tool_use)
        self.stop = VerdictHook(dispatcher, lifecycle.stop)
        self.interrupt = VerdictHook(dispatcher, lifecycle.interrupt)
        self.session_end = ObserverHook(dispatcher, lifecycle.session_end)
        self.pre_model_request = ObserverHook(dispatcher, lifecycle.pre_model_request)
        self.post_model_request = ObserverHook(dispatcher, lifecycle.post_model_request)
        self.tools = OfferHook(dispatcher, tools.tools)
        self.model_provider = ChoiceHook(dispatcher, models.model_provider)
        self.instruction_fragments = ListHook(dispatcher, context.instruction_fragments)
        self.environments = OfferHook(dispatcher, environment.environments)
        self.sandbox_launcher = ChoiceHook(dispatcher, sandbox.sandbox_launcher)
        self.command_policy = PolicyHook(dispatcher, policy.command_policy)
        self.connection_authenticators = OfferHook(dispatcher, auth.connection_authenticators)
        self.thread_store = ChoiceHook(dispatcher, storage.thread_store)
        self.cli_commands = OfferHook(dispatcher, surface.cli_commands)
        self.rpc_methods = OfferHook(dispatcher, surface.rpc_methods)
        self.app_server = ChoiceHook(dispatcher, surface.app_server)
        self.doctor_checks = OfferHook(dispatcher, surface.doctor_checks)


class Hook:
    """One hook.

    :param spec: its specification.
    :raises TypeError: when the specification declares another kind of call.
    """

    _CALLED: ClassVar[tuple[str, bool, bool, bool]]
    """Kind of this class's hooks, and whether they return a sequence, run concurrently, and have a time limit."""

    def __init__(self, dispatcher: Dispatcher, spec: Callable[..., Any]) -> None:
        policy = policy_of(spec)
        if (policy.kind, policy.many, policy.parallel, policy.timeout is not None) != self._CALLED:
            raise TypeError(f"{spec.__name__} is no {type(self).__name__}: {policy}")
        self.name = spec.__name__
        self._dispatcher = dispatcher
        self._parameters = spec.__code__.co_varnames[: spec.__code__.co_argcount - 1]

    def enabled(self, thread: AgentThread | None = None) -> bool:
        """Return whether a call would reach an implementation, or fail because a gate is unavailable.

        If not, the caller need not prepare the arguments of a call.
        """
        return self._dispatcher.enabled(self.name, thread)

    def _named(self, arguments: tuple[Any, ...]) -> dict[str, Any]:
        return dict(zip(self._parameters, arguments, strict=True))


class VerdictHook(Hook, Generic[E, V]):
    """A lifecycle event whose implementations' verdicts are merged into one."""

    _CALLED = ("event", False, False, True)

    def __init__(
        self, dispatcher: Dispatcher, spec: Callable[[E, HookScope, Any], Coroutine[Any, Any, V | None]]
    ) -> None:
        super().__init__(dispatcher, spec)

    async def __call__(self, event: E, scope: EventScope) -> V:
        """Call all implementations, one after the other."""
        verdict: V = await self._dispatcher.decide(self.name, event, scope)
        return verdict


class ObserverHook(Hook, Generic[E]):
    """A lifecycle event without an answer."""

    _CALLED = ("event", False, True, True)

    def __init__(self, dispatcher: Dispatcher, spec: Callable[[E, HookScope, Any], Coroutine[Any, Any, None]]) -> None:
        super().__init__(dispatcher, spec)

    async def __call__(self, event: E, scope: EventScope) -> None:
        """Call all implementations concurrently and wait for them, within their time limits."""
        await self._dispatcher.observe(self.name, event, scope)


class ListHook(Hook, Generic[*A, T]):
    """An event whose implementations return sequences, which are concatenated."""

    _CALLED = ("event", True, False, True)

    def __init__(
        self, dispatcher: Dispatcher, spec: Callable[[*A, Any], Coroutine[Any, Any, Sequence[T] | None]]
    ) -> None:
        super().__init__(dispatcher, spec)

    async def __call__(self, *arguments: *A, warn: Warn) -> list[T]:
        """Call all implementations, one after the other.

        :param warn: called with messages about failures.
        :raises PluginError: when the failure came from another plugin that an implementation used, e.g. an environment.
        """
        return await self._dispatcher.collect(self.name, self._named(arguments), warn)


class OfferHook(Hook, Generic[*A, T]):
    """A hook that plugins contribute to."""

    _CALLED = ("offer", True, False, False)

    def __init__(self, dispatcher: Dispatcher, spec: Callable[[*A, Any], Sequence[T] | None]) -> None:
        super().__init__(dispatcher, spec)

    def __call__(self, *arguments: *A, plugin: str | None = None) -> Offered[T]:
        """Collect the contributions of plugins by name, in call order.

        :param plugin: call only this plugin.
        """
        return self._dispatcher.offers(self.name, self._named(arguments), plugin)


class ChoiceHook(Hook, Generic[*A, T]):
    """A hook of which the first answer is used."""

    _CALLED = ("choose", False, False, False)

    def __init__(self, dispatcher: Dispatcher, spec: Callable[[*A, Any], T | None]) -> None:
        super().__init__(dispatcher, spec)

    def __call__(self, *arguments: *A) -> tuple[T | None, str]:
        """Return the first answer other than ``None``, and the plugin that gave it.

        :raises CodexError: when an implementation raises one, e.g. for a configuration error.
        """
        return self._dispatcher.choose(self.name, self._named(arguments))


class PolicyHook(Hook, Generic[*A, T]):
    """A choice hook whose implementations can refuse a request; they run in worker threads."""

    _CALLED = ("choose", False, False, True)

    def __init__(self, dispatcher: Dispatcher, spec: Callable[[*A, Any], T | None]) -> None:
        super().__init__(dispatcher, spec)

    async def __call__(self, *arguments: *A, config: Mapping[str, Any], warn: Warn) -> T | None:
        """Return the first answer other than ``None``; a failure counts as an answer.

        :param config: configuration that decides the effect of a failure.
        :param warn: called with messages about failures.
        """
        answer: T | None = await self._dispatcher.decide_policy(self.name, self._named(arguments), config, warn)
        return answer
