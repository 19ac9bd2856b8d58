"""Launch a child process with exactly the requested descriptors, environment and terminal."""

from __future__ import annotations

import os
import subprocess
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from codex_hookspecs.environments import ExecParams, Stream

if TYPE_CHECKING:
    from codex_exec_local.watchdog import Watchdog


class Child(NamedTuple):
    """A launched child and the parent's ends of its pipes, all non-blocking.

    :param stdin: descriptor to write to, or ``None``.
    :param outputs: descriptors to read from, by stream.
    """

    popen: subprocess.Popen[bytes]
    stdin: int | None
    outputs: dict[Stream, int]


def spawn(params: ExecParams, watchdog: Watchdog) -> Child:
    """Launch a child as leader of a session and process group of its own.

    :param watchdog: notified of the child.
    :raises OSError: when it can't be launched; no descriptor is left open.
    :raises ValueError: when arguments or environment contain a NUL byte.
    """
    watchdog.mark(params.env)
    return _spawn_on_terminal(params, watchdog) if params.tty else _spawn_on_pipes(params, watchdog)


def set_window(descriptor: int, rows: int, columns: int) -> None:
    """Set the size of the terminal behind a descriptor."""
    import termios

    termios.tcsetwinsize(descriptor, (rows, columns))


def _spawn_on_pipes(params: ExecParams, watchdog: Watchdog) -> Child:
    parent_ends: list[int] = []
    child_ends: list[int] = []
    try:
        for _ in range(2):
            reader, writer = os.pipe()
            parent_ends.append(reader)
            child_ends.append(writer)
        stdin: int | None = None
        if params.pipe_stdin:
            reader, stdin = os.pipe()
            parent_ends.append(stdin)
            child_ends.append(reader)
        for descriptor in parent_ends:
            os.set_blocking(descriptor, False)
        stdin_of_child = (
            child_ends[2] if params.pipe_stdin else subprocess.DEVNULL if params.stdin is None else params.stdin
        )
        watchdog.starting(child_ends[0])
        popen = _popen(params, stdin_of_child, child_ends[0], child_ends[1], params.env, params.prepare)
    except BaseException:
        watchdog.start_failed()
        _close(parent_ends)
        raise
    finally:
        _close(child_ends)
    watchdog.started(popen.pid)
    return Child(popen, stdin, outputs={"stdout": parent_ends[0], "stderr": parent_ends[1]})


def _spawn_on_terminal(params: ExecParams, watchdog: Watchdog) -> Child:
    set_up_terminal = _terminal_setup()
    master, slave = os.openpty()
    parent_ends = [master]
    try:
        set_window(slave, params.rows, params.columns)
        os.set_blocking(master, False)
        env = params.env if "SHELL" in params.env else {**params.env, "SHELL": _login_shell()}
        writer = os.dup(master)
        parent_ends.append(writer)
        watchdog.starting(slave)
        popen = _popen(params, slave, slave, slave, env, _call_both(set_up_terminal, params.prepare))
    except BaseException:
        watchdog.start_failed()
        _close(parent_ends)
        raise
    finally:
        _close([slave])
    watchdog.started(popen.pid)
    return Child(popen, writer, outputs={"pty": master})


def _popen(  # noqa: PLR0917
    params: ExecParams,
    stdin: int,
    stdout: int,
    stderr: int,
    env: dict[str, str],
    prepare: Callable[[], None] | None = None,
) -> subprocess.Popen[bytes]:
    if prepare is not None:
        with warnings.catch_warnings():  # Python 3.12 warns of fork with threads; the child uses none.
            warnings.simplefilter("ignore", DeprecationWarning)
            return _launch(params, stdin, stdout, stderr, env, prepare)
    return _launch(params, stdin, stdout, stderr, env, None)


def _launch(  # noqa: PLR0917
    params: ExecParams,
    stdin: int,
    stdout: int,
    stderr: int,
    env: dict[str, str],
    prepare: Callable[[], None] | None,
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [params.arg0 if params.arg0 is not None else params.argv[0], *params.argv[1:]],
        executable=params.argv[0],
        cwd=params.cwd,
        env=env,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
        pass_fds=params.descriptors,
        preexec_fn=prepare,  # noqa: PLW1509
    )


def _call_both(first: Callable[[], None], second: Callable[[], None] | None) -> Callable[[], None]:
    if second is None:
        return first

    def both() -> None:
        first()
        second()

    return both


def _terminal_setup() -> Callable[[], None]:
    """Return the function that the child runs before exec; everything that it needs is imported here."""
    from fcntl import ioctl
    from signal import SIG_DFL, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, signal
    from termios import TIOCSCTTY

    def take() -> None:
        for number in (SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP):
            signal(number, SIG_DFL)
        # The session leader has to request a controlling terminal.
        ioctl(0, TIOCSCTTY, 0)

    return take


def _login_shell() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_shell or "/bin/sh"
    except KeyError:
        return "/bin/sh"


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
