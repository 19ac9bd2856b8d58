"""``codex debug app-server send-message-v2``: run one turn and show every message of the protocol."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

from codex_app_server.command import own_processor
from codex_app_server.wire_connection import WireConnection
from codex_hookspecs.surface import escape_controls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_hookspecs.surface import SurfaceHost

_INITIALIZE, _THREAD_START, _TURN_START = 1, 2, 3
_APPROVALS: Final = ("item/commandExecution/requestApproval", "item/fileChange/requestApproval")
_METHOD_NOT_FOUND: Final = -32601


async def send_message(arguments: Sequence[str], host: SurfaceHost) -> int:
    """Run one turn as a client of the app-server and print the messages of both sides.

    :param arguments: ``app-server``, ``send-message-v2`` and the text of the turn.
    :return: 0 when the turn completed, else 1.
    """
    client = _ShownClient(arguments[-1], version=host.version)
    await WireConnection(own_processor(host), client).serve()
    return client.status


class _ShownClient:
    """A client that runs one turn; it is its own transport. Approvals are declined."""

    name = "stdio"
    patient = True

    def __init__(self, text: str, *, version: str) -> None:
        self._text = text
        self._outgoing: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.status = 1
        info = {"name": "codex_debug_client", "title": "Codex debug client", "version": version}
        params = {"clientInfo": info, "capabilities": {"experimentalApi": True}}
        self._say({"id": _INITIALIZE, "method": "initialize", "params": params})

    async def receive(self) -> bytes | None:
        """Return the next message of this client, ``None`` at the end."""
        return await self._outgoing.get()

    async def send(self, message: bytes) -> None:
        """Show a message of the server, and go on with what follows from it."""
        received = json.loads(message)
        _show("<", received)
        if "method" in received and "id" in received:
            self._answer(received)
        elif received.get("method") == "turn/completed":
            self.status = 0 if received["params"]["turn"]["status"] == "completed" else 1
            self._outgoing.put_nowait(None)
        elif "error" in received:
            self._outgoing.put_nowait(None)
        elif received.get("id") == _INITIALIZE:
            self._say({"method": "initialized"})
            self._say({"id": _THREAD_START, "method": "thread/start", "params": {}})
        elif received.get("id") == _THREAD_START:
            items = [{"type": "text", "text": self._text, "text_elements": []}]
            params = {"threadId": received["result"]["thread"]["id"], "input": items}
            self._say({"id": _TURN_START, "method": "turn/start", "params": params})

    def drop(self) -> None:
        """Disconnect."""
        self._outgoing.put_nowait(None)

    def _answer(self, request: dict[str, Any]) -> None:
        if request["method"] in _APPROVALS:
            self._say({"id": request["id"], "result": {"decision": "decline"}})
        else:
            error = {"code": _METHOD_NOT_FOUND, "message": f"codex debug does not answer {request['method']}"}
            self._say({"id": request["id"], "error": error})

    def _say(self, message: dict[str, Any]) -> None:
        _show(">", message)
        self._outgoing.put_nowait(json.dumps(message).encode())


def _show(sign: str, message: dict[str, Any]) -> None:
    text = json.dumps(message, indent=2, ensure_ascii=False)
    print("\n".join(f"{sign} {escape_controls(line)}" for line in text.split("\n")), flush=True)
