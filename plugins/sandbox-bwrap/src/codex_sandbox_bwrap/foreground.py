"""Run a launched command on our own terminal and hand its end on."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from codex_hookspecs.errors import ExecError
from codex_sandbox_bwrap.standard_input import shield_input

if TYPE_CHECKING:
    from codex_hookspecs.types.sandbox import Launch
    from codex_sandbox_bwrap.boxing import Boxed

_HANDED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
_FIRST_INHERITED = 3


def run_in_foreground(launch: Launch | Boxed, cwd: str, meanwhile: Callable[[], None] | None = None) -> int:
    """Run a program with our stdin, stdout and stderr and return its exit status, 128 + N for signal N.

    It gets no other descriptor of ours than those of the launch, and it does not outlive this process.

    :param meanwhile: called when it is on its way.
    :raises ExecError: when it can't be started.
    """
    shield_input()
    try:
        pid = _start(launch, cwd)
    except BaseException:
        if launch.ended is not None:
            launch.ended()
        raise
    finally:
        if launch.started is not None:
            launch.started()
    with _handing_on(pid):
        if meanwhile is not None:
            meanwhile()
        _, status = os.waitpid(pid, 0)
    if launch.ended is not None:
        launch.ended()
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _start(launch: Launch | Boxed, cwd: str) -> int:
    name = launch.arg0 if launch.arg0 is not None else launch.argv[0]
    arguments = [name, *launch.argv[1:]]
    if launch.prepare is None:
        _keep_only(launch.descriptors)
        try:
            os.chdir(cwd)
            return os.posix_spawn(launch.argv[0], arguments, launch.env, setsigdef=(*_HANDED_ON, signal.SIGPIPE))
        except OSError as error:
            raise ExecError(f"the command was not run: {launch.argv[0]}: {error.strerror}") from error
    return _forked(launch, arguments, cwd)


def _forked(launch: Launch | Boxed, arguments: list[str], cwd: str) -> int:
    """Start a program that something has to be done for between fork and exec."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            _enter(launch, arguments, cwd)
        except BaseException as error:  # The child must not run on as a second copy of this program.
            os.write(writer, str(error).encode())
        os._exit(126)
    os.close(writer)
    with open(reader, "rb") as pipe:
        problem = pipe.read().decode()
    if problem:
        os.waitpid(pid, 0)
        raise ExecError(f"the command was not run: {launch.argv[0]}: {problem}")
    return pid


def _enter(launch: Launch | Boxed, arguments: list[str], cwd: str) -> None:
    """Replace this process, with nothing inherited but what the launch names."""
    for number in (*_HANDED_ON, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    _keep_only(launch.descriptors)
    os.chdir(cwd)
    if launch.prepare is not None:
        launch.prepare()
    os.execve(launch.argv[0], arguments, launch.env)  # noqa: S606


def _keep_only(descriptors: tuple[int, ...]) -> None:
    """Have every descriptor but the standard ones and some others closed when this process becomes a program."""
    for name in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else map(str, range(1024)):
        number = int(name)
        if number >= _FIRST_INHERITED:
            try:
                os.set_inheritable(number, number in descriptors)
            except OSError:
                continue


@contextmanager
def _handing_on(pid: int) -> Iterator[None]:
    """Give the child what this process is told; what the terminal says to both reaches the child by itself."""

    def hand_on(number: int, frame: FrameType | None) -> None:
        if number in (signal.SIGTERM, signal.SIGHUP):
            os.kill(pid, number)

    before: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}
    for each in _HANDED_ON:
        before[each] = signal.signal(each, hand_on)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
