"""Run the handlers of one event concurrently and report their start and end."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from codex_hooks_command import matching, payload
from codex_hooks_command.events import Event
from codex_hooks_command.output import interpret
from codex_hooks_command.results import HookOutput, ProcessResult, add_details
from codex_hooks_command.running import Job, run_all
from codex_hookspecs import frozen
from codex_hookspecs.errors import CodexError
from codex_hookspecs.protocol import HookEntry, HookRun

if TYPE_CHECKING:
    from codex_hooks_command.detached import DetachedRuns
    from codex_hooks_command.discovery import Registry
    from codex_hooks_command.handlers import RegisteredHook
    from codex_hookspecs.host import Host
    from codex_hookspecs.lifecycle import HookScope, LifecycleEvent

_THIS_MACHINE = "local"


@frozen(kw_only=True)
class HookRunResult:
    """One handler's run: its process and its interpreted output."""

    hook: RegisteredHook
    process: ProcessResult
    output: HookOutput


class Engine:
    """Runs the handlers for one event of a thread."""

    def __init__(self, event: Event, lifecycle_event: LifecycleEvent, scope: HookScope, host: Host) -> None:
        self._event = event
        self._lifecycle_event = lifecycle_event
        self._scope = scope
        self._codex_home = host.codex_home
        self._environ = host.environ
        self._host = host
        self._tool_name: str = getattr(lifecycle_event, "tool_name", "")
        self._call_id: str = getattr(lifecycle_event, "tool_use_id", "")
        # When a thread ends, no client listens to it any more.
        self._reports = event is not Event.SESSION_END

    async def run(self, registry: Registry, detached: DetachedRuns) -> list[HookRunResult]:
        """Run the handlers that match.

        :param detached: takes the runs of ``async`` handlers.
        :return: the other runs, in configured order.
        """
        chosen = registry.matching(self._event, self._subjects())
        if not chosen:
            return []
        line = payload.build_line(self._event, self._values())
        thread = self._scope.thread
        detached_hooks = [one for one in chosen if one.handler.detached and thread is not None]
        awaited_hooks = [one for one in chosen if one not in detached_hooks]
        for one in detached_hooks:
            if thread is not None:
                detached.start(thread, self._run_detached(one, line))
        return await self._run_and_wait(awaited_hooks, line)

    def run_id(self, hook: RegisteredHook) -> str:
        """Return the id of the handler's run for this event."""
        return f"{hook.run_id}:{self._call_id}" if self._call_id else hook.run_id

    async def _run_and_wait(self, chosen: Sequence[RegisteredHook], line: bytes) -> list[HookRunResult]:
        started_at = time.time()
        for one in chosen if self._reports else ():
            await self._scope.started(self._hook_run(one, started_at=started_at))
        commands = [one for one in chosen if one.handler.type == "command"]
        results_of_commands = iter(await self._run_commands(commands, line))
        results = [
            self._interpret(one, next(results_of_commands) if one.handler.type == "command" else _missing_server(one))
            for one in chosen
        ]
        for result in results if self._reports else ():
            await self._scope.completed(self._hook_run(result.hook, started_at=started_at, result=result))
        return results

    async def _run_commands(self, chosen: Sequence[RegisteredHook], line: bytes) -> list[ProcessResult]:
        faults = [self._changed_script(one) for one in chosen]
        sound = [one for one, fault in zip(chosen, faults, strict=True) if fault is None]
        if not sound:
            return [ProcessResult(error=fault) for fault in faults]
        try:
            machine = await self._host.environments.get(_THIS_MACHINE)
        except CodexError as error:
            return [ProcessResult(error=fault or f"could not start the hook: {error}") for fault in faults]
        results_of_commands = iter(await run_all(machine.exec, [self._job(one, line) for one in sound]))
        return [next(results_of_commands) if fault is None else ProcessResult(error=fault) for fault in faults]

    def _changed_script(self, one: RegisteredHook) -> str | None:
        if not one.reviewed:
            return None
        from codex_hooks_command.acceptance import AcceptedScripts, changed_script_reason

        scripts = AcceptedScripts(self._codex_home, self._environ)
        path = scripts.find_changed(one, self._cwd(), self._scope.config)
        return None if path is None else f"the hook is not run: {changed_script_reason(path, one)}"

    def _interpret(self, one: RegisteredHook, process: ProcessResult) -> HookRunResult:
        output = interpret(self._event, process, tool_name=self._tool_name)
        return HookRunResult(hook=one, process=process, output=add_details(output, one.handler.label, process))

    async def _run_detached(self, one: RegisteredHook, line: bytes) -> None:
        (process,) = await self._run_commands([one], line) if one.handler.type == "command" else [_missing_server(one)]
        output = self._interpret(one, process).output
        if output.context and output.context.strip():
            await self._scope.add_context(self.limit_context(output.context, one.handler.context_limit))
        for kind, text in output.entries:
            if kind in {"warning", "error"}:
                await self._scope.warn(f"async {self._event.spec.name} hook: {text}")

    def limit_context(self, text: str, limit: int | None = None) -> str:
        """Truncate a text for the model, saving the whole to a file."""
        from codex_hooks_command.context_overflow import limit_context

        return limit_context(text, codex_home=self._codex_home, thread_id=self._lifecycle_event.session_id, limit=limit)

    def _subjects(self) -> Sequence[str] | None:
        key = self._event.spec.subject
        if key is None:
            return None
        value = getattr(self._lifecycle_event, key) or ""
        if key != "tool_name":
            return (value,)
        return (*matching.match_names(value), *getattr(self._lifecycle_event, "matcher_aliases", ()))

    def _values(self) -> Mapping[str, Any]:
        values = attrs.asdict(self._lifecycle_event, recurse=False)
        if (usage := values.get("token_usage")) is not None:
            values["token_usage"] = attrs.asdict(usage)
        values["cwd"] = values.get("workdir") or values["cwd"]
        return values

    def _job(self, one: RegisteredHook, line: bytes) -> Job:
        added = one.source.environment
        command = one.handler.command
        for name, value in added.items():
            command = command.replace(f"${{{name}}}", value)
        environment = {**self._environ, "CODEX_HOME": self._codex_home, **added}
        return Job(command=command, line=line, cwd=self._cwd(), timeout=one.handler.timeout, environment=environment)

    def _cwd(self) -> str:
        """Return the working directory of commands: the thread's, if it is on this machine."""
        found = self._lifecycle_event.cwd
        if os.path.isdir(found) or not self._host.environments.is_remote(self._scope.config.get("environment")):
            return found
        return self._host.cwd if os.path.isdir(self._host.cwd) else self._codex_home

    def _hook_run(self, one: RegisteredHook, *, started_at: float, result: HookRunResult | None = None) -> HookRun:
        run_before_end = HookRun(
            id=self.run_id(one),
            event_name=self._event.spec.camel,
            handler_type="command" if one.handler.type == "command" else "mcpTool",
            scope=self._event.spec.scope,
            source_path=one.source.path,
            source=one.source.kind,
            display_order=one.display_order,
            status="running",
            status_message=one.handler.status_message,
            started_at=int(started_at),
        )
        if result is None:
            return run_before_end
        process = result.process
        return attrs.evolve(
            run_before_end,
            status=result.output.status,
            completed_at=int(process.completed_at or started_at),
            duration_ms=max(round((process.completed_at - process.started_at) * 1000), 0),
            entries=tuple(HookEntry(kind, text) for kind, text in result.output.entries),
        )


def _missing_server(one: RegisteredHook) -> ProcessResult:
    return ProcessResult(error=f"unknown MCP server '{one.handler.arguments['server']}'")
