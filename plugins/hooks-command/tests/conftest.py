from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import define, field

from codex_hooks_command import plugin
from codex_hookspecs.environments import Environment, ExecBackend
from codex_hookspecs.errors import ConfigError, ExecError
from codex_hookspecs.host import ConfigLayer
from codex_hookspecs.protocol import HookRun
from codex_hookspecs.types import lifecycle as life


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@define(eq=False)
class Configuration:
    """Layers of one directory; writing changes the user's file as the real one does."""

    layers: list[ConfigLayer]
    values: dict[str, Any] = field(factory=dict)
    written: dict[str, Any] = field(factory=dict)
    asked: list[tuple[str, Any]] = field(factory=list)
    fault: str = ""

    def for_directory(self, cwd: str, overrides: Mapping[str, Any] | None = None) -> Configuration:
        self.asked.append((cwd, overrides))
        if self.fault:
            raise ConfigError(self.fault)
        return self

    def get(self, key: str, default: Any = None) -> Any:
        return self.values.get(key, default)

    @property
    def table(self) -> dict[str, Any]:
        return self.values

    def write_user(self, edits: Mapping[str, Any]) -> None:
        self.written.update(edits)


@define
class Switches:
    on: bool = True

    def enabled(self, key: str) -> bool:
        return self.on and key == "hooks"


async def this_machine() -> Environment:
    """Open the environment of the installed plugin."""
    (found,) = entry_points(group="codex.plugins", name="exec-local")
    (provider,) = found.load().environments(host=SimpleNamespace(environ=os.environ))
    opened: Environment = await provider.open()
    return opened


@pytest.fixture
async def backend() -> AsyncIterator[ExecBackend]:
    environment = await this_machine()
    yield environment.exec
    await environment.aclose()


@define(eq=False)
class Machines:
    """The environments of a host that has only this machine."""

    opened: Environment | None = None
    fault: str = ""

    async def get(self, environment_id: str | None = None) -> Environment:
        if self.fault:
            raise ExecError(self.fault)
        if self.opened is None:
            self.opened = await this_machine()
        return self.opened

    def is_remote(self, environment_id: str | None = None) -> bool:
        return False


@define(eq=False)
class Program:
    """The part of a host that the plugin uses."""

    codex_home: str
    config: Configuration
    environ: dict[str, str]
    cwd: str = "/"
    features: Switches = field(factory=Switches)
    environments: Machines = field(factory=Machines)


@define
class Settings:
    cwd: str = "/"
    overrides: dict[str, Any] = field(factory=dict)


@define(eq=False)
class OpenThread:
    id: str = "thread-1"
    active_turn_id: str | None = None
    settings: Settings = field(factory=Settings)
    closing: list[Any] = field(factory=list)

    def on_close(self, callback: Any) -> None:
        self.closing.append(callback)

    async def close(self) -> None:
        for callback in reversed(self.closing):
            await callback()


@define(eq=False)
class Scope:
    """Records what the plugin reports."""

    thread: OpenThread = field(factory=OpenThread)
    config: dict[str, Any] = field(factory=dict)
    reports: list[tuple[str, HookRun]] = field(factory=list)
    warnings: list[str] = field(factory=list)
    contexts: list[str] = field(factory=list)
    heard: asyncio.Event = field(factory=asyncio.Event)

    async def started(self, run: HookRun) -> None:
        self.reports.append(("started", run))

    async def completed(self, run: HookRun) -> None:
        self.reports.append(("completed", run))

    async def warn(self, message: str) -> None:
        if message not in self.warnings:
            self.warnings.append(message)
        self.heard.set()

    async def add_context(self, text: str) -> None:
        self.contexts.append(text)
        self.heard.set()

    async def hear(self) -> None:
        """Wait for a warning or a context."""
        async with asyncio.timeout(10):
            await self.heard.wait()

    @property
    def ended(self) -> list[HookRun]:
        return [run for when, run in self.reports if when == "completed"]

    @property
    def texts(self) -> list[tuple[str, str]]:
        return [(entry.kind, entry.text) for run in self.ended for entry in run.entries]


