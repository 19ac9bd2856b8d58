"""A program in a terminal of tmux, whose screen is read and whose keys are pressed."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING, Self
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SCREEN_LIMIT = 45.0
_POLL_SECONDS = 0.1


class Terminal:
    """One terminal on a tmux server of its own.

    :param argv: the program.
    :param environ: its whole environment.
    """

    def __init__(
        self, argv: Sequence[str], *, cwd: Path, environ: Mapping[str, str], columns: int = 110, rows: int = 45
    ) -> None:
        self._name = f"codex-{uuid4().hex[:12]}"
        self._environ = {**environ, "TERM": "xterm-256color"}
        # The path of a socket may have about a hundred bytes only.
        self._folder = tempfile.mkdtemp(prefix="tmux")
        self._socket = f"{self._folder}/socket"
        words = [f"{name}={value}" for name, value in self._environ.items()]
        command = shlex.join(["env", "-i", *words, *argv])
        self._tmux(
            "-f", "/dev/null", "new-session", "-d", "-s", self._name, "-x", str(columns), "-y", str(rows),
            "-c", str(cwd), f"{command}; echo status $?; sleep 600",
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tmux("kill-server", check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    def screen(self, history: int = 400) -> str:
        """Return what is on the screen and above it, without empty lines at the end of rows."""
        done = self._tmux("capture-pane", "-p", "-J", "-t", self._name, "-S", str(-history))
        return "\n".join(line.rstrip() for line in done.splitlines()).strip("\n")

    def wait_for(self, *wanted: str, limit: float = SCREEN_LIMIT) -> str:
        """Wait until all texts are on the screen, and return it.

        :raises TimeoutError: with the screen, when they do not come.
        """
        end = time.monotonic() + limit
        while True:
            screen = self.screen()
            if all(text in screen for text in wanted):
                return screen
            if time.monotonic() > end:
                missing = [text for text in wanted if text not in screen]
                raise TimeoutError(f"{missing} did not appear within {limit} s on the screen\n{screen}")
            time.sleep(_POLL_SECONDS)

    def type(self, text: str) -> None:
        """Type a text, letter by letter as a person does: pasted text would be treated apart."""
        for letter in text:
            self._tmux("send-keys", "-t", self._name, "-l", letter)
            time.sleep(0.01)

    def press(self, *keys: str) -> None:
        """Press keys by their names in tmux: Enter, Escape, C-c …"""
        time.sleep(0.3)
        self._tmux("send-keys", "-t", self._name, *keys)

    def say(self, text: str) -> None:
        """Type a message and send it."""
        self.type(text)
        self.press("Enter")

    def _tmux(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            ["tmux", "-S", self._socket, *arguments],
            env={**self._environ},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        if check and done.returncode:
            raise RuntimeError(f"tmux {arguments[0]}: {done.stderr}")
        return done.stdout
