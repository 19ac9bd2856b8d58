"""A short notation of JSON schemas, for comparison: texts for types, tables for objects.

``str``, ``bool``, ``int64``, ``any``; ``'a' | 'b'`` for words; ``[T]`` for lists, ``{T}`` for objects with any members;
``T?`` for a value or null. Members of objects that are always there end in ``!``. A union with objects is a list.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Types = Mapping[str, Any]

INLINED = {
    "AbsolutePathBuf",
    "AgentPath",
    "RequestId",
    "ThreadId",
    "ActiveTurnKind",
    "ExecpolicyAmendment",
    "GranularApprovals",
    "HttpFailure",
    "NetworkAmendment",
    "ProposedExecpolicyAmendment",
    "ReviewedNetworkAmendment",
    "ThreadSpawn",
}
"""Definitions that are described where they are used: names of plain texts, and objects that 0.118 has no name for."""
_PLAIN = {"string": "str", "boolean": "bool", "null": "null"}


def definition(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """Return the notation of a definition; names of definitions of texts and numbers are replaced by what they are."""
    if schema.get("properties") is not None or (
        schema.get("type") == "object" and "additionalProperties" not in schema
    ):
        alternatives = [definition(_merged(schema, each), definitions) for each in schema.get("oneOf", ())]
        return sorted(alternatives, key=json.dumps) or _object(schema, definitions)
    options = schema.get("oneOf") or schema.get("anyOf")
    if options and any("properties" in option or option.get("type") == "object" for option in options):
        plain = [definition(each, definitions) for each in options]
        words = sorted(word for each in plain if isinstance(each, str) for word in each.split(" | "))
        found = sorted([each for each in plain if not isinstance(each, str)] + words, key=json.dumps)
        return found[0] if len(found) == 1 else found
    return notation(schema, definitions)


def notation(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """Return the notation of a type."""
    if schema is True or not set(schema) - {"description", "default", "title", "writeOnly"}:
        return "any"
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name in INLINED:
            return definition(definitions[name], definitions)
        return name
    options = schema.get("allOf") or schema.get("oneOf") or schema.get("anyOf")
    if options:
        parts = [notation(option, definitions) for option in options]
        null = "null" in parts or any(str(part).endswith("?") for part in parts)
        shown = [str(part).removesuffix("?") for part in parts if part != "null"]
        words = sorted(word for part in shown for word in part.split(" | "))
        return " | ".join(words) + ("?" if null else "")
    return _by_type(schema, definitions)


def _by_type(schema: Any, definitions: Mapping[str, Any]) -> Any:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    kind = next((each for each in kinds if each != "null"), "null")
    mark = "?" if "null" in kinds[1:] else ""
    if "enum" in schema:
        return " | ".join(sorted(f"'{word}'" for word in schema["enum"])) + mark
    if kind == "array":
        return f"[{notation(schema.get('items', True), definitions)}]{mark}"
    if kind == "object" and schema.get("properties"):
        return _object(schema, definitions)
    if kind == "object":
        return f"{{{notation(schema.get('additionalProperties', True), definitions)}}}{mark}"
    if kind in ("integer", "number"):
        return {"double": "float"}.get(schema["format"], schema["format"]) + mark
    return _PLAIN[kind] + mark


def _object(schema: Any, definitions: Mapping[str, Any]) -> dict[str, Any]:
    required = schema.get("required", ())
    return {
        f"{name}{'!' if name in required else ''}": notation(member, definitions)
        for name, member in sorted(schema.get("properties", {}).items())
    }


def _merged(outer: Any, inner: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**outer.get("properties", {}), **inner.get("properties", {})},
        "required": [*outer.get("required", ()), *inner.get("required", ())],
    }


def faults(value: Any, noted: Any, types: Types, path: str = "$") -> list[str]:
    """Return where a JSON value does not have a noted type; further members of objects are allowed."""
    if isinstance(noted, list):
        found = [faults(value, option, types, path) for option in noted]
        return [] if [] in found else [f"{path}: {value!r:.200} is none of {len(noted)} options"]
    if isinstance(noted, dict):
        return _object_faults(value, noted, types, path)
    if noted.endswith("?"):
        return [] if value is None else faults(value, noted[:-1], types, path)
    if noted in types:
        return faults(value, types[noted], types, path)
    if noted.startswith("["):
        parts = enumerate(value) if isinstance(value, list) else None
        return _all_faults(parts, value, noted[1:-1], types, path)
    if noted.startswith("{"):
        parts = value.items() if isinstance(value, dict) else None
        return _all_faults(parts, value, noted[1:-1], types, path)
    if " | " in noted:
        found = [faults(value, option, types, path) for option in noted.split(" | ")]
        return [] if [] in found else [f"{path}: {value!r:.200} is not {noted}"]
    return [] if _is_plain(value, noted) else [f"{path}: {value!r:.200} is not {noted}"]


def _object_faults(value: Any, noted: Mapping[str, Any], types: Types, path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: {value!r:.200} is not an object"]
    found = []
    for mark, member in noted.items():
        name = mark.removesuffix("!")
        if name in value:
            found += faults(value[name], member, types, f"{path}.{name}")
        elif mark != name:
            found.append(f"{path}: {name} is missing")
    return found


def _all_faults(parts: Any, value: Any, noted: str, types: Types, path: str) -> list[str]:
    if parts is None:
        return [f"{path}: {value!r:.200} is not a collection of {noted}"]
    return [fault for key, part in parts for fault in faults(part, noted, types, f"{path}[{key}]")]


def _is_plain(value: Any, noted: str) -> bool:
    if noted.startswith("'"):
        return bool(value == noted[1:-1])
    if noted == "any":
        return True
    if "int" in noted:
        return type(value) is int and (value >= 0 or not noted.startswith("u"))
    return type(value) in {"str": (str,), "bool": (bool,), "float": (int, float), "null": (type(None),)}[noted]
