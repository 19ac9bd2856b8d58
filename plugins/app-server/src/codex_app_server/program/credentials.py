"""The API key in ``auth.json`` (format of Codex 0.118)."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from codex_hookspecs.errors import ConfigError, RpcError
from codex_hookspecs.files import locked, read_bytes, replace_file
from codex_hookspecs.json_text import parse_json
from codex_hookspecs.jsonrpc import INTERNAL_ERROR

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLES: Final = ("CODEX_API_KEY", "OPENAI_API_KEY")


def find_key(codex_home: str, environ: Mapping[str, str]) -> str | None:
    """Return the API key that requests to a provider with OpenAI login are made with.

    The variables of the environment come first. A file that can't be used counts as none.
    """
    for variable in _VARIABLES:
        value = environ.get(variable, "").strip()
        if value:
            return value
    try:
        data = read_bytes(_file(codex_home))
        found = None if data is None else parse_json(data)
    except (ConfigError, ValueError):
        return None
    key = found.get("OPENAI_API_KEY") if isinstance(found, dict) else None
    return key.strip() or None if isinstance(key, str) else None


def store_key(codex_home: str, key: str) -> None:
    """Write a key in place of all other credentials; only the user can read the file.

    :raises RpcError: when it can't be written.
    """
    file = _file(codex_home)
    try:
        with locked(file):
            # A link may lead to where the user keeps credentials.
            replace_file(os.path.realpath(file), json.dumps({"auth_mode": "apikey", "OPENAI_API_KEY": key}, indent=2))
    except OSError as error:
        raise RpcError(f"{file} can't be written: {error.strerror or error}", code=INTERNAL_ERROR) from error


def forget_credentials(codex_home: str) -> None:
    """Remove the file.

    :raises RpcError: when it can't be removed.
    """
    file = _file(codex_home)
    try:
        with locked(file), suppress(FileNotFoundError):
            os.unlink(file)
    except OSError as error:
        raise RpcError(f"{file} can't be removed: {error.strerror or error}", code=INTERNAL_ERROR) from error


def _file(codex_home: str) -> str:
    return f"{codex_home}/auth.json"
