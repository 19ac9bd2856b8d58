"""A model server in a process of its own that streams many small deltas at once, to as many requests as there are.

The last text ``STREAM:<tag>:<count>:<batch>`` of a request says what is streamed: an agent message of that many deltas
``<tag>.<number> ``, of which so many are sent at a time. Any other text is answered with the message ``done``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIMIT = 30
_WANTED = re.compile(rb"STREAM:([^:\"]+):(\d+):(\d+)")
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_ABSENT = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
_USAGE = {
    "input_tokens": 100, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 10,
    "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 110,
}  # fmt: skip


def pieces(tag: str, count: int) -> list[str]:
    """Return the deltas of a stream."""
    return [f"{tag}.{number} " for number in range(count)]


def wanted(tag: str, count: int, batch: int = 50) -> list[dict[str, Any]]:
    """Return the input of a turn for which deltas are streamed."""
    return [{"type": "text", "text": f"STREAM:{tag}:{count}:{batch}", "text_elements": []}]


@contextmanager
def streaming_model() -> Iterator[str]:
    """Run the server; give its base URL."""
    command = [sys.executable, str(Path(__file__).resolve())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.stdin.close()
            try:
                process.wait(_LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()


def _message(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}] if text else []
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def _batches(tag: str, count: int, batch: int) -> Iterator[bytes]:
    deltas = pieces(tag, count)
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    yield _event("response.created", response={"id": "resp_1", "status": "in_progress", "output": []}) + _event(
        "response.output_item.added", output_index=0, item=_message("")
    )
    for start in range(0, count, batch):
        yield b"".join(
            _event("response.output_text.delta", delta=delta, **place) for delta in deltas[start : start + batch]
        )
    yield _event("response.output_item.done", output_index=0, item=_message("".join(deltas))) + _event(
        "response.completed", response={"id": "resp_1", "status": "completed", "usage": _USAGE}
    )


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            found = re.search(rb"(?i)content-length: *(\d+)", head)
            body = await reader.readexactly(int(found[1]) if found else 0)
            if not head.startswith(b"POST"):
                writer.write(_ABSENT)
                continue
            words = _WANTED.findall(body)
            tag, count, batch = (words[-1][0].decode(), *map(int, words[-1][1:])) if words else ("done", 1, 1)
            writer.write(_HEAD)
            for data in _batches(tag, count, batch):
                writer.write(b"%x\r\n%b\r\n" % (len(data), data))
                await writer.drain()
                await asyncio.sleep(0)
            writer.write(b"0\r\n\r\n")
    writer.close()


async def _main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main())
