"""A client of ``codex app-server`` over its standard streams, for tests of whole turns."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from protocol_0118.observation import Observer

if TYPE_CHECKING:
    from collections.abc import Callable

CODEX = str(Path(sys.executable).with_name("codex"))
LIMIT = 60
"""Seconds after which a wait has failed."""

Message = dict[str, Any]


class ServerProcess:
    """One server process and its client; use as an asynchronous context manager.

    :param folder: holds ``home`` and ``ws``, which are made.
    :param base_url: of the server that plays the model.
    :param config: TOML lines for the top of the configuration.
    :ivar messages: what the server has sent, oldest first.
    :ivar answers: answers to the server's requests by method: an object, or what makes one of the parameters.
        A request without an answer stays open.
    """

    def __init__(self, folder: Path, base_url: str, config: str = "") -> None:
        self.home, self.ws = folder / "home", folder / "ws"
        for each in (self.home, self.ws):
            each.mkdir(parents=True, exist_ok=True)
        table = f'[model_providers.mock]\nname = "mock"\nbase_url = "{base_url}"\nwire_api = "responses"\n'
        retries = "request_max_retries = 0\nstream_max_retries = 0\n"
        (self.home / "config.toml").write_text(
            f'model = "gpt-5.2-codex"\nmodel_provider = "mock"\n{config}\n{table}{retries}'
        )
        self.messages: list[Message] = []
        self.answers: dict[str, Message | Callable[[Message], Message]] = {}
        self._number = 0
        self._log = folder / "log"
        self._observer = Observer()

    async def __aenter__(self) -> Self:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CODEX", "OPENAI"))}
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                CODEX,
                "app-server",
                cwd=self.ws,
                env={**kept, "CODEX_HOME": str(self.home), "SHELL": "/bin/bash"},
                limit=2**24,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        hello = {"clientInfo": {"name": "client", "version": "1"}, "capabilities": {"experimentalApi": True}}
        try:
            await self.ask("initialize", hello)
        except BaseException:
            await self.__aexit__()
            raise
        self.send({"method": "initialized"})
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.communicate(), LIMIT)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            raise
        assert self._observer.faults == []

    def log(self) -> str:
        """Return what the servers of this folder have logged."""
        return self._log.read_text("utf-8", "replace")

    def send(self, message: Message) -> None:
        assert self._process.stdin is not None
        text = json.dumps(message)
        self._observer.asked(text)
        self._process.stdin.write(text.encode() + b"\n")

    async def next(self) -> Message:
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), LIMIT)
        assert line, self.log()[-2000:]
        message: Message = json.loads(line)
        self._observer.sent(message)
        self.messages.append(message)
        if "id" in message and message.get("method") in self.answers:
            answer = self.answers[message["method"]]
            self.send({"id": message["id"], **(answer if isinstance(answer, dict) else answer(message["params"]))})
        return message

    async def until(self, wanted: str | Callable[[Message], bool]) -> Message:
        """Read up to the next message of a method, or one that is wanted, and return it."""
        while True:
            message = await self.next()
            if message.get("method") == wanted if isinstance(wanted, str) else wanted(message):
                return message

    async def ask(self, method: str, params: Message) -> Any:
        """Send a request and return its result, or its error."""
        self._number += 1
        number = self._number
        self.send({"id": number, "method": method, "params": params})
        answer = await self.until(lambda message: message.get("id") == number and "method" not in message)
        return answer["result"] if "result" in answer else answer["error"]

    async def thread(self, **params: Any) -> str:
        """Start a thread with full access and return its id; ``messages`` begins after it."""
        defaults = {"cwd": str(self.ws), "sandbox": "danger-full-access", "approvalPolicy": "never"}
        started = await self.ask("thread/start", {**defaults, **params})
        await self.until("thread/started")
        self.messages.clear()
        return str(started["thread"]["id"])

    async def begin(self, thread_id: str, text: str = "go", **params: Any) -> str:
        """Start a turn and return its id."""
        content = [{"type": "text", "text": text, "text_elements": []}]
        begun = await self.ask("turn/start", {"threadId": thread_id, "input": content, **params})
        return str(begun["turn"]["id"])

    async def turn(self, thread_id: str, text: str = "go", **params: Any) -> list[Message]:
        """Run a turn and return its messages."""
        self.messages.clear()
        await self.begin(thread_id, text, **params)
        await self.until("turn/completed")
        return self.messages[:]


def shape(message: Message) -> str:
    """Return what kind of message it is, with what tells messages of one method apart."""
    method = message.get("method")
    if method is None:
        return "answer" if "result" in message else "refusal"
    params = message.get("params") or {}
    if "item" in params:
        item = params["item"]
        return " ".join(part for part in (method, item["type"], item.get("status")) if part)
    if "turn" in params:
        return f"{method} {params['turn']['status']}"
    if "status" in params:
        return " ".join([method, params["status"]["type"], *params["status"].get("activeFlags", [])])
    return str(method)


def shapes(messages: list[Message]) -> list[str]:
    """Return the kinds of messages; equal ones in a row count once, such as the parts of an output."""
    found: list[str] = []
    for message in messages:
        if (kind := shape(message)) not in found[-1:]:
            found.append(kind)
    return found
