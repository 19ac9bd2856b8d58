"""A thread whose machine is in memory, and which remembers what clients would have been told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from codex_hookspecs.errors import SandboxUnavailable, ToolRejected
from codex_hookspecs.protocol import CommandOutputDelta, TerminalInteraction, ThreadSettings, WarningNotice
from codex_hookspecs.sandbox import AdditionalPermissions, Launch, LaunchRequest, SandboxPolicy
from codex_hookspecs.tools import (
    CommandApproval,
    CommandRequest,
    PermissionsApproval,
    PermissionsRequest,
    Tool,
    ToolCall,
    ToolOutput,
)
from codex_sandboxing.additional import merge
from codex_testkit.memory.environment import MemoryEnvironment, MemoryProcess, Program
from codex_tool_exec import plugin


async def failing(process: MemoryProcess) -> int:
    await process.say("out\n")
    await process.say("err\n", "stderr")
    return 3


async def denied(process: MemoryProcess) -> int:
    await process.say("touch: cannot touch 'x': Read-only file system\n", "stderr")
    return 1


async def denied_later(process: MemoryProcess) -> int:
    await process.say("one\n")
    await asyncio.sleep(0.4)
    return await denied(process)


async def denied_elsewhere(process: MemoryProcess) -> int:
    process._feed.exit(1, sandbox_denied=process.params.sandbox is not None)
    return 1


async def waiting(process: MemoryProcess) -> int:
    await process.say("ready\n")
    await asyncio.Event().wait()
    return 0


async def slow(process: MemoryProcess) -> int:
    await process.say("one\n")
    await asyncio.sleep(0.4)
    await process.say("two\n")
    return 0


async def cat(process: MemoryProcess) -> int:
    while (data := await process.receive()) != b"\x04":
        await process.say(data)
    return 0


async def show_env(process: MemoryProcess) -> int:
    await process.say(json.dumps(process.params.env))
    return 0


async def leave_behind(process: MemoryProcess) -> int:
    await process.say("a\n")
    process.leave(2)
    await asyncio.Event().wait()
    return 0


async def leave_chatting(process: MemoryProcess) -> int:
    process.leave(0)
    while True:
        await process.say("still here\n")
        await asyncio.sleep(0.005)


async def flood(process: MemoryProcess) -> int:
    for _ in range(30_000):
        await process.say(b"0123456789abcde\n" * 64)
    return 0


PROGRAMS: dict[str, Program] = {
    "denied": denied,
    "denied later": denied_later,
    "remote denial": denied_elsewhere,
    "echo hi": "hi\n",
    "fail": failing,
    "wait": waiting,
    "slow": slow,
    "cat": cat,
    "env": show_env,
    "flood": flood,
    "leave": leave_behind,
    "chat": leave_chatting,
    "binary": b"a\xff\xfeb\n",
    "letters": b"a" * 60_001,
    "numbers": "".join(f"{number}\n" for number in range(1, 3001)),
    "silent": "",
    "umlauts": "äöü€",
}


FILES = {"/bin/sh": "", "/usr/bin/zsh": "", "/space/sub/x": ""}


class Host:
    def __init__(self, *features: str) -> None:
        self.features = self
        self._enabled = features

    def enabled(self, key: str) -> bool:
        return key in self._enabled

    environ = {"PATH": "/bin", "HOME": "/home/user", "MOCK_CREDENTIAL": "hidden"}


class Conversation:
    """Plays a thread and the context of its calls; ``told`` has every item state and notification in order."""

    id = "thread-1"
    turn_id = "turn-1"

    def __init__(self, *features: str) -> None:
        self.let_go: list[str] = []
        self.wishes: list[PermissionsRequest] = []
        self.grant = PermissionsApproval(AdditionalPermissions())
        self.granted: AdditionalPermissions | None = None
        self.launched: list[LaunchRequest] = []
        self.in_sandbox: dict[str, str] = {}
        self.told: list[tuple[str, Any]] = []
        self._news = asyncio.Event()
        self.config: dict[str, Any] = {}
        self.asked: list[CommandRequest] = []
        self.asked_again: list[CommandApproval] = []
        self.approval = CommandApproval()
        self.second_refusal: BaseException | None = None
        self.delegated: list[ToolCall] = []
        self.warned: list[str] = []
        self.refusal: ToolRejected | None = None
        self.machine = MemoryEnvironment(
            programs=PROGRAMS, files={"/bin/sh": "", "/usr/bin/zsh": "", "/space/sub/x": ""}
        )
        self._closing: list[Callable[[], Awaitable[None]]] = []
        self._calls = 0
        self.policy(SandboxPolicy("dangerFullAccess"))
        self.tools: dict[str, Tool] = {tool.name: tool for tool in plugin.tools(thread=self, host=Host(*features))}

    @property
    def thread(self) -> Conversation:
        return self

    def policy(self, policy: SandboxPolicy, approval: str = "never") -> None:
        self.settings = ThreadSettings(
            cwd="/space", model="m", model_provider="p", sandbox=policy, approval_policy=approval
        )

    async def call(self, name: str, /, arguments: str | None = None, **given: Any) -> ToolOutput:
        self._calls += 1
        text = json.dumps(given) if arguments is None else arguments
        async with asyncio.timeout(20):
            return await self.tools[name].run(ToolCall(call_id=f"call-{self._calls}", name=name, arguments=text), self)

    async def run(self, cmd: str, **given: Any) -> ToolOutput:
        return await self.call("exec_command", cmd=cmd, **given)

    async def session(self, cmd: str, **given: Any) -> int:
        output = await self.run(cmd, yield_time_ms=250, **given)
        return int(output.text.split("session ID ")[1].split()[0])

    async def close(self) -> None:
        for callback in self._closing:
            await callback()

    async def until(self, state: str) -> list[Any]:
        """Wait until there is at least one item of a state."""
        async with asyncio.timeout(10):
            while not self.items(state):
                self._news.clear()
                await self._news.wait()
        return self.items(state)

    def tell(self, kind: str, what: Any) -> None:
        self.told.append((kind, what))
        self._news.set()

    def items(self, state: str) -> list[Any]:
        return [item for kind, item in self.told if kind == state]

    # the thread

    def on_close(self, callback: Callable[[], Awaitable[None]]) -> None:
        self._closing.append(callback)

    async def add_context(self, text: str) -> None:
        self.warned.append(text)

    # the context of a call

    async def environment(self) -> MemoryEnvironment:
        return self.machine

    async def emit(self, notification: Any) -> None:
        if isinstance(notification, CommandOutputDelta):
            self.tell("delta", notification.delta)
        elif isinstance(notification, WarningNotice):
            self.warned.append(notification.message)
        else:
            assert isinstance(notification, TerminalInteraction)
            self.tell("interaction", (notification.item_id, notification.process_id, notification.stdin))

    async def start_item(self, item: Any) -> None:
        self.tell("started", item)

    async def complete_item(self, item: Any) -> None:
        self.tell("completed", item)

    async def approve_command(self, call: ToolCall, request: CommandRequest) -> CommandApproval:
        self.asked.append(request)
        if self.refusal is not None:
            raise self.refusal
        additional = merge(self.granted, request.additional)
        unsandboxed = self.approval.unsandboxed or request.escalated
        return self.approval._replace(unsandboxed=unsandboxed, additional=additional)

    async def approve_retry(self, call: ToolCall, request: CommandRequest, approval: CommandApproval) -> None:
        assert request is self.asked[-1]
        self.asked_again.append(approval)
        if self.second_refusal is not None:
            raise self.second_refusal

    async def request_permissions(self, call: ToolCall, request: PermissionsRequest) -> PermissionsApproval:
        self.wishes.append(request)
        return self.grant

    def program_folder(self) -> str | None:
        return None

    def launch(self, request: LaunchRequest) -> Launch:
        self.launched.append(request)
        if request.policy.kind == "readOnly":
            raise SandboxUnavailable("no launcher holds read-only here; use danger-full-access")
        script = "denied" if "denied" in request.argv else self.in_sandbox.get(request.argv[-1], "echo hi")
        return Launch(
            argv=("/bin/sh", "-c", script),
            env={**request.env, "SANDBOXED": "1"},
            arg0="sandboxed",
            on_started=lambda: self.let_go.append("started"),
            on_ended=lambda: self.let_go.append("ended"),
        )

    async def delegate(self, call: ToolCall) -> ToolOutput:
        self.delegated.append(call)
        return ToolOutput("patched")


@pytest.fixture
async def talk() -> AsyncIterator[Conversation]:
    conversation = Conversation()
    yield conversation
    await conversation.close()
    await conversation.machine.aclose()


@pytest.fixture
async def more() -> AsyncIterator[Conversation]:
    """A thread whose calls may ask for more than its policy allows."""
    conversation = Conversation("exec_permission_approvals", "request_permissions_tool")
    conversation.policy(SandboxPolicy("workspaceWrite"), "on-request")
    yield conversation
    await conversation.close()
    await conversation.machine.aclose()
