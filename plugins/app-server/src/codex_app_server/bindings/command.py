"""Run ``codex app-server generate-json-schema`` and ``generate-ts``."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING, Final

from codex_app_server.bindings.catalog import catalog
from codex_app_server.program.unavailable import with_unavailable
from codex_hookspecs.errors import ConfigError, UsageError
from codex_hookspecs.surface import escape_controls_in_line
from codex_listener.options import read_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from codex_app_server.bindings.catalog import Catalog
    from codex_hookspecs.surface import SurfaceHost

_SCHEMA_USAGE: Final = "Usage: codex app-server generate-json-schema [OPTIONS] --out <DIR>"
_TYPESCRIPT_USAGE: Final = "Usage: codex app-server generate-ts [OPTIONS] --out <DIR>"
_EXPERIMENTAL: Final = "--experimental"
_SHORT: Final = {"-o": "--out", "-p": "--prettier"}
_PRETTIER_SECONDS: Final = 300.0


async def generate_json_schema(arguments: Sequence[str], host: SurfaceHost) -> int:
    """Write the JSON schemas of the protocol.

    :raises UsageError: when the command line is not valid.
    :raises ConfigError: when they can't be written.
    """
    from codex_app_server.bindings.json_schema import schema_files

    given = _read(arguments, {"--out": "DIR"}, _SCHEMA_USAGE)
    described = catalog(with_unavailable(host.rpc_methods()).values(), experimental=_EXPERIMENTAL in given)
    files = schema_files(described)
    texts = {path: f"{json.dumps(schema, indent=2, ensure_ascii=False)}\n" for path, schema in files.items()}
    await asyncio.to_thread(_write, os.path.join(host.cwd, given["--out"]), texts)
    return _report(described)


async def generate_typescript(arguments: Sequence[str], host: SurfaceHost) -> int:
    """Write the TypeScript types of the protocol, and have them formatted if a formatter is given.

    :raises UsageError: when the command line is not valid.
    :raises ConfigError: when they can't be written or formatted.
    """
    from codex_app_server.bindings.typescript import typescript_files

    given = _read(arguments, {"--out": "DIR", "--prettier": "PRETTIER_BIN"}, _TYPESCRIPT_USAGE)
    described = catalog(with_unavailable(host.rpc_methods()).values(), experimental=_EXPERIMENTAL in given)
    files = typescript_files(described)
    folder = os.path.join(host.cwd, given["--out"])
    await asyncio.to_thread(_write, folder, files)
    if "--prettier" in given:
        await _format(_program(given["--prettier"], host.cwd), folder, sorted(files))
    return _report(described)


def _read(arguments: Sequence[str], valued: Mapping[str, str], usage: str) -> dict[str, str]:
    words = [_SHORT.get(word, word) for word in arguments]
    given = read_options(words, valued, flags=(_EXPERIMENTAL,), usage=usage)
    if not given.get("--out"):
        raise UsageError("the following required arguments were not provided:\n  --out <DIR>", usage=usage)
    return given


def _report(described: Catalog) -> int:
    """Tell the user which methods are left out, and return the exit status."""
    for fault in described.faults:
        print(f"error: {escape_controls_in_line(fault)}", file=sys.stderr)
    return 1 if described.faults else 0


def _write(folder: str, files: Mapping[str, str]) -> None:
    """Write files below a folder; each is replaced as a whole.

    :raises ConfigError: when one can't be written.
    """
    try:
        for path, text in files.items():
            target = os.path.join(folder, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(f"{target}.new", "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            os.replace(f"{target}.new", target)
    except OSError as error:
        raise ConfigError(f"failed to write {folder}: {error.strerror}") from error


def _program(given: str, cwd: str) -> str:
    """Return the path of a program; a bare name is searched for."""
    return os.path.join(cwd, given) if os.sep in given else given


async def _format(program: str, folder: str, paths: Sequence[str]) -> None:
    """Have a formatter rewrite files.

    :raises ConfigError: when it can't be started, fails, or takes too long.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            program, "--write", "--log-level", "warn", *paths, cwd=folder, stdin=asyncio.subprocess.DEVNULL
        )
    except OSError as error:
        raise ConfigError(f"failed to run {program}: {error.strerror}") from error
    try:
        status = await asyncio.wait_for(process.wait(), _PRETTIER_SECONDS)
    except TimeoutError as error:
        raise ConfigError(f"{program} did not end within {_PRETTIER_SECONDS:.0f} seconds") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status != 0:
        raise ConfigError(f"{program} failed with status {status}")
