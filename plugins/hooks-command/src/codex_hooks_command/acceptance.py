"""Remember what script files held when a hook was accepted, so that commands can't put other scripts in their place.

The review's own mark, the hash of the definition, stays where Codex keeps it; this is kept beside it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.files import locked, read_bytes, read_text, replace_file
from codex_hookspecs.json_text import parse_json
from codex_sandboxing.writable_roots import is_writable, writable_roots

from .script_files import script_files
from .trust import hash_of

if TYPE_CHECKING:
    from .handlers import Registered

FILE_NAME = "hook_scripts.json"
_LARGEST = 64 * 1024 * 1024


class AcceptedScripts:
    """Contents of script files by hook.

    :param codex_home: where they are kept.
    :param environment: variables that commands are run with.
    """

    def __init__(self, codex_home: str, environment: Mapping[str, str]) -> None:
        self._path = Path(codex_home, FILE_NAME)
        self._environment = environment

    def accept(self, accepted: Sequence[Registered], cwd: str) -> None:
        """Remember the script files of hooks as they are now.

        :raises OSError: when that can't be kept.
        """
        found = {}
        for one in accepted:
            base = _base(one, cwd)
            if names := self._named(one, base):
                contents = {name: _content(os.path.join(base, name)) for name in names}
                found[one.key] = {"hook": hash_of(one.handler), "files": contents}
        if not found:
            return
        with locked(self._path):
            replace_file(self._path, json.dumps({**self._kept(), **found}, indent=1))

    def changed(self, one: Registered, cwd: str, config: Mapping[str, Any], *, remember: bool = True) -> str | None:
        """Return the script file of a reviewed hook that is another one now, or ``None``.

        A hook that somebody accepted elsewhere, as with Codex itself, is remembered as it is found first.

        :param cwd: where the hook is about to run.
        :param config: says what sandboxed commands can write.
        :param remember: keep what a hook has that was accepted elsewhere.
        """
        if not one.reviewed:
            return None
        named = self._named(one, cwd)
        if not named:
            return None
        everything = self._kept()
        kept = everything.get(one.key, everything.get(one.accepted_key))
        if not isinstance(kept, dict) or kept.get("hook") != hash_of(one.handler) or "files" not in kept:
            with suppress(OSError):
                if remember:
                    self.accept([one], cwd)
            return None
        roots = [os.path.realpath(root) for root in (*self._workspace(config, cwd), _base(one, cwd))]
        for name in named:
            path = os.path.join(cwd, name)
            content = _content(path) if is_writable(os.path.realpath(path), roots) else None
            if content is not None and content != kept["files"].get(name):
                return path
        return None

    def _workspace(self, config: Mapping[str, Any], cwd: str) -> Sequence[str]:
        """Return what a command can write that is held in its workspace."""
        from codex_sandboxing.core_form import configured_policy

        policy = configured_policy("workspace-write", config.get("sandbox_workspace_write", {}))
        return writable_roots(policy, cwd, self._environment.get("TMPDIR") or "/tmp")  # noqa: S108

    def _named(self, one: Registered, cwd: str) -> tuple[str, ...]:
        if one.handler.type != "command":
            return ()
        environment = {**self._environment, **one.origin.environment}
        # Bash reads this file first, whatever it is to run.
        first = (environment["BASH_ENV"],) if environment.get("BASH_ENV") else ()
        return (*script_files(one.handler.command, environment, _base(one, cwd)), *first)

    def _kept(self) -> dict[str, Any]:
        try:
            kept = parse_json(read_text(str(self._path)) or "{}")
        except (ConfigError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}


def changed_script(path: str, one: Registered) -> str:
    """Return why a hook is not run whose script is another one now, and what changes that."""
    return f"{path} has changed since the hook was accepted (look at it, then run: codex hooks trust '{one.key}')"


def _base(one: Registered, cwd: str) -> str:
    """Return the directory that a hook's relative paths belong to."""
    return os.path.dirname(os.path.dirname(one.origin.path)) if one.origin.source == "project" else cwd


def _content(path: str) -> str | None:
    """Return what stands for the content of a file, ``None`` when there is none."""
    import hashlib

    try:
        data = read_bytes(path, limit=_LARGEST)
    except ConfigError as error:
        return None if os.path.isdir(path) else error.message
    return None if data is None else f"sha256:{hashlib.sha256(data).hexdigest()}"
