"""Write shapes as JSON schemas (draft 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from codex_app_server.bindings.names import schema_folder
from codex_app_server.bindings.shapes import (
    Definition,
    ListOf,
    MapOf,
    Nullable,
    OneOf,
    Plain,
    Record,
    Reference,
    Shape,
    Words,
    references,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from codex_app_server.bindings.catalog import Call, Catalog

    Prefix = Callable[[str], str]

DRAFT: Final = "http://json-schema.org/draft-07/schema#"
METHODS: Final = "methods.json"
"""File with the types of each method; it is no schema."""
_ENVELOPES: Final = ("ClientRequest", "ServerRequest", "ServerNotification", "ClientNotification")
_REQUEST_ID: Final[dict[str, Any]] = {"anyOf": [{"type": "string"}, {"type": "integer", "format": "int64"}]}


def schema_files(catalog: Catalog) -> dict[str, Any]:
    """Return the schemas by path below the output directory."""
    names = dict.fromkeys(_named(catalog.requests, catalog.server_requests))
    names |= dict.fromkeys(catalog.notifications.values())
    messages = _messages(catalog, _flat)
    files = {f"{schema_folder(name)}/{name}.json".lstrip("/"): document(name, catalog.definitions) for name in names}
    for name, schema in messages.items():
        needed = {each: _define(catalog.definitions[each], _flat) for each in _reached(schema, catalog.definitions)}
        parts = {part: messages[part] for part in _plainly_reached(schema, messages)}
        files[f"{name}.json"] = {
            "$schema": DRAFT,
            "title": name,
            **schema,
            **({"definitions": {**needed, **parts}} if needed or parts else {}),
        }
    files[METHODS] = _methods(catalog)
    files["codex_app_server_protocol.schemas.json"] = _nested_bundle(catalog)
    files["codex_app_server_protocol.v2.schemas.json"] = _flat_bundle(catalog)
    return files


def _methods(catalog: Catalog) -> dict[str, Any]:
    """Return the names of the types of each method; ``null`` stands for none."""
    return {
        "clientRequests": {call.method: {"params": call.params, "result": call.result} for call in catalog.requests},
        "serverRequests": {
            call.method: {"params": call.params, "result": call.result} for call in catalog.server_requests
        },
        "serverNotifications": {method: {"params": name} for method, name in catalog.notifications.items()},
    }


def document(name: str, definitions: Mapping[str, Definition]) -> dict[str, Any]:
    """Return the schema of one definition with all that it mentions."""
    schema = _define(definitions[name], _flat)
    needed = {each: _define(definitions[each], _flat) for each in _closure([name], definitions) if each != name}
    recursive = {name: schema} if name in _closure(_mentioned(definitions[name]), definitions) else {}
    inner = {**needed, **recursive}
    return {"$schema": DRAFT, "title": name, **schema, **({"definitions": inner} if inner else {})}


def schema_of(definition: Definition) -> dict[str, Any]:
    """Return the schema of a definition, with references to those that it mentions."""
    return _define(definition, _flat)


def _flat(name: str) -> str:
    return f"#/definitions/{name}"


def _named(*groups: Iterable[Call]) -> Iterable[str]:
    return (name for group in groups for call in group for name in (call.params, call.result) if name)


def _mentioned(definition: Definition) -> tuple[str, ...]:
    return references(definition.shape)


def _closure(names: Iterable[str], definitions: Mapping[str, Definition]) -> list[str]:
    """Return names and all that their definitions mention, sorted."""
    found: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name not in found and name in definitions:
            found.add(name)
            left.extend(_mentioned(definitions[name]))
    return sorted(found)


def _define(definition: Definition, prefix: Prefix) -> dict[str, Any]:
    schema = _schema(definition.shape, prefix, definition.name)
    return {"description": definition.doc, **schema} if definition.doc else dict(schema)


def _schema(shape: Shape, prefix: Prefix, owner: str = "") -> dict[str, Any]:
    match shape:
        case Plain(kind="any"):
            return {}
        case Plain(kind, written) if kind == "integer":
            return {"type": kind, "format": written, **({"minimum": 0} if written.startswith("uint") else {})}
        case Plain(kind, written):
            return {"type": kind, **({"format": written} if written else {})}
        case Words(words):
            return {"type": "string", "enum": list(words)}
        case Reference(name):
            return {"$ref": prefix(name)}
        case ListOf(item):
            return {"type": "array", "items": _schema(item, prefix) or True}
        case MapOf(value):
            return {"type": "object", "additionalProperties": _schema(value, prefix) or True}
        case Nullable(inner):
            return _nullable(_schema(inner, prefix))
        case OneOf(options):
            parts = [_schema(option, prefix, owner) for option in options]
            return {"oneOf" if any(isinstance(option, Record) for option in options) else "anyOf": parts}
        case Record():
            return _record(shape, prefix, owner)


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def _record(record: Record, prefix: Prefix, owner: str) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required = [member.name for member in record.members if member.required]
    if record.tag is not None:
        properties[record.tag[0]] = {"type": "string", "enum": [record.tag[1]]}
        required.insert(0, record.tag[0])
    for member in record.members:
        schema = _schema(member.shape, prefix)
        notes = {"description": member.doc} if member.doc else {}
        if member.default is not None and not member.required:
            notes["default"] = member.default
        if notes and "$ref" in schema:
            schema = {"allOf": [schema]}
        properties[member.name] = {**notes, **schema} or True
    result: dict[str, Any] = {"type": "object"}
    if record.tag is not None:
        result["title"] = f"{_pascal(record.tag[1])}{owner}"
        if record.doc:
            result["description"] = record.doc
    if required:
        result["required"] = sorted(required)
    if properties:
        result["properties"] = properties
    if record.closed:
        result["additionalProperties"] = False
    return result


def _pascal(word: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in word.replace("-", "_").split("_"))


def _messages(catalog: Catalog, prefix: Prefix) -> dict[str, dict[str, Any]]:
    """Return the schemas of messages: requests, notifications, and JSON-RPC in general."""
    identifier = {"$ref": prefix("RequestId")}
    envelope = {"method": {"type": "string"}, "params": True}
    kinds = ("Request", "Notification", "Response", "Error")
    return {
        "RequestId": _REQUEST_ID,
        "ClientRequest": {"oneOf": [_request(call, prefix) for call in catalog.requests]},
        "ServerRequest": {"oneOf": [_request(call, prefix) for call in catalog.server_requests]},
        "ServerNotification": {
            "oneOf": [_notification(method, name, prefix) for method, name in catalog.notifications.items()]
        },
        "ClientNotification": {"oneOf": [_notification("initialized", None, prefix)]},
        "JSONRPCRequest": _object({"id": identifier, **envelope}, "id", "method"),
        "JSONRPCNotification": _object(envelope, "method"),
        "JSONRPCResponse": _object({"id": identifier, "result": True}, "id", "result"),
        "JSONRPCErrorError": _object(
            {"code": {"type": "integer", "format": "int64"}, "data": True, "message": {"type": "string"}},
            "code",
            "message",
        ),
        "JSONRPCError": _object({"error": {"$ref": prefix("JSONRPCErrorError")}, "id": identifier}, "error", "id"),
        "JSONRPCMessage": {"anyOf": [{"$ref": prefix(f"JSONRPC{kind}")} for kind in kinds]},
    }


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


def _request(call: Call, prefix: Prefix) -> dict[str, Any]:
    title = f"{_pascal(call.method)}Request"
    return {
        "title": title,
        "type": "object",
        "required": ["id", "method", *(["params"] if call.params else [])],
        "properties": {
            "id": {"$ref": prefix("RequestId")},
            "method": {"type": "string", "enum": [call.method], "title": f"{title}Method"},
            "params": {"$ref": prefix(call.params)} if call.params else {"type": "null"},
        },
    }


def _notification(method: str, params: str | None, prefix: Prefix) -> dict[str, Any]:
    title = f"{_pascal(method)}Notification"
    return {
        "title": title,
        "type": "object",
        "required": ["method", *(["params"] if params else [])],
        "properties": {
            "method": {"type": "string", "enum": [method], "title": f"{title}Method"},
            **({"params": {"$ref": prefix(params)}} if params else {}),
        },
    }


def _plainly_reached(schema: Any, messages: Mapping[str, Any]) -> list[str]:
    """Return the messages that a message is built of."""
    found: set[str] = set()
    left = [schema]
    while left:
        for name in _targets(left.pop()):
            if name in messages and name not in found:
                found.add(name)
                left.append(messages[name])
    return sorted(found)


def _reached(schema: Any, definitions: Mapping[str, Definition]) -> list[str]:
    return _closure((name for name in _targets(schema) if name in definitions), definitions)


def _targets(schema: Any) -> set[str]:
    if isinstance(schema, dict):
        own = {schema["$ref"].rpartition("/")[2]} if isinstance(schema.get("$ref"), str) else set()
        return own.union(*(_targets(part) for part in schema.values()))
    return set[str]().union(*(_targets(part) for part in schema)) if isinstance(schema, list) else set()


def _bundle(title: str, definitions: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": DRAFT, "title": title, "type": "object", "definitions": definitions}


def _flat_bundle(catalog: Catalog) -> dict[str, Any]:
    """Return all definitions in one name space."""
    defined = {name: _define(catalog.definitions[name], _flat) for name in sorted(catalog.definitions)}
    messages = _messages(catalog, _flat)
    envelopes = {name: messages[name] for name in (*_ENVELOPES, "RequestId")}
    return _bundle("CodexAppServerProtocolV2", dict(sorted({**defined, **envelopes}.items())))


def _nested_bundle(catalog: Catalog) -> dict[str, Any]:
    """Return all definitions: those of the second version of the protocol in the name space ``v2``."""
    roots = [*_named(catalog.requests, catalog.server_requests), *catalog.notifications.values()]
    second = set(_closure((name for name in roots if schema_folder(name) == "v2"), catalog.definitions))

    def prefix(name: str) -> str:
        return f"#/definitions/v2/{name}" if name in second or name == "RequestId" else f"#/definitions/{name}"

    outer = {name: _define(catalog.definitions[name], prefix) for name in catalog.definitions if name not in second}
    inner = {name: _define(catalog.definitions[name], prefix) for name in sorted(second)}
    messages = _messages(catalog, prefix)
    inner["RequestId"] = messages["RequestId"]
    return _bundle("CodexAppServerProtocol", {**dict(sorted({**outer, **messages}.items())), "v2": inner})
