"""Call hooks: the one place that awaits, bounds, isolates and merges."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from codex_hookspecs.errors import CodexError, PluginError
from codex_hookspecs.fit import PARTS, WrongAnswer, checked
from codex_hookspecs.ports.threads import HookScope
from codex_hookspecs.values import define
from codex_host.plugins.failure_policies import FailurePolicies
from codex_host.plugins.failures import Failures
from codex_host.plugins.tasks import bearable, run_task
from codex_host.process.signals import SIGNALS

if TYPE_CHECKING:
    from codex_hookspecs.ports.host import Host
    from codex_hookspecs.ports.threads import AgentThread
    from codex_hookspecs.types.lifecycle import LifecycleEvent, Verdict
    from codex_hookspecs.types.notifications import HookRun
    from codex_host.plugins.ledger import Account, Ledger
    from codex_host.plugins.places import Places
    from codex_host.plugins.registry import Registry

V = TypeVar("V", bound="Verdict")
Complaint = Callable[[str], Awaitable[None]]


class EventScope(HookScope, Protocol):
    """A scope in which the dispatcher reports the runs of Python hooks."""

    async def report(self, run: HookRun) -> None:
        """Tell clients of a run that is already over."""
        ...


class Offered(dict[str, Any]):
    """What plugins offer, by name.

    :ivar owners: plugin of each, by name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.owners: dict[str, str] = {}


@define
class Bound:
    """One implementation, with all that a call needs.

    :param start: calls it with those of some named values that it takes.
    :param reports: it reports its runs itself.
    :param active: tells whether it has anything to do in a thread, or ``None`` when it always may.
    :param limit: seconds it may take, or ``None`` when it bounds its own work.
    """

    function: Callable[..., Any]
    start: Callable[[dict[str, Any]], Any]
    plugin: str
    account: Account
    reports: bool
    active: Callable[[Host, Any], bool] | None
    limit: float | None


