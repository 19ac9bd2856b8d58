"""Call hook implementations: with time limits, isolated from each other, merging their answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from codex_hookspecs.errors import CodexError, PluginError
from codex_hookspecs.ports.threads import HookScope
from codex_host.plugins.bound_hook import BoundHook
from codex_host.plugins.failure_policies import FailurePolicies
from codex_host.plugins.failures import Failures
from codex_host.plugins.order import after_caller, asked
from codex_host.plugins.signatures import starter_of, validate_result, validate_verdict
from codex_host.plugins.tasks import run_contained, run_in_thread, run_task
from codex_host.process.signals import SIGNALS

if TYPE_CHECKING:
    from codex_hookspecs.ports.host import Host
    from codex_hookspecs.ports.threads import AgentThread
    from codex_hookspecs.types.lifecycle import LifecycleEvent, Verdict
    from codex_hookspecs.types.notifications import HookRun
    from codex_host.plugins.places import Places
    from codex_host.plugins.registry import Registry
    from codex_host.plugins.stats_file import StatsFile
    from codex_host.plugins.unused_answers import UnusedAnswers

T = TypeVar("T")
Warn = Callable[[str], Awaitable[None]]


class EventScope(HookScope, Protocol):
    """A scope in which the dispatcher reports the runs of Python hooks."""

    async def report(self, run: HookRun) -> None:
        """Notify clients of a completed run."""
        ...


class Offered(dict[str, T]):
    """Contributions of plugins, by name.

    :ivar owners: plugin of each contribution, by its name.
    :ivar remarks: warnings for the thread alone that the contributions are for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.owners: dict[str, str] = {}
        self.remarks: list[str] = []


