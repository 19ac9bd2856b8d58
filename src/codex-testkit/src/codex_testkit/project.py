"""A temporary project with its own home directory, in which a test writes files and runs the program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codex_hookspecs.values import frozen


@frozen
class RunOutcome:
    """The result of one run of the program."""

    status: int
    stdout: str
    stderr: str

    def assert_success(self) -> None:
        """Fail the test, showing all output, unless the exit status is 0."""
        assert self.status == 0, f"exit status {self.status}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"

    def events(self) -> list[dict[str, Any]]:
        """Return the JSON lines of stdout."""
        return [json.loads(line) for line in self.stdout.splitlines()]


class Project:
    """A project and a home.

    :param folder: an empty directory.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "project"
        self.home = folder / "home"
        self.root.mkdir()
        self.home.mkdir()

    def write(self, files: Mapping[str, str]) -> Project:
        """Write files by path relative to the project; ``~/`` stands for the home. A ``#!`` makes one executable."""
        for name, content in files.items():
            path = self.home / name[2:] if name.startswith("~/") else self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
            if content.startswith("#!"):
                path.chmod(0o755)
        return self

    def run(
        self, *arguments: str, stdin: str = "", environ: Mapping[str, str] | None = None, limit: float = 60
    ) -> RunOutcome:
        """Run the ``codex`` of this Python environment in the project and wait for its end.

        :param limit: time limit in seconds.
        :raises subprocess.TimeoutExpired: when it exceeds the limit; it is killed then.
        """
        from codex_testkit.remote_machine import URL_VARIABLE, remote_url

        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("CODEX_", "OPENAI_"))}
        url = remote_url()
        if url is not None:
            inherited[URL_VARIABLE] = url
        done = subprocess.run(
            [str(Path(sys.executable).with_name("codex")), *arguments],
            cwd=self.root,
            env={**inherited, "CODEX_HOME": str(self.home), "HOME": str(self.home), **(environ or {})},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
        return RunOutcome(done.returncode, done.stdout, done.stderr)