EVENTS: dict[str, Any] = {
    "SessionStart": (plugin.session_start, life.SessionStartEvent, {}),
    "UserPromptSubmit": (plugin.user_prompt_submit, life.UserPromptSubmitEvent, {"prompt": "go"}),
    "PreToolUse": (
        plugin.pre_tool_use,
        life.PreToolUseEvent,
        {"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_use_id": "call-1"},
    ),
    "PermissionRequest": (
        plugin.permission_request,
        life.PermissionRequestEvent,
        {"tool_name": "Bash", "tool_input": {"command": "ls", "description": "look"}, "tool_use_id": "call-1"},
    ),
    "PostToolUse": (
        plugin.post_tool_use,
        life.PostToolUseEvent,
        {"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_response": "a\n", "tool_use_id": "call-1"},
    ),
    "Stop": (plugin.stop, life.StopEvent, {"last_assistant_message": "done"}),
    "SubagentStart": (plugin.subagent_start, life.SubagentStartEvent, {"agent_id": "a1", "agent_type": "worker"}),
    "SubagentStop": (plugin.subagent_stop, life.SubagentStopEvent, {"agent_id": "a1", "agent_type": "worker"}),
    "PreCompact": (plugin.pre_compact, life.CompactEvent, {}),
    "PostCompact": (plugin.post_compact, life.CompactEvent, {}),
    "Interrupt": (plugin.interrupt, life.InterruptEvent, {}),
    "SessionEnd": (plugin.session_end, life.SessionEndEvent, {}),
    "PreModelRequest": (plugin.pre_model_request, life.PreModelRequestEvent, {}),
    "PostModelRequest": (plugin.post_model_request, life.PostModelRequestEvent, {}),
}


@define
class World:
    """A home directory, a project and a host."""

    home: Path
    project: Path
    program: Program
    scope: Scope = field(factory=Scope)
    turn: int = 1

    @property
    def user_file(self) -> Path:
        return self.home / "hooks.json"

    def hooks(self, declared: Mapping[str, Any] | str, *, folder: Path | None = None) -> Path:
        """Write a hooks.json, by default into the user's directory."""
        path = (folder or self.home) / "hooks.json"
        path.write_text(declared if isinstance(declared, str) else json.dumps({"hooks": declared}), encoding="utf-8")
        return path

    def commands(self, event: str, *commands: str, **keys: Any) -> Path:
        """Write a hooks.json with handlers of one event in one group."""
        return self.hooks({event: [{"hooks": [{"type": "command", "command": one, **keys} for one in commands]}]})

    def layer(self, kind: str, **values: Any) -> ConfigLayer:
        layer = ConfigLayer(kind=kind, **values)  # type: ignore[arg-type]
        self.program.config.layers.append(layer)
        return layer

    async def fire(self, event: str, **values: Any) -> Any:
        """Fire an event in the current turn."""
        implementation, kind, usual = EVENTS[event]
        facts = {
            "session_id": "thread-1",
            "turn_id": None if event == "SessionEnd" else f"turn-{self.turn}",
            "transcript_path": "/r.jsonl",
            "cwd": str(self.project),
            "model": "m",
            **usual,
            **values,
        }
        return await implementation(event=kind(**facts), scope=self.scope, host=self.program)


@pytest.fixture
def world(tmp_path: Path) -> World:
    home, project = tmp_path / "home", tmp_path / "project"
    home.mkdir()
    (project / ".codex").mkdir(parents=True)
    layers: Sequence[ConfigLayer] = [ConfigLayer(kind="user", folder=str(home), file=str(home / "config.toml"))]
    program = Program(
        codex_home=str(home),
        config=Configuration(layers=list(layers)),
        environ={**os.environ, "SHELL": "/bin/sh", "HOME": str(tmp_path)},
    )
    return World(home=home, project=project, program=program)