class Dispatcher:
    """Calls the registered plugins as the specifications of their hooks say.

    Callers use the typed methods of :class:`~codex_host.plugins.hooks.Hooks`.

    :param host: passed to implementations that take it.
    :ivar failures: records and describes failures of plugins.
    :ivar warnings: warnings for the user.
    :ivar on_warning: called with each warning once, when it is added.
    """

    def __init__(self, registry: Registry, stats_file: StatsFile, *, host: Host) -> None:
        self._registry = registry
        self._stats_file = stats_file
        self._host = host
        self._policies = FailurePolicies(registry.policies)
        self._bound: dict[str, list[BoundHook]] = {}
        self._verdicts: dict[str, type[Any]] = {}
        self.failures = Failures(registry, stats_file, host=host)
        self.warnings: list[str] = []
        self._unused: UnusedAnswers | None = None
        self.on_warning: Callable[[str], None] | None = None

    def check_settings(self, config: Mapping[str, Any]) -> None:
        """Add warnings about invalid settings of hooks."""
        for warning in self._policies.warnings(config):
            self.warn(warning)

    def warn(self, text: str) -> None:
        """Add a warning for the user, once."""
        if text not in self.warnings:
            self.warnings.append(text)
            if self.on_warning is not None:
                self.on_warning(text)

    def enabled(self, hook: str, thread: AgentThread | None = None) -> bool:
        """Return whether a call of a hook would reach an implementation, or fail because a gate is unavailable."""
        config: Mapping[str, Any] = {} if thread is None else thread.config
        for bound in self._calls(hook):
            if bound.quarantined:
                continue
            try:
                if bound.enabled is None or bound.enabled(self._host, thread):
                    return True
            except BaseException as error:
                if SIGNALS.is_interrupt(error):
                    raise
                self.warn(self._failed(bound, error))
                if self._policies.is_gate(hook, config):
                    return True
        return bool(self._unavailable_gates(hook, config))

    def offers(self, hook: str, arguments: dict[str, Any], plugin: str | None = None) -> Offered[Any]:
        """Collect contributions in call order; of two with the same name the first is used.

        :param plugin: call only this plugin.
        """
        policy = self._registry.policies[hook]
        asked = [bound for bound in self._calls(hook, plugin) if plugin in (None, bound.plugin)]
        offered = Offered[Any]()
        for bound in asked:
            shadowed: dict[str, str] = {}
            for part in self._call_sync(bound, arguments) or ():
                name = getattr(part, policy.key)
                if name in offered:
                    if offered.owners[name] != bound.plugin:
                        shadowed[name] = offered.owners[name]
                    from codex_host.plugins.order_checks import shadow_warnings

                    tell = offered.remarks.append if getattr(part, "of_client", False) else self.warn
                    for text in shadow_warnings(self._registry, hook, part, offered.owners[name], bound.plugin):
                        tell(text)
                    continue
                offered[name], offered.owners[name] = part, bound.plugin
            if plugin is None:
                self._stats_file.record_shadowed(bound.plugin, hook, shadowed)
        return offered

    def choose(self, hook: str, arguments: dict[str, Any]) -> tuple[Any, str]:
        """Return the first answer other than ``None``, and the plugin that gave it; those after it are not imported.

        An implementation that asks the same hook, to wrap what it would have given, asks the plugins after itself.

        :raises CodexError: when an implementation raises one, e.g. for a configuration error.
        """
        for plugin in after_caller(hook, self._registry.sharing(hook)):
            for bound in self._calls(hook, plugin):
                if bound.plugin != plugin:
                    continue
                if bound.quarantined and not bound.failure:  # Else it was told when it was quarantined.
                    self.warn(self._registry.status(plugin).quarantine)
                with asked(hook, plugin):
                    answer = self._call_sync(bound, arguments, raises=True)
                if answer is not None:
                    if self._registry.policies[hook].by and not self._registry.status(plugin).first_party:
                        self._compare(hook, arguments, plugin)
                    return answer, plugin
        return None, ""

    def _compare(self, hook: str, arguments: dict[str, Any], first: str) -> None:
        """Compare the answer of a third-party plugin with those of others that would have been asked after it."""
        if self._unused is None:
            from codex_host.plugins.unused_answers import UnusedAnswers

            self._unused = UnusedAnswers(self._registry, host=self._host, warn=self.warn)
        call = partial(self._call_sync, arguments=arguments, raises=True)
        self._unused.compare(hook, arguments[self._registry.policies[hook].by], first, self._calls(hook, first), call)

    async def decide_policy(self, hook: str, arguments: dict[str, Any], config: Mapping[str, Any], warn: Warn) -> Any:
        """Return the first decision of a policy hook, merged with the refusals that failed implementations count as."""
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
        """Call all implementations of an event in order and merge their verdicts."""
        verdict = self._verdict(hook)
        answers: list[Verdict] = []
        values = {"event": event, "scope": scope, "host": self._host}
        for bound in self._calls(hook):
            if bound.quarantined:
                continue
            began = time.time()
            try:
                answer = await self._ask(bound, values, verdict, scope.warn)
            except Exception as error:
                text = await self._report_failure(bound, error, scope, began)
                answer = self._policies.answer(hook, verdict, text, scope.config)
            else:
                self._succeeded(bound)
                if answer is not None and not bound.reports:
                    answer = await self._report(bound, answer, scope, began)
            if answer is not None:
                answers.append(answer)
        return await self._conclude(hook, answers, scope.config, scope.warn) or verdict()

    async def observe(self, hook: str, event: LifecycleEvent, scope: EventScope) -> None:
        """Call all observers of an event concurrently and wait for them, within their time limits."""
        values = {"event": event, "scope": scope, "host": self._host}
        async with asyncio.TaskGroup() as group:
            for bound in self._calls(hook):
                if not bound.quarantined:
                    group.create_task(self._observe(bound, values, scope))

    async def collect(self, hook: str, arguments: dict[str, Any], warn: Warn) -> list[Any]:
        """Concatenate the sequences that implementations of an event return.

        :raises PluginError: when the failure came from another plugin that an implementation used, e.g. an environment.
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
                failing = self.failures.failing_plugin(bound.plugin, error, bound.function)
                if failing != bound.plugin and not isinstance(error, CodexError):
                    raise PluginError(text, plugin=failing) from error
                await warn(text)
            else:
                self._succeeded(bound)
        return joined

    def _calls(self, hook: str, plugin: str | None = None) -> list[BoundHook]:
        """Return the bound implementations of a hook in call order, loading deferred plugins first."""
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
            stats=self._stats_file.stats(impl.plugin_name),
            reports=getattr(function, "codex_reports_runs", False),
            enabled=getattr(function, "codex_enabled_if", None),
            limit=getattr(function, "codex_time_limit", policy.timeout),
        )

    def _verdict(self, hook: str) -> type[Any]:
        """Return the verdict class of a hook."""
        found = self._verdicts.get(hook)
        if found is None:
            import codex_hookspecs

            found = self._verdicts[hook] = getattr(codex_hookspecs, self._registry.policies[hook].result)
        return found

    async def _ask(self, bound: BoundHook, values: dict[str, Any], verdict: type[Any], warn: Warn) -> Any:
        """Call one implementation and validate its verdict.

        :raises InvalidResult: when it returned something other than a verdict.
        """
        answer = await self._timed(bound, values, warn)
        if answer is not None:
            validate_verdict(answer, verdict)
        return answer

    async def _conclude(self, hook: str, answers: list[Any], config: Mapping[str, Any], warn: Warn) -> Any:
        """Merge answers, together with those that unavailable gates count as; return ``None`` if there are none."""
        verdict, policy = self._verdict(hook), self._registry.policies[hook]
        for text in self._unavailable_gates(hook, config):
            await warn(text)
            answers.append(self._policies.answer(hook, verdict, text, config))
        if len(answers) < 2:
            return answers[0] if answers else None
        from codex_host.plugins.merging import merge_verdicts

        return merge_verdicts("any_block" if policy.kind == "choose" else policy.merge, verdict, answers)

    def _unavailable_gates(self, hook: str, config: Mapping[str, Any]) -> list[str]:
        """Return why implementations of a gate are unavailable: their plugin is not loaded or quarantined.

        A plugin that failed before its hooks were known may have been a gate.
        """
        if not self._policies.is_gate(hook, config):
            return []
        reasons = [
            f"plugin {name} is {status.state}: {status.detail}; its {hook} can't be asked"
            for name, status in self._registry.statuses.items()
            if status.is_missing and (hook in status.hooks or not status.hooks)
        ]
        reasons += [
            f"plugin {bound.plugin} is quarantined: {bound.stats.quarantined[hook]}"
            for bound in self._calls(hook)
            if bound.quarantined
        ]
        return reasons

    def unavailable(self, hook: str) -> list[str]:
        """Return why plugins that implement a hook can't be asked: not loaded, quarantined, or failed at the last call.

        Plugins that the user disabled are among them, those for other platforms are not.
        """
        reasons = [
            status.warning
            for status in self._registry.statuses.values()
            if status.state != "loaded" and not status.expected and hook in status.hooks
        ]
        for bound in self._calls(hook):
            if bound.failure:
                reasons.append(bound.failure)
            elif bound.quarantined:
                reasons.append(self._registry.status(bound.plugin).quarantine)
        return reasons

    def _call_sync(self, bound: BoundHook, arguments: dict[str, Any], *, raises: bool = False) -> Any:
        if bound.quarantined:
            return None
        bound.stats.calls += 1
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
            bound.stats.total_ms += (time.perf_counter() - started) * 1000
        self._succeeded(bound)
        return answer

    async def _observe(self, bound: BoundHook, values: dict[str, Any], scope: EventScope) -> None:
        began = time.time()
        try:
            await self._timed(bound, values, scope.warn)
        except Exception as error:
            await self._report_failure(bound, error, scope, began)
        else:
            self._succeeded(bound)

    async def _timed(self, bound: BoundHook, values: dict[str, Any], warn: Warn) -> Any:
        async def left_behind(places: Places) -> None:
            await warn(self.failures.report_left_behind(bound.hook, bound.plugin, places, bound.function))

        stats = bound.stats
        stats.calls += 1
        started = time.perf_counter()
        try:
            return await run_task(bound.start, values, limit=bound.limit, on_left_behind=left_behind)
        finally:
            stats.total_ms += (time.perf_counter() - started) * 1000

    async def _report(self, bound: BoundHook, answer: Verdict, scope: EventScope, began: float) -> Verdict:
        """Notify clients of a completed run, and return the answer with the run's id filled in where it is needed."""
        from codex_host.plugins.hook_runs import finished_run

        run, answer = finished_run(bound, answer, began)
        await scope.report(run)
        return answer

    async def _report_failure(self, bound: BoundHook, error: BaseException, scope: EventScope, began: float) -> str:
        """Record a failure, notify the user and clients, and return the message."""
        message = self._failed(bound, error)
        if not bound.reports:
            from codex_host.plugins.hook_runs import failed_run

            await scope.report(failed_run(bound, message, began))
        await scope.warn(message)
        return message

    def _failed(self, bound: BoundHook, error: BaseException) -> str:
        bound.failure = self.failures.record(bound.hook, bound.plugin, error, bound.function)
        return bound.failure

    def _succeeded(self, bound: BoundHook) -> None:
        bound.failure = ""
        if bound.stats.failures:
            self._stats_file.record_success(bound.plugin, bound.hook)
