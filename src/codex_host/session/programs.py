"""Create a folder with the programs that tools provide to commands, for their ``PATH``."""

from __future__ import annotations

import os
import shlex
import zlib
from collections.abc import Iterable

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.file_reading import read_text
from codex_hookspecs.types.tools import Tool


def create_program_folder(tools: Iterable[Tool], home: str) -> str | None:
    """Return a folder with the programs of some tools, ``None`` if they have none or it can't be created.

    It is inside ``$CODEX_HOME``, which sandboxed commands can't write, and named after its content.
    """
    scripts = {name: _script(argv) for tool in tools for name, argv in tool.programs.items()}
    if not scripts:
        return None
    text = "\0".join(f"{name}\0{script}" for name, script in sorted(scripts.items()))
    folder = os.path.join(home, "programs", f"{zlib.crc32(text.encode()):08x}")
    try:
        if set(os.listdir(folder)) == scripts.keys() and all(
            _holds(f"{folder}/{name}", scripts[name]) for name in scripts
        ):
            return folder
    except OSError:
        pass  # It does not exist yet.
    try:
        _make(folder, scripts)
    except OSError:
        return None
    return folder


def _script(argv: Iterable[str]) -> str:
    return f'#!/bin/sh\nexec {shlex.join(argv)} "$@"\n'


def _holds(path: str, script: str) -> bool:
    try:
        return read_text(path, follow=False) == script and os.access(path, os.X_OK)
    except ConfigError:
        return False


def _make(folder: str, scripts: dict[str, str]) -> None:
    import shutil  # needed once per release only
    import tempfile

    parent = os.path.dirname(folder)
    os.makedirs(parent, mode=0o700, exist_ok=True)
    beside = tempfile.mkdtemp(prefix=".new-", dir=parent)
    try:
        for name, script in scripts.items():
            path = os.path.join(beside, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(script)
            os.chmod(path, 0o700)
        if os.path.lexists(folder):
            shutil.rmtree(folder)
        os.rename(beside, folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
