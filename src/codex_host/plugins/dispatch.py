"""Call hooks: typed methods in front, and behind them one place that awaits, bounds, isolates and merges."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from attrs import define

from codex_hookspecs.errors import CodexError, PluginError
from codex_hookspecs.fit import PARTS, WrongAnswer, checked
from codex_hookspecs.ports.threads import HookScope
from codex_hookspecs.resumption import Resumed
from codex_host.plugins.failure_policies import FailurePolicies

if TYPE_CHECKING:
    from codex_hookspecs.ports.host import Host
    from codex_hookspecs.ports.threads import AgentThread
    from codex_hookspecs.types.lifecycle import LifecycleEvent, Verdict
    from codex_hookspecs.types.notifications import HookRun
    from codex_host.plugins.ledger import Account, Ledger
    from codex_host.plugins.registry import Registry

V = TypeVar("V", bound="Verdict")
Complaint = Callable[[str], Awaitable[None]]
FAULTS = (Exception, SystemExit, asyncio.CancelledError)
"""What code of a plugin may raise without harm to others; see :func:`pass_cancellation`."""


class EventScope(HookScope, Protocol):
    """A scope in which the dispatcher reports the runs of Python hooks."""

    async def report(self, run: HookRun) -> None:
        """Tell clients of a run that is already over."""
        ...


@define
class Bound:
    """One implementation, with all that a call needs.

    :param start: calls it with those of some named values that it takes.
    :param reports: it reports its runs itself.
    :param active: tells whether it has anything to do in a thread, or ``None`` when it always may.
    :param limit: seconds it may take.
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
    :param fail_closed: events whose failures count as refusals.
    :param fail_open: events whose failures count as no opinion.
    """

    def __init__(
        self,
        registry: Registry,
        ledger: Ledger,
        *,
        host: Host,
        fail_closed: Sequence[str] = (),
        fail_open: Sequence[str] = (),
    ) -> None:
        self._registry = registry
        self._ledger = ledger
        self._host = host
        self._failures = FailurePolicies(registry.policies, closed=fail_closed, open=fail_open)
        self._bound: dict[str, list[Bound]] = {}
        self.complaints: list[str] = list(self._failures.warnings)

    def has(self, hook: str, thread: AgentThread | None = None) -> bool:
        """Tell whether any plugin implements a hook and has something to do in a thread."""
        for bound in self._calls(hook):
            try:
                if bound.account.quarantined is None and (bound.active is None or bound.active(self._host, thread)):
                    return True
            except Exception as error:
                self.complain(self._failed(hook, bound, error))
        return False

    def offers(self, hook: str, *, key: str = "name", plugin: str | None = None, **arguments: Any) -> dict[str, Any]:
        """Collect what plugins offer: those of the host first, then in order of plugin name.

        :param key: attribute that names a contribution; of two with one name the later is left out.
        :param plugin: ask this one only.
        """
        asked = [bound for bound in self._calls(hook, plugin) if plugin in (None, bound.plugin)]
        asked.sort(key=lambda bound: (not self._registry.status(bound.plugin).first_party, bound.plugin))
        offered: dict[str, Any] = {}
        owners: dict[str, str] = {}
        for bound in asked:
            for part in self._call_sync(hook, bound, arguments) or ():
                name = getattr(part, key)
                if name in owners:
                    what = f"{PARTS[hook][0]} {name} of plugin {bound.plugin}"
                    self.complain(f"{what} is left out: plugin {owners[name]} offers one of that name")
                    continue
                offered[name], owners[name] = part, bound.plugin
        return offered

    def choose(self, hook: str, **arguments: Any) -> Any:
        """Return the first answer other than ``None``.

        :raises CodexError: when an implementation says what is wrong, e.g. with the configuration.
        """
        for bound in self._calls(hook):
            answer = self._call_sync(hook, bound, arguments, raises=True)
            if answer is not None:
                return answer
        return None

    def complain(self, text: str) -> None:
        """Note something that the user should know."""
        if text not in self.complaints:
            self.complaints.append(text)

    async def lifecycle(self, hook: str, verdict: type[V], event: LifecycleEvent, scope: EventScope) -> V:
        """Tell all plugins an event and merge what they answer."""
        answers: list[V] = []
        values = {"event": event, "scope": scope, "host": self._host}
        for order, bound in enumerate(self._calls(hook)):
            account = bound.account
            if account.quarantined is not None:
                continue
            account.calls += 1
            started = time.perf_counter()
            try:
                coroutine = bound.start(values)
                # Most implementations never wait: run to the first suspension before paying for a timer.
                try:
                    yielded = coroutine.send(None)
                except StopIteration as finished:
                    answer = finished.value
                else:
                    answer = await self._rest(bound, coroutine, yielded)
                if answer is not None and not isinstance(answer, verdict):
                    raise WrongAnswer(f"returned {type(answer).__name__}, not {verdict.__name__} or None")
                if account.failures:
                    self._ledger.succeeded(bound.plugin, hook)
            except FAULTS as error:
                pass_cancellation(error)
                answer = await self._failed_event(hook, bound, order, error, verdict=verdict, scope=scope)
            else:
                if answer is not None and not bound.reports:
                    answer = await self._report(hook, bound, order, answer, scope)
            finally:
                account.total_ms += (time.perf_counter() - started) * 1000
            if answer is not None:
                answers.append(answer)
        if len(answers) == 1:
            return answers[0]
        return verdict.merged(answers) if answers else verdict()

    async def observe(self, hook: str, event: LifecycleEvent, scope: EventScope) -> None:
        """Tell all observers an event, side by side, and wait for them under their time limits."""
        values = {"event": event, "scope": scope, "host": self._host}
        async with asyncio.TaskGroup() as group:
            for order, bound in enumerate(self._calls(hook)):
                if bound.account.quarantined is None:
                    group.create_task(self._observe(hook, bound, order, values=values, scope=scope))

    async def concat(self, hook: str, complain: Complaint, **arguments: Any) -> list[Any]:
        """Collect the sequences that plugins answer to an event into one list."""
        joined: list[Any] = []
        values = {**arguments, "host": self._host}
        for bound in self._calls(hook):
            if bound.account.quarantined is None:
                try:
                    joined.extend(checked(hook, await self._timed(hook, bound, values)) or ())
                except FAULTS as error:
                    pass_cancellation(error)
                    await complain(self._failed(hook, bound, error))
        return joined

    def _calls(self, hook: str, plugin: str | None = None) -> list[Bound]:
        """Return who is called, in order of names, unless marked otherwise."""
        if self._registry.deferred:
            for status in self._registry.load_for(hook, plugin):
                self._bound.clear()
                if status.state == "failed":
                    self.complain(status.complaint)
        bound = self._bound.get(hook)
        if bound is None:
            impls = getattr(self._registry.manager.hook, hook).get_hookimpls()
            ordered = sorted(impls, key=lambda impl: (not impl.tryfirst, impl.trylast, impl.plugin_name))
            bound = self._bound[hook] = [self._bind(hook, impl) for impl in ordered]
        return bound

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

    def _call_sync(self, hook: str, bound: Bound, arguments: dict[str, Any], *, raises: bool = False) -> Any:
        if bound.account.quarantined is not None:
            return None
        bound.account.calls += 1
        started = time.perf_counter()
        try:
            answer = checked(hook, bound.start({**arguments, "host": self._host}))
        except FAULTS as error:
            if raises and isinstance(error, CodexError) and not isinstance(error, PluginError):
                raise
            self.complain(self._failed(hook, bound, error))
            return None
        finally:
            bound.account.total_ms += (time.perf_counter() - started) * 1000
        if bound.account.failures:
            self._ledger.succeeded(bound.plugin, hook)
        return answer

    async def _observe(self, hook: str, bound: Bound, order: int, *, values: dict[str, Any], scope: EventScope) -> None:
        try:
            await self._timed(hook, bound, values)
        except FAULTS as error:
            pass_cancellation(error)
            await self._failed_event(hook, bound, order, error, verdict=None, scope=scope)

    async def _timed(self, hook: str, bound: Bound, values: dict[str, Any]) -> Any:
        account = bound.account
        account.calls += 1
        started = time.perf_counter()
        try:
            answer = await self._rest(bound, bound.start(values))
        finally:
            account.total_ms += (time.perf_counter() - started) * 1000
        if account.failures:
            self._ledger.succeeded(bound.plugin, hook)
        return answer

    async def _rest(self, bound: Bound, coroutine: Coroutine[Any, Any, Any], yielded: Any = None) -> Any:
        task = asyncio.current_task()
        before = task.cancelling() if task else 0
        try:
            async with asyncio.timeout(bound.limit) as timer:
                answer = await Resumed(coroutine, yielded)
        except TimeoutError as error:
            if timer.expired():
                raise WrongAnswer(f"took longer than {bound.limit:g} s") from error
            raise
        if task and task.cancelling() > before:
            raise asyncio.CancelledError  # which the implementation kept to itself
        return answer

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
        if verdict is None:
            return None
        return self._failures.answer(hook, verdict, message)

    def _failed(self, hook: str, bound: Bound, error: BaseException) -> str:
        status = self._registry.status(bound.plugin)
        what = str(error) if isinstance(error, WrongAnswer) else f"raised {type(error).__name__}"
        detail = "" if isinstance(error, WrongAnswer) or not str(error) else f": {error}"
        quarantined = self._ledger.failed(bound.plugin, hook, what, version=status.version)
        text = f"plugin {bound.plugin} ({status.distribution} {status.version}): {hook} {what}{detail}"
        if quarantined:
            status.state = "quarantined"
            text += f"; it is not called any more (run: codex plugins show {bound.plugin})"
        return text


def pass_cancellation(error: BaseException) -> None:
    """Raise the error again if it is the cancellation of the running task, not one that a plugin made up."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise error


def _starter(function: Callable[..., Any], names: Sequence[str]) -> Callable[[dict[str, Any]], Any]:
    """Return a call of a function with those of some named values that it takes."""
    if not names:
        return lambda _: function()
    if len(names) == 1:
        (name,) = names
        return lambda values: function(values[name])
    pick = itemgetter(*names)
    return lambda values: function(*pick(values))
