"""Hold a conversation with an app-server and note what it says, without what differs from run to run."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Protocol

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from interop.protocol_cases import Ask, Case, Message, Turn, Wait

if TYPE_CHECKING:
    from codex_testkit.servers.responses import ResponsesServer
    from interop.clients import Codex, Stage

LIMIT = 30.0
TURN_LIMIT = 60.0
SETTLE_SECONDS = 0.4
"""How long messages are collected that may come after the last one that is waited for."""
IGNORED = {
    "account/rateLimits/updated",
    "thread/tokenUsage/updated",
    "mcpServer/startupStatus/updated",
    "skills/changed",
    "configWarning",
    "deprecationNotice",
    "warning",
    "item/commandExecution/outputDelta",
}
"""Notifications whose number or place is by chance in the real one, or which depend on the machine."""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NOISE = (
    (
        re.compile(r'"gitInfo": \{"sha": null, "branch": null, "originUrl": null\}'),
        '"gitInfo": null',
    ),  # of a repository without a commit
    (re.compile(r"rollout-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-"), "rollout-TIME-"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "http://HOST"),
    (re.compile(r'"\$STAGE/home/memories"'), ""),  # where the real one keeps what it learns
    (re.compile(r"(unknown variant `(?:\w+/[\w/]+|nope)`, expected one of ).*?(?=\")"), r"\1METHODS"),
)
_TIMES = {"createdAt", "updatedAt", "startedAtMs", "completedAtMs", "createdAtMs", "modifiedAtMs", "durationMs"}
_VARIES = {"cliVersion", "userAgent", "requestId", "processId", "version", "aggregatedOutput"}


class Line(Protocol):
    """A way to a server."""

    def send(self, text: str) -> None: ...

    def receive(self, limit: float) -> Message:
        """:raises TimeoutError: when nothing comes."""
        ...

    def close(self) -> None: ...


class WebsocketLine:
    """A server of its own, on a websocket."""

    def __init__(self, codex: Codex, stage: Stage) -> None:
        self._process = subprocess.Popen(
            [str(codex.path), "app-server", "--listen", "ws://127.0.0.1:0"], cwd=stage.ws, env=stage.environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._drain: threading.Thread | None = None
        self._opened = ExitStack()
        try:
            self._socket = self._opened.enter_context(
                connect(self._url(), max_size=None, open_timeout=10, close_timeout=5)
            )
        except BaseException:
            self._end()
            raise

    def send(self, text: str) -> None:
        self._socket.send(text)

    def receive(self, limit: float) -> Message:
        try:
            message: Message = json.loads(self._socket.recv(timeout=limit))
        except ConnectionClosed as error:
            raise RuntimeError("the server closed the connection") from error
        return message

    def close(self) -> None:
        with suppress(ConnectionClosed):
            self._opened.close()
        self._end()

    def _url(self) -> str:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if found := re.search(r"listening on: (ws://\S+)", line):
                self._drain = threading.Thread(target=self._process.stderr.read)
                self._drain.start()
                return found[1]
        raise RuntimeError("the server does not listen")

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        if self._drain is not None:
            self._drain.join()
        assert self._process.stderr is not None
        self._process.stderr.close()


class Talk:
    """One conversation.

    :ivar answers: the answers to requests, in order.
    :ivar events: the notifications and server requests, in order.
    """

    def __init__(self, line: Line, stage: Stage, model: ResponsesServer) -> None:
        self.answers: list[Message] = []
        self.events: list[Message] = []
        self._line = line
        self._stage = stage
        self._model = model
        self._names = {"WS": str(stage.ws)}
        self._number = 0
        self._waiting: list[Message] = []
        self._replies: dict[str, Any] = {}

    def hold(self, case: Case) -> None:
        """Go through the steps of a case."""
        if case.hello is not None:
            self._ask(Ask("initialize", case.hello))
            self._line.send('{"method":"initialized"}')
        for step in case.steps:
            if isinstance(step, Ask):
                self._ask(step)
            elif isinstance(step, Turn):
                self._turn(step)
            elif isinstance(step, Wait):
                self._wait(step.method, LIMIT)
            else:
                self._line.send(self._filled(step))
        self._settle()

    def _ask(self, step: Ask) -> Message:
        self._number += 1
        message: Message = {"id": self._number, "method": step.method}
        if step.params is not ...:
            message["params"] = json.loads(self._filled(json.dumps(step.params)))
        self._line.send(json.dumps(message))
        while True:
            answer = self._next(LIMIT)
            if "method" in answer:
                continue
            if answer.get("id") != self._number:
                self.answers.append({"other id": answer.get("id"), **_kept(answer)})
                continue
            break
        self.answers.append(_kept(answer))
        if step.name and "result" in answer:
            self._names[step.name] = answer["result"]["thread"]["id"]
        return answer

    def _turn(self, step: Turn) -> None:
        self._model.play(step.script)
        self._replies = step.answers
        self._ask(
            Ask("turn/start", {"threadId": step.thread, "input": [{"type": "text", "text": "go"}], **step.params})
        )
        self._wait(step.until, TURN_LIMIT)

    def _wait(self, method: str, limit: float) -> None:
        end = time.monotonic() + limit
        while not any(event["method"] == method for event in self._waiting):
            self._next(end - time.monotonic())
        while self._waiting.pop(0)["method"] != method:
            pass

    def _settle(self) -> None:
        with suppress(TimeoutError):
            while True:
                self._next(SETTLE_SECONDS)

    def _next(self, limit: float) -> Message:
        message = self._line.receive(max(0.01, limit))
        if "method" in message:
            self._waiting.append(message)
            self.events.append({"method": message["method"], "params": message.get("params")})
            if "id" in message:
                reply = self._replies.get(message["method"])
                body = {"error": {"code": -1, "message": "no"}} if reply is None else {"result": reply}
                self._line.send(json.dumps({"id": message["id"], **body}))
        return message

    def _filled(self, text: str | bytes | Message) -> str:
        text = text if isinstance(text, str) else json.dumps(text)
        for name, value in self._names.items():
            text = text.replace(f"${name}", value)
        return text

    def result(self) -> tuple[list[Message], list[Message]]:
        """Return answers and events in a form that two programs can share."""
        kept = [event for event in self.events if event["method"] not in IGNORED]
        answers, events = json.loads(self._shared(json.dumps(_plain([self.answers, kept]))))
        return answers, _ordered(events)

    def _shared(self, text: str) -> str:
        seen: dict[str, str] = {}
        text = text.replace(str(self._stage.folder), "$STAGE")
        for pattern, word in _NOISE:
            text = pattern.sub(word, text)
        return _UUID.sub(lambda found: seen.setdefault(found[0], f"id-{len(seen)}"), text)


def differences(real: Any, ours: Any, path: str = "") -> list[str]:
    """Return where ours lacks what the real one has, or has something else; more members than it has are allowed."""
    if isinstance(real, dict) and isinstance(ours, dict):
        # A member that is null may be left out.
        found = [
            f"{path}.{name}: missing, real has {part!r}"
            for name, part in real.items()
            if name not in ours and _says(part)
        ]
        for name in real:
            if name in ours:
                found += differences(real[name], ours[name], f"{path}.{name}")
        return found
    if isinstance(real, list) and isinstance(ours, list):
        if len(real) != len(ours):
            return [f"{path}: {len(ours)} instead of {len(real)}: {_heads(ours)} instead of {_heads(real)}"]
        return [
            text
            for number, pair in enumerate(zip(real, ours, strict=True))
            for text in differences(*pair, f"{path}[{number}]")
        ]
    return [] if real == ours and type(real) is type(ours) else [f"{path}: {ours!r} instead of {real!r}"]


def _says(part: Any) -> bool:
    """Return whether a value has anything in it but null."""
    return any(map(_says, part.values())) if isinstance(part, dict) else part is not None


def _heads(values: list[Any]) -> list[Any]:
    return [value.get("method", value) if isinstance(value, dict) else value for value in values]


def _kept(answer: Message) -> Message:
    return {name: answer[name] for name in ("result", "error") if name in answer}


def _plain(value: Any, name: str = "") -> Any:
    """Replace times and other values that no two runs share by their types."""
    if isinstance(value, dict):
        return {key: _plain(part, key) for key, part in value.items()}
    if isinstance(value, list):
        # Items that were read back: the real one numbers them, ours have the ids that they were announced with.
        return [_plain({**part, "id": "id"} if name == "items" else part) for part in value]
    if (name in _TIMES or name in _VARIES) and value is not None:
        return type(value).__name__
    return value


def _ordered(events: list[Message]) -> list[Message]:
    """Put the end of a command behind everything else, and join pieces of output.

    The real one tells the end by a watcher of its own, and how output is cut is by chance.
    """
    kept: list[Message] = []
    for event in events:
        if event["method"] == "item/fileChange/outputDelta" and kept and kept[-1]["method"] == event["method"]:
            kept[-1]["params"]["delta"] += event["params"]["delta"]
        else:
            kept.append(event)
    events = kept
    late = [event for event in events if _is_end_of_command(event)]
    return [event for event in events if event not in late] + late


def _is_end_of_command(event: Message) -> bool:
    if event["method"] != "item/completed":
        return False
    return bool(event["params"]["item"]["type"] == "commandExecution")
