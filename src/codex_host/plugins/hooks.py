"""Hooks as typed methods: arguments and result of each are those of its specification."""

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
    :raises TypeError: when the specification declares another way of calling.
    """

    _CALLED: ClassVar[tuple[str, bool, bool, bool]]
    """Of hooks of this class the kind, and whether they return a sequence, observe, and have a time limit."""

    def __init__(self, dispatcher: Dispatcher, spec: Callable[..., Any]) -> None:
        policy = policy_of(spec)
        if (policy.kind, policy.many, policy.parallel, policy.timeout is not None) != self._CALLED:
            raise TypeError(f"{spec.__name__} is no {type(self).__name__}: {policy}")
        self.name = spec.__name__
        self._dispatcher = dispatcher
        self._parameters = spec.__code__.co_varnames[: spec.__code__.co_argcount - 1]

    def enabled(self, thread: AgentThread | None = None) -> bool:
        """Tell whether any plugin implements the hook and has something to do in a thread, or would have to be asked.

        Where it is not, nothing needs to be prepared for a call.
        """
        return self._dispatcher.enabled(self.name, thread)

    def _named(self, arguments: tuple[Any, ...]) -> dict[str, Any]:
        return dict(zip(self._parameters, arguments, strict=True))


class VerdictHook(Hook, Generic[E, V]):
    """A lifecycle event; what implementations answer is merged into one verdict."""

    _CALLED = ("event", False, False, True)

    def __init__(
        self, dispatcher: Dispatcher, spec: Callable[[E, HookScope, Any], Coroutine[Any, Any, V | None]]
    ) -> None:
        super().__init__(dispatcher, spec)

    async def __call__(self, event: E, scope: EventScope) -> V:
        """Tell all plugins, one after the other."""
        verdict: V = await self._dispatcher.decide(self.name, event, scope)
        return verdict


class ObserverHook(Hook, Generic[E]):
    """A lifecycle event that has no answer."""

    _CALLED = ("event", False, True, True)

    def __init__(self, dispatcher: Dispatcher, spec: Callable[[E, HookScope, Any], Coroutine[Any, Any, None]]) -> None:
        super().__init__(dispatcher, spec)

    async def __call__(self, event: E, scope: EventScope) -> None:
        """Tell all plugins side by side and wait for them under their time limits."""
        await self._dispatcher.observe(self.name, event, scope)


class ListHook(Hook, Generic[*A, T]):
    """An event to which each implementation answers with a sequence; they are joined."""

    _CALLED = ("event", True, False, True)

    def __init__(
        self, dispatcher: Dispatcher, spec: Callable[[*A, Any], Coroutine[Any, Any, Sequence[T] | None]]
    ) -> None:
        super().__init__(dispatcher, spec)

    async def __call__(self, *arguments: *A, warn: Warn) -> list[T]:
        """Ask all plugins, one after the other.

        :param warn: told of failures.
        :raises PluginError: when another plugin failed that one of them used, such as that of a machine.
        """
        return await self._dispatcher.collect(self.name, self._named(arguments), warn)


class OfferHook(Hook, Generic[*A, T]):
    """A hook that plugins contribute to."""

    _CALLED = ("offer", True, False, False)

    def __init__(self, dispatcher: Dispatcher, spec: Callable[[*A, Any], Sequence[T] | None]) -> None:
        super().__init__(dispatcher, spec)

    def __call__(self, *arguments: *A, plugin: str | None = None) -> Offered[T]:
        """Collect what plugins offer, by name, in the order of the plugins.

        :param plugin: ask this one only.
        """
        return self._dispatcher.offers(self.name, self._named(arguments), plugin)


class ChoiceHook(Hook, Generic[*A, T]):
    """A hook of which one answer counts."""

    _CALLED = ("choose", False, False, False)

    def __init__(self, dispatcher: Dispatcher, spec: Callable[[*A, Any], T | None]) -> None:
        super().__init__(dispatcher, spec)

    def __call__(self, *arguments: *A) -> tuple[T | None, str]:
        """Return the first answer other than ``None``, and the plugin that gave it.

        :raises CodexError: when an implementation says what is wrong, e.g. with the configuration.
        """
        return self._dispatcher.choose(self.name, self._named(arguments))


class PolicyHook(Hook, Generic[*A, T]):
    """A choice that can refuse what it is asked about; implementations run in threads of their own."""

    _CALLED = ("choose", False, False, True)

    def __init__(self, dispatcher: Dispatcher, spec: Callable[[*A, Any], T | None]) -> None:
        super().__init__(dispatcher, spec)

    async def __call__(self, *arguments: *A, config: Mapping[str, Any], warn: Warn) -> T | None:
        """Return the first answer other than ``None``; a failure is an answer, too.

        :param config: says what a failure means.
        :param warn: told of failures.
        """
        answer: T | None = await self._dispatcher.judge(self.name, self._named(arguments), config, warn)
        return answer
