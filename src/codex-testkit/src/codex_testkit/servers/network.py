"""Run an exec-server in a separate network namespace, reachable through a forwarded port.

``python -m codex_testkit.servers.network codex exec-server --listen ws://127.0.0.1:0``

The server has no access to the machine's network; connections to the printed address are forwarded to it. Needs Linux,
and either root or user namespaces.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import urlsplit

_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_SET_FLAGS, _UP = 0x8914, 0x1
_BLOCK = 64 * 1024


def leave_network() -> None:
    """Move this process to a new network namespace with a loopback device; open sockets keep their namespace.

    :raises OSError: when it is not permitted.
    """
    import fcntl

    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_NET | (0 if user == 0 else _NEW_USER)) != 0:
        raise OSError(ctypes.get_errno(), "a network namespace can't be made here")
    if user != 0:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        fcntl.ioctl(device, _SET_FLAGS, struct.pack("16sh22x", b"lo", _UP))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_BLOCK):
            writer.write(data)
            await writer.drain()


async def serve(listener: socket.socket, command: Sequence[str]) -> int:
    """Run the server and forward connections to it until it ends or this process is terminated."""
    process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL, stdout=-1)
    assert process.stdout is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, process.terminate)
    inside = urlsplit((await process.stdout.readline()).decode().strip())

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(inside.hostname, inside.port)
        ways = [asyncio.create_task(_pump(reader, inner_writer)), asyncio.create_task(_pump(inner_reader, writer))]
        try:
            # When one side hangs up, so does the other.
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for each in (writer, inner_writer):
                each.transport.abort()

    relay = await asyncio.start_server(connected, sock=listener)
    print(f"ws://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    status = await process.wait()
    relay.close()
    return status


def main(command: Sequence[str]) -> int:
    """Listen in the current network, enter a new one, run the server."""
    listener = socket.create_server(("127.0.0.1", 0))
    leave_network()
    return asyncio.run(serve(listener, command))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
