"""A Responses API server that plays scripts, for tests and for real clients.

It speaks plain HTTP/1.1 with server-sent events on 127.0.0.1, records every request, and answers ``POST …/responses``
with the next round of its script (:mod:`codex_responses.script.steps`). A user message ``MOCK:<rounds as JSON>`` is a
script of its own: its rounds answer the requests of that thread from there on. Without any script the answer repeats
the last user message: ``mock: <text>``. ``GET …/models`` gives an empty catalogue, a websocket upgrade is refused with
426.

    with ResponsesServer([[{"sh": "echo hi"}], [{"say": "bye"}]]) as server:
        run_client(base_url=server.url)
        assert server.turns[1].body["input"][-1]["output"]

In a terminal: ``python -m codex_testkit.servers.responses --port 8090 --script script.json``.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, Self

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.values import frozen
from codex_responses.script.steps import CUT, DELAY, HTTP_ERROR, Script, Step, last_session, round_events, script_from
from codex_testkit.memory._model_input import mock_script, texts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

_ECHO_LENGTH: Final = 60


@frozen(kw_only=True)
class RecordedRequest:
    """One recorded request.

    :param headers: names in lower case.
    :param body: decoded JSON, the raw bytes when it is not JSON, ``None`` without a body.
    :param at: monotonic time of arrival in seconds.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    at: float


class ResponsesServer:
    """Serve scripted model responses while the context is open.

    :param script: a script, the JSON value of one, or ``None`` for echoing.
    :param port: port to listen on, 0 for a free one.
    :param headers: extra headers of every stream.
    """

    def __init__(
        self,
        script: Script | list[Any] | dict[str, Any] | None = None,
        *,
        port: int = 0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.requests: list[RecordedRequest] = []
        self.headers = dict(headers or {})
        self.closing = threading.Event()
        self._arrived = threading.Condition()
        self._played: dict[object, int] = {}
        self._script: Script | None = None
        self.play(script)
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="responses-server")

    @property
    def url(self) -> str:
        """Base URL for ``model_providers.<name>.base_url``."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def turns(self) -> list[RecordedRequest]:
        """The requests that asked for a model response, oldest first."""
        return [
            request
            for request in self.requests
            if request.method == "POST" and request.path.partition("?")[0].endswith("/responses")
        ]

    def play(self, script: Script | list[Any] | dict[str, Any] | None) -> None:
        """Start another script from its first round and forget the recorded requests."""
        with self._arrived:
            self._script = script if script is None or isinstance(script, Script) else script_from(script)
            self._played.clear()
            self.requests.clear()

    def wait_for_turns(self, count: int, timeout: float = 10) -> list[RecordedRequest]:
        """Wait until that many model requests arrived.

        :raises TimeoutError: when they do not come.
        """
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.turns) >= count, timeout):
                raise TimeoutError(f"{len(self.turns)} of {count} model requests arrived within {timeout} s")
            return self.turns

    def record(self, request: RecordedRequest) -> None:
        """Keep a request."""
        with self._arrived:
            self.requests.append(request)
            self._arrived.notify_all()

    def answer(self, body: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
        """Choose the events for a model request and count it as played."""
        items = body.get("input") or []
        found = mock_script(items)
        with self._arrived:
            number = self._count("all", body.get("prompt_cache_key"))
            if found is not None:
                steps = found[1].round(self._count("mock", body.get("prompt_cache_key"), found[0]))
            elif self._script is not None:
                steps = self._script.round(self._count("script"))
            else:
                steps = (Step("say", f"mock: {(texts(items, 'user') or ['hi'])[-1][:_ECHO_LENGTH]}"),)
        return round_events(steps, number, session=last_session(items), model=str(body.get("model", "")))

    def close(self) -> None:
        """Stop listening and end every open stream."""
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _count(self, *key: object) -> int:
        before = self._played.get(key, 0)
        self._played[key] = before + 1
        return before

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: ResponsesServer

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that disconnect."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._record(None)
        if self.headers.get("upgrade", "").lower() == "websocket":
            self._json(426, {"error": {"message": "this server speaks HTTP only"}}, {"connection": "close"})
        elif self.path.partition("?")[0].endswith("/models"):
            self._json(200, {"object": "list", "data": [], "models": []})
        else:
            self._json(404, {"error": {"message": f"nothing at {self.path}"}})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            body = json.loads(raw)
        except ValueError:
            body = raw
        self._record(body)
        if not self.path.partition("?")[0].endswith("/responses"):
            self._json(404, {"error": {"message": f"nothing at {self.path}"}})
        elif not isinstance(body, dict):
            self._json(400, {"error": {"message": "the body is not a JSON object"}})
        else:
            self._answer(body)

    def _answer(self, body: dict[str, Any]) -> None:
        try:
            events = self.server.owner.answer(body)
        except (ConfigError, ValueError) as error:
            self._json(400, {"error": {"message": str(error)}})
        else:
            self._play(events)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep the terminal quiet."""

    def _record(self, body: Any) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = RecordedRequest(method=self.command, path=self.path, headers=headers, body=body, at=time.monotonic())
        self.server.owner.record(request)

    def _json(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _play(self, events: tuple[dict[str, Any], ...]) -> None:
        if events[-1]["type"] == HTTP_ERROR:
            for event in events[:-1]:
                self.server.owner.closing.wait(event["seconds"])
            self._json(events[-1]["status"], events[-1]["body"], events[-1]["headers"])
            return
        try:
            self._stream(events)
        except OSError:
            self.close_connection = True

    def _stream(self, events: tuple[dict[str, Any], ...]) -> None:
        self.send_response(200)
        for name, value in {"content-type": "text/event-stream", **self.server.owner.headers}.items():
            self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        pending = bytearray()
        for event in events:
            if event["type"] == DELAY:
                self._flush(pending)
                self.server.owner.closing.wait(event["seconds"])
            elif event["type"] == CUT:
                self._flush(pending)
                self._cut(event["how"])
                return
            else:
                data = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
                pending += f"event: {event['type']}\ndata: {data}\n\n".encode()
        self._flush(pending)
        self.wfile.write(b"0\r\n\r\n")

    def _flush(self, pending: bytearray) -> None:
        if pending:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(pending), bytes(pending)))
            pending.clear()

    def _cut(self, how: str) -> None:
        if how == "before_completed":
            self.wfile.write(b"0\r\n\r\n")
            return
        if how == "silence":
            self.server.owner.closing.wait()
        self.close_connection = True


def main() -> None:
    """Serve until interrupted, printing the base URL first."""
    import argparse
    from pathlib import Path

    from codex_responses.script.steps import parse_script

    parser = argparse.ArgumentParser(description="Play a model script as a Responses API server on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=0, help="0 chooses a free one")
    parser.add_argument("--script", type=Path, help="a script file; without it user messages are repeated")
    options = parser.parse_args()
    script = parse_script(options.script.read_bytes()) if options.script else None
    with ResponsesServer(script, port=options.port) as server:
        print(server.url, flush=True)
        try:
            server.closing.wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
