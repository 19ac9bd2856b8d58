"""Clients of ``codex app-server`` over its standard streams."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from interop.clients import TURN_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from interop.clients import Codex, Stage

Message = dict[str, Any]


class StdioLine:
    """A server of its own, on its standard streams; it logs to ``app-server.log``."""

    def __init__(self, codex: Codex, stage: Stage) -> None:
        self._log = stage.folder / "app-server.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(codex.path), "app-server"],
                cwd=stage.ws,
                env=stage.environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def send(self, text: str) -> None:
        """Send a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode() + b"\n")
        self._process.stdin.flush()

    def receive(self, limit: float) -> Message:
        """Return the next message.

        :raises TimeoutError: when nothing comes.
        """
        try:
            line = self._lines.get(timeout=limit)
        except queue.Empty:
            raise TimeoutError from None
        if not line:
            raise RuntimeError(f"the server ended: {self._log.read_text('utf-8', 'replace')[-2000:]}")
        message: Message = json.loads(line)
        return message

    def close(self) -> None:
        """End the server."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._reader.join()
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(b"")


class AppServer:
    """Drive one server process; every wait has a bound.

    :param approve: answers to server requests by method, or what makes one of the request's parameters; a request
        without an answer is refused with an error.
    """

    def __init__(
        self, codex: Codex, stage: Stage, *, approve: dict[str, Message | Callable[[Message], Message]] | None = None
    ) -> None:
        self.messages: list[Message] = []
        self.approve = approve or {}
        self._stage = stage
        self._next = 0
        self._line = StdioLine(codex, stage)

    def __enter__(self) -> Self:
        client = {"name": "interop", "version": "1"}
        try:
            self.request("initialize", clientInfo=client, capabilities={"experimentalApi": True})
            self._send({"method": "initialized"})
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()

    def start(self, **params: object) -> str:
        """Start a thread with full access and give its id."""
        defaults = {
            "cwd": str(self._stage.ws),
            "sandbox": "danger-full-access",
            "approvalPolicy": "never",
            "config": {"bypass_hook_trust": True},
        }
        thread = self.request("thread/start", **{**defaults, **params})["thread"]
        return str(thread["id"])

    def turn(self, thread: str, text: str = "the prompt") -> list[Message]:
        """Run a turn to its end and give the notifications of it."""
        begin = len(self.messages)
        self.begin_turn(thread, text)
        self.wait(lambda message: message.get("method") == "turn/completed", TURN_LIMIT)
        return self.messages[begin:]

    def begin_turn(self, thread: str, text: str = "the prompt") -> str:
        answer = self.request("turn/start", threadId=thread, input=[{"type": "text", "text": text}])
        return str(answer["turn"]["id"])

    def request(self, method: str, **params: object) -> Message:
        """Send a request and wait for its answer.

        :raises RuntimeError: when the answer is an error.
        """
        answer = self.answer(self.begin(method, params))
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: Message = answer["result"]
        return result

    def begin(self, method: str, params: Message) -> int:
        """Send a request and give its id."""
        self._next += 1
        self._send({"method": method, "id": self._next, "params": params})
        return self._next

    def answer(self, ident: int) -> Message:
        """Wait for the answer to a request, which may have come already."""
        for message in self.messages:
            if message.get("id") == ident and "method" not in message:
                return message
        return self.wait(lambda message: message.get("id") == ident and "method" not in message)

    def wait(self, wanted: Callable[[Message], bool], limit: float = 30) -> Message:
        """Read messages until one is wanted."""
        end = time.monotonic() + limit
        while True:
            try:
                message = self._line.receive(max(0.01, end - time.monotonic()))
            except TimeoutError:
                raise TimeoutError(f"nothing wanted within {limit} s; the last was {self.messages[-1:]}") from None
            self.messages.append(message)
            if "method" in message and "id" in message:
                self._answer(message)
            if wanted(message):
                return message

    def _answer(self, message: Message) -> None:
        if message["method"] in self.approve:
            answer = self.approve[message["method"]]
            self._send(
                {"id": message["id"], "result": answer if isinstance(answer, dict) else answer(message["params"])}
            )
        else:
            self._send({"id": message["id"], "error": {"code": -32000, "message": "refused"}})

    def _send(self, message: Message) -> None:
        self._line.send(json.dumps(message))
