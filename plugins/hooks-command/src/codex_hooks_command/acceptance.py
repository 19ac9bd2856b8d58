"""Store hashes of the script files of accepted hooks, so that commands can't replace the scripts afterwards.

The hash of a hook's definition is stored in config.toml, as Codex does; those of its scripts are in a separate file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codex_hooks_command.script_files import script_files
from codex_hooks_command.trust import hash_of
from codex_hookspecs.errors import ConfigError
from codex_hookspecs.files import locked, read_bytes, read_text, replace_file
from codex_hookspecs.json_text import parse_json
from codex_sandboxing.writable_roots import is_writable, writable_roots

if TYPE_CHECKING:
    from codex_hooks_command.handlers import RegisteredHook

FILE_NAME = "hook_scripts.json"
_MAX_SCRIPT_BYTES = 64 * 1024 * 1024


class AcceptedScripts:
    """Hashes of script files by hook.

    :param codex_home: directory of the file.
    :param environment: environment of hook commands.
    """

    def __init__(self, codex_home: str, environment: Mapping[str, str]) -> None:
        self._path = Path(codex_home, FILE_NAME)
        self._environment = environment

    def accept(self, accepted: Sequence[RegisteredHook], cwd: str) -> None:
        """Store the current hashes of the script files of hooks.

        :raises OSError: when they can't be written.
        """
        found = {}
        for one in accepted:
            base = _base_directory(one, cwd)
            if names := self._script_names(one, base):
                contents = {name: _content_hash(os.path.join(base, name)) for name in names}
                found[one.key] = {"hook": hash_of(one.handler), "files": contents}
        if not found:
            return
        with locked(self._path):
            replace_file(self._path, json.dumps({**self._load(), **found}, indent=1))

    def find_changed(
        self, one: RegisteredHook, cwd: str, config: Mapping[str, Any], *, remember: bool = True
    ) -> str | None:
        """Return a script file of a reviewed hook that has changed since it was accepted, or ``None``.

        For a hook without stored hashes, which was accepted with Codex itself, the present ones are stored.

        :param cwd: directory in which the hook is about to run.
        :param config: configuration that determines what sandboxed commands can write.
        :param remember: store the hashes of a hook that has none.
        """
        if not one.reviewed:
            return None
        named = self._script_names(one, cwd)
        if not named:
            return None
        everything = self._load()
        kept = everything.get(one.key, everything.get(one.accepted_key))
        if not isinstance(kept, dict) or kept.get("hook") != hash_of(one.handler) or "files" not in kept:
            with suppress(OSError):
                if remember:
                    self.accept([one], cwd)
            return None
        roots = [os.path.realpath(root) for root in (*self._workspace(config, cwd), _base_directory(one, cwd))]
        for name in named:
            path = os.path.join(cwd, name)
            content = _content_hash(path) if is_writable(os.path.realpath(path), roots) else None
            if content is not None and content != kept["files"].get(name):
                return path
        return None

    def _workspace(self, config: Mapping[str, Any], cwd: str) -> Sequence[str]:
        """Return what a sandboxed command can write under ``workspace-write``."""
        from codex_sandboxing.core_form import configured_policy

        policy = configured_policy("workspace-write", config.get("sandbox_workspace_write", {}))
        return writable_roots(policy, cwd, self._environment.get("TMPDIR") or "/tmp")  # noqa: S108

    def _script_names(self, one: RegisteredHook, cwd: str) -> tuple[str, ...]:
        if one.handler.type != "command":
            return ()
        environment = {**self._environment, **one.source.environment}
        # Bash reads this file before it runs a command.
        first = (environment["BASH_ENV"],) if environment.get("BASH_ENV") else ()
        return (*script_files(one.handler.command, environment, _base_directory(one, cwd)), *first)

    def _load(self) -> dict[str, Any]:
        try:
            kept = parse_json(read_text(str(self._path)) or "{}")
        except (ConfigError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}


def changed_script_reason(path: str, one: RegisteredHook) -> str:
    """Return why a hook with a changed script is not run, and how to change that."""
    return f"{path} has changed since the hook was accepted (look at it, then run: codex hooks trust '{one.key}')"


def _base_directory(one: RegisteredHook, cwd: str) -> str:
    """Return the directory that relative paths of a hook are resolved against."""
    return os.path.dirname(os.path.dirname(one.source.path)) if one.source.kind == "project" else cwd


def _content_hash(path: str) -> str | None:
    """Return the hash of a file, an error message if it can't be read, ``None`` if there is none."""
    import hashlib

    try:
        data = read_bytes(path, limit=_MAX_SCRIPT_BYTES)
    except ConfigError as error:
        return None if os.path.isdir(path) else error.message
    return None if data is None else f"sha256:{hashlib.sha256(data).hexdigest()}"
