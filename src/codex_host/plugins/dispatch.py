"""Call hooks: typed methods in front, and behind them one place that awaits, bounds, isolates and merges."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from codex_hookspecs.errors import CodexError, PluginError
from codex_hookspecs.hook_runs import failed_run, finished_run
from codex_hookspecs.types.lifecycle import Verdict

if TYPE_CHECKING:
    from codex_hookspecs.ports.host import Host
    from codex_hookspecs.types.lifecycle import LifecycleEvent
    from codex_host.plugins.ledger import Ledger
    from codex_host.plugins.registry import Registry
    from codex_host.session.scope import Scope

V = TypeVar("V", bound=Verdict)
Complaint = Callable[[str], Awaitable[None]]


class Dispatcher:
    """Calls the registered plugins.

    :param host: handed to implementations that ask for it.
    :param fail_closed: names of hooks whose failures count as refusals although their policy skips them.
    """

    def __init__(self, registry: Registry, ledger: Ledger, *, host: Host, fail_closed: Sequence[str] = ()) -> None:
        self._registry = registry
        self._ledger = ledger
        self._host = host
        self._fail_closed = frozenset(fail_closed)
        self._order: dict[str, list[Any]] = {}
        self.complaints: list[str] = []

    def has(self, hook: str) -> bool:
        """Tell whether any plugin implements a hook."""
        return bool(self._implementations(hook))

    def offers(self, hook: str, **arguments: Any) -> list[tuple[str, Any]]:
        """Collect what plugins offer, in order of plugin name: plugin and contribution."""
        found = [(impl.plugin_name, self._call_sync(hook, impl, arguments)) for impl in self._implementations(hook)]
        return sorted(((name, answer) for name, answer in found if answer is not None), key=lambda pair: pair[0])

    def choose(self, hook: str, **arguments: Any) -> Any:
        """Return the first answer other than ``None``.

        :raises ConfigError: when an implementation says that the configuration is wrong.
        """
        for impl in self._implementations(hook):
            answer = self._call_sync(hook, impl, arguments)
            if answer is not None:
                return answer
        return None

    async def lifecycle(self, hook: str, verdict: type[V], event: LifecycleEvent, scope: Scope) -> V:
        """Tell all plugins an event and merge what they answer."""
        answers: list[V] = []
        for order, impl in enumerate(self._implementations(hook)):
            answer = await self._call_event(hook, impl, order=order, verdict=verdict, event=event, scope=scope)
            if answer is not None:
                answers.append(answer)
        if len(answers) == 1:
            return answers[0]
        return verdict.merged(answers) if answers else verdict()

    async def observe(self, hook: str, event: LifecycleEvent, scope: Scope) -> None:
        """Tell all observers an event, side by side, and wait for them under their time limits."""
        impls = list(enumerate(self._implementations(hook)))
        if len(impls) == 1:
            await self._call_event(hook, impls[0][1], order=0, verdict=None, event=event, scope=scope)
        elif impls:
            async with asyncio.TaskGroup() as group:
                for order, impl in impls:
                    group.create_task(self._call_event(hook, impl, order=order, verdict=None, event=event, scope=scope))

    async def concat(self, hook: str, complain: Complaint, **arguments: Any) -> list[Any]:
        """Collect the sequences that plugins answer to an event into one list."""
        joined: list[Any] = []
        for impl in self._implementations(hook):
            try:
                answer = await self._timed(hook, impl, arguments)
                joined.extend(answer or ())
            except Exception as error:
                await complain(self._failed(hook, impl, error))
        return joined

    def _implementations(self, hook: str) -> list[Any]:
        """Return who is called, in order of registration, which is the order of names, unless marked otherwise."""
        impls = self._order.get(hook)
        if impls is None:
            impls = self._order[hook] = sorted(
                getattr(self._registry.manager.hook, hook).get_hookimpls(),
                key=lambda impl: (not impl.tryfirst, impl.trylast),
            )
        account = self._ledger.account
        return [impl for impl in impls if account(impl.plugin_name).quarantined is None]

    def _call_sync(self, hook: str, impl: Any, arguments: dict[str, Any]) -> Any:
        account = self._ledger.account(impl.plugin_name)
        account.calls += 1
        started = time.perf_counter()
        try:
            return impl.function(*self._values(impl, arguments))
        except CodexError as error:
            if not isinstance(error, PluginError):
                raise
            self.complaints.append(self._failed(hook, impl, error))
        except Exception as error:
            self.complaints.append(self._failed(hook, impl, error))
        finally:
            account.total_ms += (time.perf_counter() - started) * 1000
        return None

    async def _call_event(
        self, hook: str, impl: Any, *, order: int, verdict: type[V] | None, event: LifecycleEvent, scope: Scope
    ) -> V | None:
        reports_itself = "scope" in impl.argnames
        answer: V | None
        try:
            answer = await self._timed(hook, impl, {"event": event, "scope": scope})
            if answer is None:
                return None
            if verdict is None:
                return None
            if not isinstance(answer, verdict):
                raise _WrongAnswer(f"returned {type(answer).__name__}, not {verdict.__name__} or None")
        except Exception as error:
            message = self._failed(hook, impl, error)
            if not reports_itself:
                await scope.report(failed_run(hook, impl, order, message))
            await scope.warn(message)
            policy = self._registry.policies[hook]
            if verdict is not None and (policy.on_error == "block" or hook in self._fail_closed):
                return verdict.refusal(message)
            return None
        if not reports_itself:
            run, answer = finished_run(hook, impl, order, answer)
            await scope.report(run)
        return answer

    async def _timed(self, hook: str, impl: Any, arguments: dict[str, Any]) -> Any:
        account = self._ledger.account(impl.plugin_name)
        account.calls += 1
        started = time.perf_counter()
        coroutine: Coroutine[Any, Any, Any] = impl.function(*self._values(impl, arguments))
        try:
            # Most implementations never wait: run to the first suspension before paying for a timer.
            try:
                yielded = coroutine.send(None)
            except StopIteration as finished:
                result = finished.value
            else:
                result = await self._rest(hook, impl, coroutine, yielded)
            if account.failures:
                self._ledger.succeeded(impl.plugin_name, hook)
            return result
        finally:
            account.total_ms += (time.perf_counter() - started) * 1000

    async def _rest(self, hook: str, impl: Any, coroutine: Coroutine[Any, Any, Any], yielded: Any) -> Any:
        limit = getattr(impl.function, "codex_time_limit", None) or self._registry.policies[hook].timeout
        try:
            async with asyncio.timeout(limit) as timer:
                return await _Resumed(coroutine, yielded)
        except TimeoutError as error:
            if timer.expired():
                raise _WrongAnswer(f"took longer than {limit:g} s") from error
            raise

    def _values(self, impl: Any, arguments: dict[str, Any]) -> list[Any]:
        host = self._host
        return [host if name == "host" else arguments[name] for name in impl.argnames]

    def _failed(self, hook: str, impl: Any, error: Exception) -> str:
        status = self._registry.status(impl.plugin_name)
        what = str(error) if isinstance(error, _WrongAnswer) else f"raised {type(error).__name__}"
        detail = "" if isinstance(error, _WrongAnswer) else f": {error}"
        quarantined = self._ledger.failed(impl.plugin_name, hook, what, version=status.version)
        text = f"plugin {impl.plugin_name} ({status.distribution} {status.version}): {hook} {what}{detail}".rstrip()
        if quarantined:
            status.state = "quarantined"
            text += f"; it is not called any more (run: codex plugins show {impl.plugin_name})"
        return text


class _WrongAnswer(Exception):
    """Says in words what an implementation did wrong."""


class _Resumed:
    """Go on with a coroutine that was already run to its first suspension."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], yielded: Any) -> None:
        self._coroutine = coroutine
        self._yielded = yielded

    def __await__(self) -> Generator[Any, Any, Any]:
        coroutine, yielded = self._coroutine, self._yielded
        step: Callable[[Any], Any]
        value: Any
        while True:
            try:
                sent = yield yielded
            except GeneratorExit:
                coroutine.close()
                raise
            except BaseException as error:
                step, value = coroutine.throw, error
            else:
                step, value = coroutine.send, sent
            try:
                yielded = step(value)
            except StopIteration as finished:
                return finished.value
