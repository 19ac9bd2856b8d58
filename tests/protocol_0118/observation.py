"""Compare what the app-server sends in tests with its own schemas and with the shapes of 0.118."""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import entry_points
from inspect import signature
from typing import Any

import jsonschema

from codex_app_server.bindings.catalog import Catalog, catalog
from codex_app_server.bindings.json_schema import document
from codex_app_server.program.unavailable import with_unavailable
from protocol_0118.comparison import DIFFERENCES, FACTS
from protocol_0118.notation import faults

_WHOLE = [name for name in DIFFERENCES["types"] if "." not in name and name != "ThreadItem"]
_TYPES = {**FACTS["types"], **dict.fromkeys(_WHOLE, "any")}
"""Shapes of 0.118, without those that differ as a whole."""


@cache
def program_methods() -> tuple[Any, ...]:
    """Return the methods of all installed plugins."""
    found: list[Any] = []
    for point in entry_points(group="codex.plugins"):
        offer = getattr(point.load(), "rpc_methods", None)
        if offer is not None:
            found += offer(*(None for _ in signature(offer).parameters)) or ()
    return tuple(with_unavailable(found).values())


@cache
def _catalog(methods: tuple[Any, ...]) -> Catalog:
    return catalog(methods, experimental=True)


@cache
def _validator(methods: tuple[Any, ...], name: str) -> Any:
    return jsonschema.Draft7Validator(document(name, _catalog(methods).definitions))


class Observer:
    """Follows one connection and compares messages of the server with their types.

    :param methods: those of the server; by default those of all installed plugins.
    :ivar faults: what was found so far.
    """

    def __init__(self, methods: tuple[Any, ...] = ()) -> None:
        self._methods = methods or program_methods()
        self.faults: list[str] = []
        self._asked: dict[int | str, str] = {}

    def asked(self, text: str) -> None:
        """Note a message of the client."""
        try:
            message = json.loads(text)
        except ValueError:
            return
        if (
            isinstance(message, dict)
            and isinstance(message.get("method"), str)
            and type(message.get("id")) in (int, str)
        ):
            self._asked[message["id"]] = message["method"]

    def sent(self, message: dict[str, Any]) -> None:
        """Keep the faults of a message of the server."""
        self.faults += self._all_faults(message)

    def _all_faults(self, message: dict[str, Any]) -> list[str]:
        known = _catalog(self._methods)
        method = message.get("method")
        if method is None:
            asked = self._asked.get(message["id"], "")
            results = {call.method: call.result for call in known.requests}
            return (
                self._faults(f"result of {asked}", results.get(asked), message["result"]) if "result" in message else []
            )
        if "id" in message:
            params = {call.method: call.params for call in known.server_requests}
            if method not in params:
                return [f"no method declares the request {method}"]
            return self._faults(method, params[method], message["params"])
        return self._faults(method, known.notifications.get(method), message["params"])

    def _faults(self, what: str, name: str | None, value: Any) -> list[str]:
        if name is None:
            return []
        found = [error.message[:300] for error in _validator(self._methods, name).iter_errors(value)]
        found += faults(value, name, _TYPES) if name in _TYPES else []
        return [f"{what} is no {name}: {fault}" for fault in found]
