"""The process that the host starts instead of a command: has a runner run it and forwards its input and output."""

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
from codex_sandbox_windows.access import cap_sid, icacls_calls
from codex_sandbox_windows.channel import Channel
from codex_sandbox_windows.messages import Exit, SpawnRequest
from codex_sandbox_windows.names import pipe_names, runner_arguments
from codex_sandbox_windows.parent import HANDSHAKE_SECONDS, RunnerSession

if TYPE_CHECKING:
    from codex_sandbox_windows.windows.logon import Runner

_NOT_RUN = 126
_ICACLS_SECONDS = 120
_READ_BYTES = 65536


@frozen(kw_only=True)
class BridgeRequest:
    """What a bridge needs to run a command; passed as one JSON argument.

    :param policy: the sandbox policy as JSON.
    :param writable: directories that the command may write.
    :param read_only: paths in them that it may not.
    """

    user: str
    password_file: str
    codex_home: str
    policy: str
    policy_cwd: str
    writable: tuple[str, ...]
    read_only: tuple[str, ...]
    tty: bool

    def text(self) -> str:
        """Return the request as JSON."""
        return json.dumps({each.name: getattr(self, each.name) for each in attrs.fields(type(self))})

    @classmethod
    def read(cls, text: str) -> BridgeRequest:
        """Parse a request."""
        given = json.loads(text).items()
        values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in given}
        return cls(**values)


def main(arguments: Sequence[str]) -> int:
    """Run a command; the arguments are the request, ``--`` and the command."""
    request, command = BridgeRequest.read(arguments[0]), tuple(arguments[2:])
    try:
        return _run_sandboxed(request, command)
    except (SandboxUnavailable, OSError, subprocess.SubprocessError) as error:
        text = str(error)
        prefix = "" if text.startswith("the ") else "the command was not run: sandbox-windows: "
        print(f"codex: {prefix}{text}", file=sys.stderr)
        return _NOT_RUN


def relay(session: RunnerSession, stdin: BinaryIO, stdout: BinaryIO, stderr: BinaryIO) -> int:
    """Forward the input and output of a session until it ends; return the exit code of the command.

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
        return  # The command has ended.


def _run_sandboxed(request: BridgeRequest, command: tuple[str, ...]) -> int:
    from codex_sandbox_windows.windows.logon import sid_of_user
    from codex_sandbox_windows.windows.pipes import await_runner, create_pipes

    user_sid, own_sid = sid_of_user(request.user), cap_sid(request.codex_home)
    created = [path for path in request.read_only if _create_directory(path)]
    try:
        for call in icacls_calls(request.writable, request.read_only, [user_sid, own_sid]):
            subprocess.run(call, check=True, capture_output=True, timeout=_ICACLS_SECONDS)
        pipe_in, pipe_out = pipe_names()
        transport = create_pipes(pipe_in, pipe_out, user_sid)
        runner = _runner(request, runner_arguments(pipe_in, pipe_out))
        try:
            await_runner(transport, runner.process_id, HANDSHAKE_SECONDS)
            session = RunnerSession(Channel(transport))
            session.start(_spawn_request(request, command, own_sid))
            return relay(session, sys.stdin.buffer, sys.stdout.buffer, sys.stderr.buffer)
        except BaseException:
            runner.terminate()
            raise
        finally:
            transport.close()
            runner.close()
    finally:
        for path in created:
            _remove_directory(path)


def _runner(request: BridgeRequest, arguments: list[str]) -> Runner:
    from codex_sandbox_windows.windows.logon import start_as

    with open(request.password_file, encoding="utf-8") as file:
        password = file.read().rstrip("\r\n")
    program = [sys.executable, "-I", "-m", "codex_sandbox_windows.runner_program"]
    return start_as(request.user, password, [*program, *arguments], os.path.dirname(sys.executable))


def _spawn_request(request: BridgeRequest, command: tuple[str, ...], own_sid: str) -> SpawnRequest:
    return SpawnRequest(
        command=command,
        cwd=os.getcwd(),
        env=dict(os.environ),
        policy=request.policy,
        sandbox_policy_cwd=request.policy_cwd,
        codex_home=request.codex_home,
        real_codex_home=request.codex_home,
        cap_sids=(own_sid,),
        tty=request.tty,
        stdin_open=True,
    )


def _create_directory(path: str) -> bool:
    """Create a directory to be protected, since only existing ones can be; return whether it was created."""
    try:
        os.mkdir(path)
        return True
    except FileExistsError:
        return False


def _remove_directory(path: str) -> None:
    try:
        os.rmdir(path)
    except OSError:
        return  # Something was put into it, or another command relies on it.


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
