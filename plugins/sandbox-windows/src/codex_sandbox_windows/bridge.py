"""The program that stands for a command outside of the sandbox: has a runner run it, carries what goes in and out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import attrs

from codex_hookspecs import frozen
from codex_hookspecs.errors import SandboxUnavailable
from codex_sandbox_windows.access import cap_sid, grants
from codex_sandbox_windows.channel import Channel
from codex_sandbox_windows.messages import Exit, SpawnRequest
from codex_sandbox_windows.names import pipe_names, runner_arguments
from codex_sandbox_windows.parent import HANDSHAKE_SECONDS, RunnerSession

if TYPE_CHECKING:
    from codex_sandbox_windows.windows.logon import Runner

_NOT_RUN = 126
_LIST_SECONDS = 120
_READ_BYTES = 65536


@frozen(kw_only=True)
class Order:
    """What a bridge is asked to do.

    :param policy: the sandbox policy as JSON.
    :param writable: directories that can be written.
    :param held_back: paths in them that can't.
    """

    user: str
    password_file: str
    codex_home: str
    policy: str
    policy_cwd: str
    writable: tuple[str, ...]
    held_back: tuple[str, ...]
    tty: bool

    def text(self) -> str:
        """Return it as an argument."""
        return json.dumps({each.name: getattr(self, each.name) for each in attrs.fields(type(self))})

    @classmethod
    def read(cls, text: str) -> Order:
        """Return what an argument says."""
        given = json.loads(text).items()
        values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in given}
        return cls(**values)


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say: an order, ``--``, the command."""
    order, command = Order.read(arguments[0]), tuple(arguments[2:])
    try:
        return _held(order, command)
    except (SandboxUnavailable, OSError, subprocess.SubprocessError) as error:
        text = str(error)
        prefix = "" if text.startswith("the ") else "the command was not run: sandbox-windows: "
        print(f"codex: {prefix}{text}", file=sys.stderr)
        return _NOT_RUN


def relay(session: RunnerSession, stdin: BinaryIO, stdout: BinaryIO, stderr: BinaryIO) -> int:
    """Carry a session's input and output until it is over; return how the command ended.

    :raises SandboxUnavailable: when the runner is lost.
    """
    threading.Thread(target=_feed, args=(session, stdin), daemon=True).start()
    for event in session.events():
        if isinstance(event, Exit):
            return event.exit_code
        target = stdout if event.stream == "stdout" else stderr
        target.write(event.data)
        target.flush()
    return _NOT_RUN


def _feed(session: RunnerSession, stdin: BinaryIO) -> None:
    descriptor = stdin.fileno()
    try:
        while data := os.read(descriptor, _READ_BYTES):
            session.write(data)
        session.close_stdin()
    except OSError:
        return  # The command is over.


def _held(order: Order, command: tuple[str, ...]) -> int:
    from codex_sandbox_windows.windows.logon import sid_of_user
    from codex_sandbox_windows.windows.pipes import await_runner, create_pipes

    user_sid, own_sid = sid_of_user(order.user), cap_sid(order.codex_home)
    made = [path for path in order.held_back if _made(path)]
    try:
        for call in grants(order.writable, order.held_back, [user_sid, own_sid]):
            subprocess.run(call, check=True, capture_output=True, timeout=_LIST_SECONDS)
        pipe_in, pipe_out = pipe_names()
        transport = create_pipes(pipe_in, pipe_out, user_sid)
        runner = _runner(order, runner_arguments(pipe_in, pipe_out))
        try:
            await_runner(transport, runner.process_id, HANDSHAKE_SECONDS)
            session = RunnerSession(Channel(transport))
            session.start(_request(order, command, own_sid))
            return relay(session, sys.stdin.buffer, sys.stdout.buffer, sys.stderr.buffer)
        except BaseException:
            runner.terminate()
            raise
        finally:
            transport.close()
            runner.close()
    finally:
        for path in made:
            _unmake(path)


def _runner(order: Order, arguments: list[str]) -> Runner:
    from codex_sandbox_windows.windows.logon import start_as

    with open(order.password_file, encoding="utf-8") as file:
        password = file.read().rstrip("\r\n")
    program = [sys.executable, "-I", "-m", "codex_sandbox_windows.runner_program"]
    return start_as(order.user, password, [*program, *arguments], os.path.dirname(sys.executable))


def _request(order: Order, command: tuple[str, ...], own_sid: str) -> SpawnRequest:
    return SpawnRequest(
        command=command,
        cwd=os.getcwd(),
        env=dict(os.environ),
        policy=order.policy,
        sandbox_policy_cwd=order.policy_cwd,
        codex_home=order.codex_home,
        real_codex_home=order.codex_home,
        cap_sids=(own_sid,),
        tty=order.tty,
        stdin_open=True,
    )


def _made(path: str) -> bool:
    """Make a directory that is to be held back, since only what exists can be; tell whether it was made."""
    try:
        os.mkdir(path)
        return True
    except FileExistsError:
        return False


def _unmake(path: str) -> None:
    try:
        os.rmdir(path)
    except OSError:
        return  # Something was put into it, or another command relies on it.


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
