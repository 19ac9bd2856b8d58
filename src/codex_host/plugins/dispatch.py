"""Call hooks: the one place that awaits, bounds, isolates and merges."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from attrs import define

from codex_hookspecs.errors import CodexError, PluginError
from codex_hookspecs.ports.threads import HookScope
from codex_host.plugins.failure_policies import FailurePolicies
from codex_host.plugins.failures import Failures
from codex_host.plugins.signatures import InvalidResult, starter_of, validate_result
from codex_host.plugins.tasks import run_contained, run_in_thread, run_task
from codex_host.process.signals import SIGNALS

if TYPE_CHECKING:
    from codex_hookspecs.markers import HookPolicy
    from codex_hookspecs.ports.host import Host
    from codex_hookspecs.ports.threads import AgentThread
    from codex_hookspecs.types.lifecycle import LifecycleEvent, Verdict
    from codex_hookspecs.types.notifications import HookRun
    from codex_host.plugins.ledger import Account, Ledger
    from codex_host.plugins.places import Places
    from codex_host.plugins.registry import Registry

T = TypeVar("T")
Warn = Callable[[str], Awaitable[None]]


class EventScope(HookScope, Protocol):
    """A scope in which the dispatcher reports the runs of Python hooks."""

    async def report(self, run: HookRun) -> None:
        """Tell clients of a run that is already over."""
        ...


class Offered(dict[str, T]):
    """What plugins offer, by name.

    :ivar owners: plugin of each, by name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.owners: dict[str, str] = {}


@define(eq=False, repr=False)
class BoundHook:
    """One implementation, with all that a call needs.

    :param policy: what its specification declares.
    :param order: place in which it is called.
    :param start: calls it with those of some named values that it takes.
    :param reports: it reports its runs itself.
    :param enabled: tells whether it has anything to do in a thread, or ``None`` when it always may.
    :param limit: seconds it may take, or ``None`` when it bounds its own work.
    """

    hook: str
    policy: HookPolicy
    function: Callable[..., Any]
    order: int
    start: Callable[[dict[str, Any]], Any]
    plugin: str
    account: Account
    reports: bool
    enabled: Callable[[Host, Any], bool] | None
    limit: float | None

    @property
    def quarantined(self) -> bool:
        """Whether it failed so often that it is not called any more."""
        return self.hook in self.account.quarantined


