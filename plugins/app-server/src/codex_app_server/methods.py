"""The table of the protocol's methods; their modules are imported with the first request."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from codex_hookspecs.surface import RpcContext, RpcMethod

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Any

_CONTRACTS: Final = "codex_hookspecs.types.requests"
_OWN: Final = "codex_app_server.request_params"

_METHODS: Final = {
    "thread/start": ("thread_methods:start", f"{_CONTRACTS}:ThreadStartParams"),
    "thread/resume": ("thread_methods:resume", f"{_CONTRACTS}:ThreadResumeParams"),
    "thread/list": ("thread_store_methods:list_threads", f"{_CONTRACTS}:ThreadListParams"),
    "thread/loaded/list": ("thread_store_methods:list_loaded", f"{_OWN}:PageParams"),
    "thread/read": ("thread_store_methods:read", f"{_OWN}:ThreadReadParams"),
    "thread/unsubscribe": ("thread_methods:unsubscribe", f"{_OWN}:ThreadParams"),
    "thread/name/set": ("thread_store_methods:set_name", f"{_OWN}:ThreadSetNameParams"),
    "thread/archive": ("thread_store_methods:archive", f"{_OWN}:ThreadParams"),
    "thread/unarchive": ("thread_store_methods:unarchive", f"{_OWN}:ThreadParams"),
    "turn/start": ("turns.turn_methods:start", f"{_CONTRACTS}:TurnStartParams"),
    "turn/steer": ("turns.turn_methods:steer", f"{_OWN}:TurnSteerParams"),
    "turn/interrupt": ("turns.turn_methods:interrupt", f"{_CONTRACTS}:TurnInterruptParams"),
    "review/start": ("review_methods:start", f"{_OWN}:ReviewStartParams"),
    "config/read": ("program_methods:read_config", f"{_OWN}:ConfigReadParams"),
    "model/list": ("program_methods:list_models", f"{_OWN}:ModelListParams"),
    "account/read": ("program_methods:read_account", f"{_OWN}:GetAccountParams"),
    "experimentalFeature/list": ("program_methods:list_features", f"{_OWN}:PageParams"),
}


def methods() -> Sequence[RpcMethod]:
    """Return all methods of this plugin."""
    return [
        RpcMethod(name=name, params=_params(params), handle=_handler(handler))
        for name, (handler, params) in _METHODS.items()
    ]


def _params(reference: str) -> Callable[[], type[Any]]:
    def load() -> type[Any]:
        module, _, name = reference.partition(":")
        kind: type[Any] = getattr(import_module(module), name)
        return kind

    return load


def _handler(reference: str) -> Callable[[Any, RpcContext], Awaitable[Any]]:
    async def handle(params: Any, context: RpcContext) -> Any:
        module, _, name = reference.partition(":")
        return await getattr(import_module(f"codex_app_server.{module}"), name)(params, context)

    return handle