class Dispatcher:
    """Calls the registered plugins.

    :param host: handed to implementations that ask for it.
    :ivar failures: says what failed in which plugin.
    """

    def __init__(self, registry: Registry, ledger: Ledger, *, host: Host) -> None:
        self._registry = registry
        self._ledger = ledger
        self._host = host
        self._policies = FailurePolicies(registry.policies)
        self._bound: dict[str, list[Bound]] = {}
        self.failures = Failures(registry, ledger, host=host)
        self.complaints: list[str] = []

    def check_settings(self, config: Mapping[str, Any]) -> None:
        """Note what is wrong with the settings of hooks."""
        for warning in self._policies.warnings(config):
            self.complain(warning)

    def has(self, hook: str, thread: AgentThread | None = None) -> bool:
        """Tell whether any plugin implements a hook and has something to do in a thread, or would have to be asked."""
        config: Mapping[str, Any] = {} if thread is None else thread.config
        for bound in self._calls(hook):
            if hook in bound.account.quarantined:
                continue
            try:
                if bound.active is None or bound.active(self._host, thread):
                    return True
            except BaseException as error:
                if SIGNALS.interrupted(error):
                    raise
                self.complain(self._failed(hook, bound, error))
                if self._policies.is_gate(hook, config):
                    return True
        return bool(self._silent_gates(hook, config))

    def offers(self, hook: str, *, key: str = "name", plugin: str | None = None, **arguments: Any) -> Offered:
        """Collect what plugins offer: those of the host first, then in order of plugin name.

        :param key: attribute that names a contribution; of two with one name the later is left out.
        :param plugin: ask this one only.
        """
        asked = [bound for bound in self._calls(hook, plugin) if plugin in (None, bound.plugin)]
        asked.sort(key=lambda bound: (not self._registry.status(bound.plugin).first_party, bound.plugin))
        offered = Offered()
        for bound in asked:
            for part in self._call_sync(hook, bound, arguments, key=key) or ():
                name = getattr(part, key)
                if name in offered:
                    what = f"{PARTS[hook][0]} {name} of plugin {bound.plugin}"
                    self.complain(f"{what} is left out: plugin {offered.owners[name]} offers one of that name")
                    continue
                offered[name], offered.owners[name] = part, bound.plugin
        return offered

    def choose(self, hook: str, **arguments: Any) -> tuple[Any, str]:
        """Return the first answer other than ``None``, and the plugin that gave it.

        :raises CodexError: when an implementation says what is wrong, e.g. with the configuration.
        """
        for bound in self._calls(hook):
            answer = self._call_sync(hook, bound, arguments, raises=True)
            if answer is not None:
                return answer, bound.plugin
        return None, ""

    def complain(self, text: str) -> None:
        """Note something that the user should know."""
        if text not in self.complaints:
            self.complaints.append(text)

    async def lifecycle(self, hook: str, verdict: type[V], event: LifecycleEvent, scope: EventScope) -> V:
        """Tell all plugins an event and merge what they answer."""
        answers: list[V] = []
        values = {"event": event, "scope": scope, "host": self._host}
        for order, bound in enumerate(self._calls(hook)):
            if hook in bound.account.quarantined:
                continue
            try:
                answer = await self._timed(hook, bound, values, scope.warn)
                if answer is not None and not issubclass(type(answer), verdict):
                    raise WrongAnswer(f"returned {type(answer).__name__}, not {verdict.__name__} or None")
            except Exception as error:
                answer = await self._failed_event(hook, bound, order, error, verdict=verdict, scope=scope)
            else:
                self._succeeded(hook, bound)
                if answer is not None and not bound.reports:
                    answer = await self._report(hook, bound, order, answer, scope)
            if answer is not None:
                answers.append(answer)
        for text in self._silent_gates(hook, scope.config):
            await scope.warn(text)
            answers.append(self._policies.answer(hook, verdict, text, scope.config) or verdict())
        if len(answers) == 1:
            return answers[0]
        return verdict.merged(answers) if answers else verdict()

    async def observe(self, hook: str, event: LifecycleEvent, scope: EventScope) -> None:
        """Tell all observers an event, side by side, and wait for them under their time limits."""
        values = {"event": event, "scope": scope, "host": self._host}
        async with asyncio.TaskGroup() as group:
            for order, bound in enumerate(self._calls(hook)):
                if hook not in bound.account.quarantined:
                    group.create_task(self._observe(hook, bound, order, values=values, scope=scope))

    async def concat(self, hook: str, complain: Complaint, **arguments: Any) -> list[Any]:
        """Collect the sequences that plugins answer to an event into one list.

        :raises PluginError: when another plugin failed that one of them used, such as that of a machine.
        """
        joined: list[Any] = []
        values = {**arguments, "host": self._host}
        for bound in self._calls(hook):
            if hook in bound.account.quarantined:
                continue
            try:
                joined.extend(_contained(checked, hook, await self._timed(hook, bound, values, complain)) or ())
            except Exception as error:
                text = self._failed(hook, bound, error)
                guilty = self.failures.guilty(bound.plugin, error, bound.function)
                if guilty != bound.plugin and not isinstance(error, CodexError):
                    raise PluginError(text, plugin=guilty) from error
                await complain(text)
            else:
                self._succeeded(hook, bound)
        return joined

    def _calls(self, hook: str, plugin: str | None = None) -> list[Bound]:
        """Return who is called: as the user wants it where one answer counts, as marked, in order of names."""
        if self._registry.deferred:
            for status in self._registry.load_for(hook, plugin):
                self._bound.clear()
                if status.state == "failed":
                    self.complain(status.complaint)
        bound = self._bound.get(hook)
        if bound is None:
            impls = getattr(self._registry.manager.hook, hook).get_hookimpls()
            impls.sort(key=lambda impl: (not impl.tryfirst, impl.trylast, impl.plugin_name))
            if self._registry.policies[hook].kind == "choose":
                impls.sort(key=lambda impl: not self._registry.status(impl.plugin_name).asked_first)
            bound = self._bound[hook] = [self._bind(hook, impl) for impl in impls]
        return bound

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
            if hook in bound.account.quarantined
        ]
        return reasons

    def _bind(self, hook: str, impl: Any) -> Bound:
        function = impl.function
        return Bound(
            function=function,
            start=_starter(function, impl.argnames),
            plugin=impl.plugin_name,
            account=self._ledger.account(impl.plugin_name),
            reports="scope" in impl.argnames,
            active=getattr(function, "codex_active", None),
            limit=getattr(function, "codex_time_limit", self._registry.policies[hook].timeout),
        )

    def _call_sync(
        self, hook: str, bound: Bound, arguments: dict[str, Any], *, raises: bool = False, key: str | None = None
    ) -> Any:
        if hook in bound.account.quarantined:
            return None
        bound.account.calls += 1
        started = time.perf_counter()
        try:
            answer = _contained(lambda: checked(hook, bound.start({**arguments, "host": self._host}), key=key))
        except Exception as error:
            if raises and isinstance(error, CodexError) and not isinstance(error, PluginError):
                raise
            self.complain(self._failed(hook, bound, error))
            return None
        finally:
            bound.account.total_ms += (time.perf_counter() - started) * 1000
        self._succeeded(hook, bound)
        return answer

    async def _observe(self, hook: str, bound: Bound, order: int, *, values: dict[str, Any], scope: EventScope) -> None:
        try:
            await self._timed(hook, bound, values, scope.warn)
        except Exception as error:
            await self._failed_event(hook, bound, order, error, verdict=None, scope=scope)
        else:
            self._succeeded(hook, bound)

    async def _timed(self, hook: str, bound: Bound, values: dict[str, Any], complain: Complaint) -> Any:
        async def left(places: Places) -> None:
            await complain(self.failures.left(hook, bound.plugin, places, bound.function))

        account = bound.account
        account.calls += 1
        started = time.perf_counter()
        try:
            return await run_task(bound.start, values, limit=bound.limit, left=left)
        finally:
            account.total_ms += (time.perf_counter() - started) * 1000

    def _succeeded(self, hook: str, bound: Bound) -> None:
        if bound.account.failures:
            self._ledger.succeeded(bound.plugin, hook)

    async def _report(self, hook: str, bound: Bound, order: int, answer: V, scope: EventScope) -> V:
        from codex_hookspecs.hook_runs import finished_run

        run, answer = finished_run(hook, bound.plugin, bound.function, order, answer)
        await scope.report(run)
        return answer

    async def _failed_event(
        self,
        hook: str,
        bound: Bound,
        order: int,
        error: BaseException,
        *,
        verdict: type[V] | None,
        scope: EventScope,
    ) -> V | None:
        message = self._failed(hook, bound, error)
        if not bound.reports:
            from codex_hookspecs.hook_runs import failed_run

            await scope.report(failed_run(hook, bound.plugin, bound.function, order, message))
        await scope.warn(message)
        return None if verdict is None else self._policies.answer(hook, verdict, message, scope.config)

    def _failed(self, hook: str, bound: Bound, error: BaseException) -> str:
        return self.failures.counted(hook, bound.plugin, error, bound.function)


def _contained(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call code of a plugin that does not wait.

    :raises Escaped: in place of what is no ``Exception``.
    """
    try:
        return function(*arguments)
    except BaseException as error:
        if SIGNALS.interrupted(error):
            raise
        raise bearable(error)  # noqa: B904  # It mostly is the same.


def _starter(function: Callable[..., Any], names: Sequence[str]) -> Callable[[dict[str, Any]], Any]:
    """Return a call of a function with those of some named values that it takes."""
    if not names:
        return lambda _: function()
    if len(names) == 1:
        (name,) = names
        return lambda values: function(values[name])
    pick = itemgetter(*names)
    return lambda values: function(*pick(values))
