"""Compare the types of the contracts with those of 0.118, member by member."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs

from codex_app_server.bindings.annotations import Reader
from codex_app_server.bindings.json_schema import schema_of
from codex_hookspecs import protocol
from protocol_0118.notation import definition

FACTS: dict[str, Any] = json.loads((Path(__file__).parent / "facts.json").read_text())
"""Methods, notifications and types of 0.118, in the notation of :mod:`protocol_0118.notation`."""
DIFFERENCES: dict[str, Any] = json.loads((Path(__file__).parent / "differences.json").read_text())
"""What is different here, and why."""
_REQUEST_ID = {"anyOf": [{"type": "string"}, {"type": "integer", "format": "int64"}]}
_UNIONS = ("LoginAccountParams", "LoginAccountResponse", "McpServerElicitationRequestParams")
"""Unions that are the parameters or the result of a method, and no members of other types."""


def ours() -> dict[str, Any]:
    """Return our definitions as JSON schemas, by name in the protocol."""
    reader = Reader(experimental=True)
    for name in protocol.__all__:
        kind = getattr(protocol, name)
        if isinstance(kind, type) and attrs.has(kind):
            reader.define(kind, name)
    for name in _UNIONS:
        reader.define(getattr(protocol, name), name)
    return {name: schema_of(each) for name, each in reader.definitions.items()} | {"RequestId": _REQUEST_ID}


def differences() -> dict[str, tuple[Any, Any]]:
    """Return what differs: both notations, ``None`` for what one does not have, by ``Type`` or ``Type.member``."""
    found: dict[str, tuple[Any, Any]] = {}
    definitions = ours()
    for name, theirs in FACTS["types"].items():
        mine = definition(definitions[name], definitions) if name in definitions else None
        if mine == theirs:
            continue
        if isinstance(theirs, dict) and isinstance(mine, dict):
            left, right = _by_member(theirs), _by_member(mine)
            for member in left.keys() | right.keys():
                if left.get(member) != right.get(member):
                    found[f"{name}.{member}"] = (left.get(member), right.get(member))
        elif isinstance(theirs, list) and isinstance(mine, list):
            found[name] = ([each for each in theirs if each not in mine], [each for each in mine if each not in theirs])
        else:
            found[name] = (theirs, mine)
    return found


def _by_member(noted: dict[str, Any]) -> dict[str, str]:
    return {name.removesuffix("!"): f"{kind}{'!' if name.endswith('!') else ''}" for name, kind in noted.items()}