class Dispatcher:
    """Calls the registered plugins as the specifications of their hooks say.

    Callers use the typed methods of :class:`~codex_host.plugins.hooks.Hooks`.

    :param host: handed to implementations that ask for it.
    :ivar failures: says what failed in which plugin.
    :ivar warnings: what the user should know.
    """

    def __init__(self, registry: Registry, ledger: Ledger, *, host: Host) -> None:
        self._registry = registry
        self._ledger = ledger
        self._host = host
        self._policies = FailurePolicies(registry.policies)
        self._bound: dict[str, list[BoundHook]] = {}
        self._verdicts: dict[str, type[Any]] = {}
        self.failures = Failures(registry, ledger, host=host)
        self.warnings: list[str] = []

    def check_settings(self, config: Mapping[str, Any]) -> None:
        """Note what is wrong with the settings of hooks."""
        for warning in self._policies.warnings(config):
            self.warn(warning)

    def warn(self, text: str) -> None:
        """Note something that the user should know."""
        if text not in self.warnings:
            self.warnings.append(text)

    def enabled(self, hook: str, thread: AgentThread | None = None) -> bool:
        """Tell whether any plugin implements a hook and has something to do in a thread, or would have to be asked."""
        config: Mapping[str, Any] = {} if thread is None else thread.config
        for bound in self._calls(hook):
            if bound.quarantined:
                continue
            try:
                if bound.enabled is None or bound.enabled(self._host, thread):
                    return True
            except BaseException as error:
                if SIGNALS.interrupted(error):
                    raise
                self.warn(self._failed(bound, error))
                if self._policies.is_gate(hook, config):
                    return True
        return bool(self._silent_gates(hook, config))

    def offers(self, hook: str, arguments: dict[str, Any], plugin: str | None = None) -> Offered[Any]:
        """Collect what plugins offer, in order; of two contributions with one name the first counts.

        :param plugin: ask this one only.
        """
        policy = self._registry.policies[hook]
        asked = [bound for bound in self._calls(hook, plugin) if plugin in (None, bound.plugin)]
        offered = Offered[Any]()
        for bound in asked:
            shadowed: dict[str, str] = {}
            for part in self._call_sync(bound, arguments) or ():
                name = getattr(part, policy.key)
                if name in offered:
                    shadowed[name] = offered.owners[name]
                    from codex_host.plugins.order_checks import shadow_warnings

                    for text in shadow_warnings(self._registry, hook, name, offered.owners[name], bound.plugin):
                        self.warn(text)
                    continue
                offered[name], offered.owners[name] = part, bound.plugin
            if plugin is None:
                self._ledger.shadowed(bound.plugin, hook, shadowed)
        return offered

    def choose(self, hook: str, arguments: dict[str, Any]) -> tuple[Any, str]:
        """Return the first answer other than ``None``, and the plugin that gave it; those after it are not imported.

        :raises CodexError: when an implementation says what is wrong, e.g. with the configuration.
        """
        for plugin in self._registry.sharing(hook):
            for bound in self._calls(hook, plugin):
                if bound.plugin != plugin:
                    continue
                answer = self._call_sync(bound, arguments, raises=True)
                if answer is not None:
                    return answer, plugin
        return None, ""

    async def judge(self, hook: str, arguments: dict[str, Any], config: Mapping[str, Any], warn: Warn) -> Any:
        """Return the first answer of a choice that can refuse, stricter where an implementation before it failed."""
        verdict = self._verdict(hook)
        values = {**arguments, "host": self._host}
        answers: list[Any] = []
        for bound in self._calls(hook):
            if bound.quarantined:
                continue
            try:
                answer = await self._ask(bound, values, verdict, warn)
            except Exception as error:
                text = self._failed(bound, error)
                await warn(text)
                answer = self._policies.answer(hook, verdict, text, config)
                answers += () if answer is None else (answer,)
                continue
            self._succeeded(bound)
            if answer is not None:
                answers.append(answer)
                break
        return await self._conclude(hook, answers, config, warn)

    async def decide(self, hook: str, event: LifecycleEvent, scope: EventScope) -> Any:
        """Tell all plugins an event and merge what they answer."""
        verdict = self._verdict(hook)
        answers: list[Verdict] = []
        values = {"event": event, "scope": scope, "host": self._host}
        for bound in self._calls(hook):
            if bound.quarantined:
                continue
            try:
                answer = await self._ask(bound, values, verdict, scope.warn)
            except Exception as error:
                text = await self._report_failure(bound, error, scope)
                answer = self._policies.answer(hook, verdict, text, scope.config)
            else:
                self._succeeded(bound)
                if answer is not None and not bound.reports:
                    answer = await self._report(bound, answer, scope)
            if answer is not None:
                answers.append(answer)
        return await self._conclude(hook, answers, scope.config, scope.warn) or verdict()

    async def observe(self, hook: str, event: LifecycleEvent, scope: EventScope) -> None:
        """Tell all observers an event, side by side, and wait for them under their time limits."""
        values = {"event": event, "scope": scope, "host": self._host}
        async with asyncio.TaskGroup() as group:
            for bound in self._calls(hook):
                if not bound.quarantined:
                    group.create_task(self._observe(bound, values, scope))

    async def collect(self, hook: str, arguments: dict[str, Any], warn: Warn) -> list[Any]:
        """Join the sequences that plugins answer to an event.

        :raises PluginError: when another plugin failed that one of them used, such as that of a machine.
        """
        joined: list[Any] = []
        values = {**arguments, "host": self._host}
        for bound in self._calls(hook):
            if bound.quarantined:
                continue
            try:
                answer = await self._timed(bound, values, warn)
                joined.extend(run_contained(validate_result, bound.policy, answer) or ())
            except Exception as error:
                text = self._failed(bound, error)
                guilty = self.failures.culprit(bound.plugin, error, bound.function)
                if guilty != bound.plugin and not isinstance(error, CodexError):
                    raise PluginError(text, plugin=guilty) from error
                await warn(text)
            else:
                self._succeeded(bound)
        return joined

    def _calls(self, hook: str, plugin: str | None = None) -> list[BoundHook]:
        """Return who is called, in order."""
        if self._registry.deferred:
            for status in self._registry.load_for(hook, plugin):
                self._bound.clear()
                if status.state == "failed":
                    self.warn(status.warning)
        bound = self._bound.get(hook)
        if bound is None:
            impls = self._registry.implementations(hook)
            bound = self._bound[hook] = [self._bind(hook, order, impl) for order, impl in enumerate(impls)]
        return bound

    def _bind(self, hook: str, order: int, impl: Any) -> BoundHook:
        function, policy = impl.function, self._registry.policies[hook]
        start = starter_of(function, impl.argnames)
        return BoundHook(
            hook=hook,
            policy=policy,
            function=function,
            order=order,
            start=partial(run_in_thread, start) if policy.kind == "choose" and policy.timeout else start,
            plugin=impl.plugin_name,
            account=self._ledger.account(impl.plugin_name),
            reports=getattr(function, "codex_reports_runs", False),
            enabled=getattr(function, "codex_enabled_if", None),
            limit=getattr(function, "codex_time_limit", policy.timeout),
        )

    def _verdict(self, hook: str) -> type[Any]:
        """Return the class that implementations of a hook answer with."""
        found = self._verdicts.get(hook)
        if found is None:
            import codex_hookspecs

            found = self._verdicts[hook] = getattr(codex_hookspecs, self._registry.policies[hook].result)
        return found

    async def _ask(self, bound: BoundHook, values: dict[str, Any], verdict: type[Any], warn: Warn) -> Any:
        """Return what one implementation answers.

        :raises InvalidResult: when that is no verdict.
        """
        answer = await self._timed(bound, values, warn)
        if answer is not None and not issubclass(type(answer), verdict):
            raise InvalidResult(f"returned {type(answer).__name__}, not {verdict.__name__} or None")
        return answer

    async def _conclude(self, hook: str, answers: list[Any], config: Mapping[str, Any], warn: Warn) -> Any:
        """Return one answer for several, those of gates that can't be asked among them; ``None`` when there is none."""
        verdict, policy = self._verdict(hook), self._registry.policies[hook]
        for text in self._silent_gates(hook, config):
            await warn(text)
            answers.append(self._policies.answer(hook, verdict, text, config))
        if len(answers) < 2:
            return answers[0] if answers else None
        from codex_host.plugins.merging import merge_verdicts

        return merge_verdicts("any_block" if policy.kind == "choose" else policy.merge, verdict, answers)

    def _silent_gates(self, hook: str, config: Mapping[str, Any]) -> list[str]:
        """Return why implementations of a gate can't be asked: their plugin failed to load or is in quarantine."""
        if not self._policies.is_gate(hook, config):
            return []
        reasons = [
            f"plugin {name} is {status.state}: {status.detail}; its {hook} can't be asked"
            for name, status in self._registry.statuses.items()
            if status.is_missed and hook in status.hooks
        ]
        reasons += [
            f"plugin {bound.plugin} is quarantined: {bound.account.quarantined[hook]}"
            for bound in self._calls(hook)
            if bound.quarantined
        ]
        return reasons

    def _call_sync(self, bound: BoundHook, arguments: dict[str, Any], *, raises: bool = False) -> Any:
        if bound.quarantined:
            return None
        bound.account.calls += 1
        started = time.perf_counter()
        try:
            values = {**arguments, "host": self._host}
            answer = run_contained(lambda: validate_result(bound.policy, bound.start(values)))
        except Exception as error:
            if raises and isinstance(error, CodexError) and not isinstance(error, PluginError):
                raise
            self.warn(self._failed(bound, error))
            return None
        finally:
            bound.account.total_ms += (time.perf_counter() - started) * 1000
        self._succeeded(bound)
        return answer

    async def _observe(self, bound: BoundHook, values: dict[str, Any], scope: EventScope) -> None:
        try:
            await self._timed(bound, values, scope.warn)
        except Exception as error:
            await self._report_failure(bound, error, scope)
        else:
            self._succeeded(bound)

    async def _timed(self, bound: BoundHook, values: dict[str, Any], warn: Warn) -> Any:
        async def left_behind(places: Places) -> None:
            await warn(self.failures.report_left_behind(bound.hook, bound.plugin, places, bound.function))

        account = bound.account
        account.calls += 1
        started = time.perf_counter()
        try:
            return await run_task(bound.start, values, limit=bound.limit, on_left_behind=left_behind)
        finally:
            account.total_ms += (time.perf_counter() - started) * 1000

    async def _report(self, bound: BoundHook, answer: Verdict, scope: EventScope) -> Verdict:
        """Tell clients of a run that answered, and return the answer with the run's id where it needs that."""
        from codex_host.plugins.hook_runs import finished_run

        run, answer = finished_run(bound.hook, bound.plugin, bound.function, bound.order, answer)
        await scope.report(run)
        return answer

    async def _report_failure(self, bound: BoundHook, error: BaseException, scope: EventScope) -> str:
        """Count a failure, tell the user and clients of it, and return what is told."""
        message = self._failed(bound, error)
        if not bound.reports:
            from codex_host.plugins.hook_runs import failed_run

            await scope.report(failed_run(bound.hook, bound.plugin, bound.function, bound.order, message))
        await scope.warn(message)
        return message

    def _failed(self, bound: BoundHook, error: BaseException) -> str:
        return self.failures.record(bound.hook, bound.plugin, error, bound.function)

    def _succeeded(self, bound: BoundHook) -> None:
        if bound.account.failures:
            self._ledger.succeeded(bound.plugin, bound.hook)
