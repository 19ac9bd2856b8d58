"""A client of ``codex app-server`` over its standard streams, for tests of the whole program."""

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

    :param folder: holds ``home``, ``ws`` and ``log``, which are made.
    :param base_url: of the server that plays the model; empty for none.
    :param config: TOML lines for the top of the configuration.
    :param compare: whether what the server sends is compared with the types of the protocol, which takes longer.
    :param environ: further environment variables.
    :ivar messages: what the server has sent, oldest first.
    :ivar notifications: those of them that :meth:`notification` has not returned yet.
    :ivar answers: answers to the server's requests by method: an object, or what makes one of the parameters.
        A request without an answer stays open.
    """

    def __init__(
        self, folder: Path, base_url: str = "", config: str = "", *, compare: bool = True, **environ: str
    ) -> None:
        self.home, self.ws = folder / "home", folder / "ws"
        for each in (self.home, self.ws):
            each.mkdir(parents=True, exist_ok=True)
        provider, table = _model(base_url) if base_url else ("", "")
        (self.home / "config.toml").write_text(f"{provider}{config}\n{table}")
        self.messages: list[Message] = []
        self.notifications: list[Message] = []
        self.answers: dict[str, Message | Callable[[Message], Message]] = {}
        self._environ = environ
        self._responses: dict[int | str, Message] = {}
        self._number = 0
        self._log = folder / "log"
        self._observer = Observer() if compare else None

    async def __aenter__(self) -> Self:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CODEX", "OPENAI", "TRACE"))}
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                CODEX,
                "app-server",
                cwd=self.ws,
                env={**kept, "CODEX_HOME": str(self.home), "SHELL": "/bin/bash", **self._environ},
                limit=2**28,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        try:
            client = {"name": "client", "version": "1"}
            await self.call("initialize", clientInfo=client, capabilities={"experimentalApi": True})
            await self.write({"method": "initialized"})
        except BaseException:
            await self.kill()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            assert self.process.stdin is not None
            self.process.stdin.close()
            try:
                await asyncio.wait_for(self.process.communicate(), LIMIT)
            except TimeoutError:
                self.process.kill()
                await self.process.wait()
                raise
            assert self.process.returncode == 0, self.log()[-2000:]
        assert self._observer is None or self._observer.faults == []

    async def kill(self) -> None:
        """Kill the server, then read what it had already sent."""
        assert self.process.stdout is not None
        self.process.kill()
        await asyncio.wait_for(self.process.wait(), LIMIT)
        while (line := await self.process.stdout.readline()).endswith(b"\n"):
            self._keep(json.loads(line))

    def log(self) -> str:
        """Return what the servers of this folder have logged."""
        return self._log.read_text("utf-8", "replace")

    async def write(self, message: Message) -> None:
        """Send a message."""
        assert self.process.stdin is not None
        text = json.dumps(message)
        if self._observer is not None:
            self._observer.asked(text)
        self.process.stdin.write(text.encode() + b"\n")
        await self.process.stdin.drain()

    async def next(self) -> Message:
        """Read a message; a request with an answer in ``answers`` is answered."""
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), LIMIT)
        assert line, self.log()[-2000:]
        message = self._keep(json.loads(line))
        if "id" in message and message.get("method") in self.answers:
            answer = self.answers[message["method"]]
            given = answer if isinstance(answer, dict) else answer(message["params"])
            await self.write({"id": message["id"], **given})
        return message

    async def until(self, wanted: str | Callable[[Message], bool]) -> Message:
        """Read up to the next message of a method, or one that is wanted, and return it."""
        while True:
            message = await self.next()
            if message.get("method") == wanted if isinstance(wanted, str) else wanted(message):
                return message

    async def send(self, method: str, params: Message, **members: Any) -> int:
        """Send a request and return its id.

        :param members: further members of the message, beside the parameters.
        """
        self._number += 1
        await self.write({"id": self._number, "method": method, "params": params, **members})
        return self._number

    async def answer(self, number: int) -> Message:
        """Return the response to a request."""
        while number not in self._responses:
            await self.next()
        return self._responses.pop(number)

    async def ask(self, method: str, params: Message) -> Any:
        """Send a request and return its result, or its error."""
        answer = await self.answer(await self.send(method, params))
        return answer["result"] if "result" in answer else answer["error"]

    async def call(self, method: str, **params: Any) -> Any:
        """Send a request and return its result."""
        answer = await self.answer(await self.send(method, params))
        assert "error" not in answer, answer
        return answer["result"]

    async def refusal(self, method: str, **params: Any) -> tuple[int, str]:
        """Send a request and return code and message of its error."""
        answer = await self.answer(await self.send(method, params))
        assert "error" in answer, answer
        return answer["error"]["code"], answer["error"]["message"]

    async def notification(self, method: str) -> Message:
        """Return the parameters of the oldest notification of a method that was not returned before."""
        while not (found := [each for each in self.notifications if each["method"] == method]):
            await self.next()
        self.notifications.remove(found[0])
        params: Message = found[0]["params"]
        return params

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

    def _keep(self, message: Message) -> Message:
        if self._observer is not None:
            self._observer.sent(message)
        self.messages.append(message)
        if "method" not in message:
            self._responses[message["id"]] = message
        elif "id" not in message:
            self.notifications.append(message)
        return message


def _model(base_url: str) -> tuple[str, str]:
    """Return the lines that choose a model, and the table of its provider."""
    table = f'[model_providers.mock]\nname = "mock"\nbase_url = "{base_url}"\nwire_api = "responses"\n'
    retries = "request_max_retries = 0\nstream_max_retries = 0\n"
    return 'model = "gpt-5.2-codex"\nmodel_provider = "mock"\n', table + retries


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
