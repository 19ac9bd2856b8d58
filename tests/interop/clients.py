"""The programs compared here, and one way to run them all against the scripted model."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from attrs import field, frozen

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / ".peers"
TURN_LIMIT = 60


@frozen
class Codex:
    """An executable that has ``codex exec``.

    :param flags: arguments in front of the prompt that this release needs for the same run.
    :param model: a model whose tools it knows, ``apply_patch`` among them.
    """

    name: str
    path: Path
    flags: tuple[str, ...] = field(default=(), kw_only=True)
    model: str = field(default="gpt-5.2-codex", kw_only=True)

    @property
    def present(self) -> bool:
        return self.path.is_file()


def _real(version: str) -> Path:
    found = sorted((PEERS / f"codex-{version}").glob("node_modules/@openai/codex-*-*/vendor/*/*/codex"))
    return found[0] if found else PEERS / f"codex-{version}" / "codex"


OURS = Codex("ours", ROOT / ".venv" / "bin" / "codex")
REAL_118 = Codex("0.118.0", _real("0.118"))
REAL_169 = Codex("0.169.0", _real("0.169"), model="gpt-5.5")


@frozen(kw_only=True)
class Outcome:
    """What a finished run left."""

    status: int
    stdout: str
    stderr: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """The lines of ``--json``."""
        return [json.loads(line) for line in self.stdout.splitlines()]


def clean_environment(folder: Path, codex_home: Path) -> dict[str, str]:
    """Give an environment in which a program does the same work on every machine.

    Variables of this machine change what is measured: ``SSL_CERT_FILE`` makes real Codex parse a bundle of
    certificates at each start, ``PYTHONDONTWRITEBYTECODE`` makes ours compile.

    :param folder: the home directory.
    :param codex_home: ``$CODEX_HOME``.
    """
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "SHELL": "/bin/bash",
        "HOME": str(folder),
        "CODEX_HOME": str(codex_home),
    }


@frozen
class Stage:
    """A fresh ``CODEX_HOME`` and working directory, and the model server they point to.

    :param folder: holds ``home`` and ``ws``; not under the temporary directory, where real Codex does less.
    """

    folder: Path
    base_url: str

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def ws(self) -> Path:
        return self.folder / "ws"

    def set_up(self, codex: Codex, config: str = "", *, provider: str = "", git: bool = True) -> None:
        """Write the configuration and make the working directory a repository.

        :param config: TOML lines for the top of the file.
        :param provider: TOML lines for the provider's table.
        """
        self.home.mkdir(parents=True)
        self.ws.mkdir()
        if git:
            shutil.copytree(_empty_repository(), self.ws, dirs_exist_ok=True)
        top = f'model_provider = "mock"\n{config}\n'
        if "model =" not in config:
            top = f'model = "{codex.model}"\n{top}'
        head, mark, tables = top.partition("\n[")
        table = (
            f'[model_providers.mock]\nname = "mock"\nbase_url = "{self.base_url}"\nwire_api = "responses"\n{provider}'
        )
        (self.home / "config.toml").write_text(f"{head}\n{mark[1:]}{tables}\n{table}\n", "utf-8")

    def environment(self, **extra: str) -> dict[str, str]:
        """Give the environment of a run: a few named variables and nothing else of this machine's."""
        return {**clean_environment(self.folder, self.home), **extra}

    def run(
        self,
        codex: Codex,
        *args: str,
        stdin: bytes | None = None,
        cwd: Path | None = None,
        limit: float = TURN_LIMIT,
        **env: str,
    ) -> Outcome:
        """Run the program to its end.

        :param args: everything after its name.
        """
        done = subprocess.run(
            [str(codex.path), *args],
            cwd=cwd or self.ws,
            env=self.environment(**env),
            input=b"" if stdin is None else stdin,
            capture_output=True,
            timeout=limit,
            check=False,
        )
        text = (stream.decode("utf-8", "replace") for stream in (done.stdout, done.stderr))
        return Outcome(status=done.returncode, stdout=next(text), stderr=next(text))

    def exec(self, codex: Codex, prompt: str, *args: str, stdin: bytes | None = None, **env: str) -> Outcome:
        """Run ``exec --json`` with full access."""
        access = "--dangerously-bypass-approvals-and-sandbox"
        return self.run(codex, "exec", access, "--json", *codex.flags, *args, prompt, stdin=stdin, **env)


def _empty_repository() -> Path:
    made = PEERS / "empty-repository"
    if not made.is_dir():
        made.mkdir(parents=True)
        subprocess.run(["git", "init", "-q", str(made)], check=True, timeout=30)
    return made
