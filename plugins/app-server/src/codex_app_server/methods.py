"""List the protocol's own methods; their modules are imported when the first request comes."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from codex_hookspecs.surface import RpcContext, RpcMethod

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Any

_SHARED: Final = "codex_hookspecs.types.requests"
_MORE: Final = "codex_hookspecs.types.requests"
_OWN: Final = "codex_app_server.requests"

_METHODS: Final = {
    "thread/start": ("threads:start", f"{_SHARED}:ThreadStartParams"),
    "thread/resume": ("threads:resume", f"{_MORE}:ThreadResumeParams"),
    "thread/list": ("stored:list_threads", f"{_MORE}:ThreadListParams"),
    "thread/loaded/list": ("stored:list_loaded", f"{_OWN}:PageParams"),
    "thread/read": ("stored:read", f"{_OWN}:ThreadReadParams"),
    "thread/unsubscribe": ("threads:unsubscribe", f"{_OWN}:ThreadParams"),
    "thread/name/set": ("stored:set_name", f"{_OWN}:ThreadSetNameParams"),
    "thread/archive": ("stored:archive", f"{_OWN}:ThreadParams"),
    "thread/unarchive": ("stored:unarchive", f"{_OWN}:ThreadParams"),
    "turn/start": ("turns:start", f"{_SHARED}:TurnStartParams"),
    "turn/steer": ("turns:steer", f"{_OWN}:TurnSteerParams"),
    "turn/interrupt": ("turns:interrupt", f"{_MORE}:TurnInterruptParams"),
    "review/start": ("reviews:start", f"{_OWN}:ReviewStartParams"),
    "config/read": ("catalog:read_config", f"{_OWN}:ConfigReadParams"),
    "model/list": ("catalog:list_models", f"{_OWN}:ModelListParams"),
    "account/read": ("catalog:read_account", f"{_OWN}:GetAccountParams"),
    "experimentalFeature/list": ("catalog:list_features", f"{_OWN}:PageParams"),
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
