"""Run the handlers of one event: tell that they begin, run them together, tell how each ended."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from codex_hookspecs import frozen
from codex_hookspecs.errors import CodexError
from codex_hookspecs.protocol import HookEntry, HookRun

from . import matching, output, payload
from .events import Event
from .outcomes import Finished, Outcome, explained
from .running import Job, run_together

if TYPE_CHECKING:
    from codex_hookspecs.host import Host
    from codex_hookspecs.lifecycle import HookScope, LifecycleEvent

    from .detached import DetachedRuns
    from .discovery import Registry
    from .handlers import Registered

_THIS_MACHINE = "local"


@frozen(kw_only=True)
class Concluded:
    """One handler's run and what it means."""

    registered: Registered
    finished: Finished
    outcome: Outcome


class Engine:
    """Runs handlers for one event of one thread."""

    def __init__(self, event: Event, facts: LifecycleEvent, scope: HookScope, host: Host) -> None:
        self._event = event
        self._facts = facts
        self._scope = scope
        self._codex_home = host.codex_home
        self._environ = host.environ
        self._host = host
        self._tool_name: str = getattr(facts, "tool_name", "")
        self._call_id: str = getattr(facts, "tool_use_id", "")
        # Nobody listens any more when a thread ends.
        self._reports = event is not Event.SESSION_END

    async def run(self, registry: Registry, detached: DetachedRuns) -> list[Concluded]:
        """Run what matches.

        :param detached: owner of the runs that are not waited for.
        :return: runs that were waited for, in configured order.
        """
        chosen = registry.matching(self._event, self._subjects())
        if not chosen:
            return []
        line = payload.line_for(self._event, self._values())
        thread = self._scope.thread
        apart = [one for one in chosen if one.handler.detached and thread is not None]
        together = [one for one in chosen if one not in apart]
        for one in apart:
            if thread is not None:
                detached.start(thread, self._run_apart(one, line))
        return await self._run_together(together, line)

    def run_id(self, registered: Registered) -> str:
        """Return the identifier of the handler's run for this event."""
        return f"{registered.run_id}:{self._call_id}" if self._call_id else registered.run_id

    async def _run_together(self, chosen: Sequence[Registered], line: bytes) -> list[Concluded]:
        begun = time.time()
        for one in chosen if self._reports else ():
            await self._scope.started(self._report(one, started_at=begun))
        commands = [one for one in chosen if one.handler.type == "command"]
        ended = iter(await self._run_commands(commands, line))
        concluded = [
            self._conclude(one, next(ended) if one.handler.type == "command" else _without_server(one))
            for one in chosen
        ]
        for end in concluded if self._reports else ():
            await self._scope.completed(self._report(end.registered, started_at=begun, end=end))
        return concluded

    async def _run_commands(self, chosen: Sequence[Registered], line: bytes) -> list[Finished]:
        faults = [self._changed_script(one) for one in chosen]
        sound = [one for one, fault in zip(chosen, faults, strict=True) if fault is None]
        if not sound:
            return [Finished(error=fault) for fault in faults]
        try:
            machine = await self._host.environments.get(_THIS_MACHINE)
        except CodexError as error:
            return [Finished(error=fault or f"could not start the hook: {error}") for fault in faults]
        ended = iter(await run_together(machine.exec, [self._job(one, line) for one in sound]))
        return [next(ended) if fault is None else Finished(error=fault) for fault in faults]

    def _changed_script(self, one: Registered) -> str | None:
        if not one.reviewed:
            return None
        from .acceptance import AcceptedScripts, changed_script

        scripts = AcceptedScripts(self._codex_home, self._environ)
        path = scripts.changed(one, self._cwd(), self._scope.config)
        return None if path is None else f"the hook is not run: {changed_script(path, one)}"

    def _conclude(self, one: Registered, finished: Finished) -> Concluded:
        outcome = output.judge(self._event, finished, tool_name=self._tool_name)
        return Concluded(registered=one, finished=finished, outcome=explained(outcome, one.handler.label, finished))

    async def _run_apart(self, one: Registered, line: bytes) -> None:
        (finished,) = await self._run_commands([one], line) if one.handler.type == "command" else [_without_server(one)]
        outcome = self._conclude(one, finished).outcome
        if outcome.context and outcome.context.strip():
            await self._scope.add_context(self.bounded(outcome.context, one.handler.context_limit))
        for kind, text in outcome.entries:
            if kind in {"warning", "error"}:
                await self._scope.warn(f"async {self._event.facts.name} hook: {text}")

    def bounded(self, text: str, limit: int | None = None) -> str:
        """Cut a text for the model to its limit, the whole going to a file."""
        from .spill import bounded

        return bounded(text, codex_home=self._codex_home, thread_id=self._facts.session_id, limit=limit)

    def _subjects(self) -> Sequence[str] | None:
        key = self._event.facts.subject
        if key is None:
            return None
        value = getattr(self._facts, key) or ""
        if key != "tool_name":
            return (value,)
        return (*matching.subjects_of(value), *getattr(self._facts, "matcher_aliases", ()))

    def _values(self) -> Mapping[str, Any]:
        values = attrs.asdict(self._facts, recurse=False)
        if (usage := values.get("token_usage")) is not None:
            values["token_usage"] = attrs.asdict(usage)
        values["cwd"] = values.get("workdir") or values["cwd"]
        return values

    def _job(self, one: Registered, line: bytes) -> Job:
        added = one.origin.environment
        command = one.handler.command
        for name, value in added.items():
            command = command.replace(f"${{{name}}}", value)
        environment = {**self._environ, "CODEX_HOME": self._codex_home, **added}
        return Job(command=command, line=line, cwd=self._cwd(), timeout=one.handler.timeout, environment=environment)

    def _cwd(self) -> str:
        """Return where commands run: in the thread's directory, if that is one of this machine."""
        found = self._facts.cwd
        if os.path.isdir(found) or not self._host.environments.is_remote(self._scope.config.get("environment")):
            return found
        return self._host.cwd if os.path.isdir(self._host.cwd) else self._codex_home

    def _report(self, one: Registered, *, started_at: float, end: Concluded | None = None) -> HookRun:
        run_before_end = HookRun(
            id=self.run_id(one),
            event_name=self._event.facts.camel,
            handler_type="command" if one.handler.type == "command" else "mcpTool",
            scope=self._event.facts.scope,
            source_path=one.origin.path,
            source=one.origin.source,
            display_order=one.display_order,
            status="running",
            status_message=one.handler.status_message,
            started_at=int(started_at),
        )
        if end is None:
            return run_before_end
        finished = end.finished
        return attrs.evolve(
            run_before_end,
            status=end.outcome.status,
            completed_at=int(finished.completed_at or started_at),
            duration_ms=max(round((finished.completed_at - finished.started_at) * 1000), 0),
            entries=tuple(HookEntry(kind, text) for kind, text in end.outcome.entries),
        )


def _without_server(one: Registered) -> Finished:
    return Finished(error=f"unknown MCP server '{one.handler.arguments['server']}'")
