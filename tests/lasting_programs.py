"""Programs that run beside a test, each with a home, a project and an environment of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from textwrap import dedent
from typing import Any

from own_environment import make_environment

LIMIT = 60.0
SAID = "all done"
SCRIPTED = ("-c", "model_provider=scripted", "-c", "model_providers.scripted.script=script.json")
TURN = (*SCRIPTED, "exec", "--skip-git-repo-check", "--sandbox", "danger-full-access", "go")


class LastingProgram:
    """A turn that a plugin of a third party has a part in.

    :param folder: does not exist yet.
    :param plugin: source of the plugin ``noisy``; without one there is none.
    :param script: steps of the offline model.
    """

    def __init__(self, folder: Path, plugin: str = "", script: Any = None) -> None:
        self.home, self.work = folder / "home", folder / "work"
        self.home.mkdir(parents=True)
        self.work.mkdir()
        packages = make_environment(folder / "environment")
        self.program = str(folder / "environment" / "bin" / "codex")
        self._out, self._err = folder / "out", folder / "err"
        self._process: subprocess.Popen[bytes] | None = None
        (self.work / "script.json").write_text(json.dumps(script or [[{"say": SAID}]]))
        if plugin:
            _install(packages, plugin)
            subprocess.run(
                [self.program, "plugins", "trust", "noisy"], env=self.environ, check=True, capture_output=True
            )

    @property
    def environ(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "CODEX_HOME": str(self.home)}

    def start(self, *arguments: str, **popen: Any) -> LastingProgram:
        """Start a turn, or the program with other arguments."""
        with open(self._out, "wb") as out, open(self._err, "wb") as err:
            given = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": err, "env": self.environ, **popen}
            self._process = subprocess.Popen([self.program, *(arguments or TURN)], cwd=self.work, **given)
        return self

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    @property
    def out(self) -> str:
        return self._out.read_text()

    @property
    def err(self) -> str:
        return self._err.read_text()

    def told(self, text: str) -> None:
        """Wait until something stands in one of its outputs."""
        end = time.monotonic() + LIMIT
        while text not in self.out + self.err:
            assert time.monotonic() < end, f"{text!r} is not in {self.out + self.err!r}"
            time.sleep(0.01)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self, limit: float = LIMIT) -> int:
        """Wait for the end and return the exit status as a shell shows it."""
        try:
            status = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            if self.process.stdin is not None:
                self.process.stdin.close()
        return status if status >= 0 else 128 - status


def _install(packages: Path, source: str) -> None:
    package = packages / "third_noisy"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "plugin.py").write_text("from codex_hookspecs import hookimpl\n" + dedent(source))
    (package / "codex-plugin.toml").write_text('name = "noisy"\napi = 1\n')
    info = packages / "codex_noisy-1.0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: codex-noisy\nVersion: 1.0.0\n")
    (info / "entry_points.txt").write_text("[codex.plugins]\nnoisy = third_noisy.plugin\n")
