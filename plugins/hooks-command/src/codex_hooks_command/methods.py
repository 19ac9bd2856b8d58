"""RPC methods about hooks (app-server protocol of Codex 0.169)."""

from __future__ import annotations

from typing import Any

from codex_hooks_command.registry_cache import registry_cache_of
from codex_hookspecs import frozen
from codex_hookspecs.surface import RpcContext, RpcMethod


@frozen(kw_only=True)
class HooksListParams:
    """Parameters of ``hooks/list``.

    :param cwds: directories to list; if empty, the host's working directory.
    """

    cwds: tuple[str, ...] = ()


def hooks_list_method() -> RpcMethod:
    """Return the method ``hooks/list``."""
    return RpcMethod(name="hooks/list", params=HooksListParams, result=_result, handle=_list_hooks)


def _result() -> type[Any]:
    from codex_hooks_command.listing_types import HooksListResponse

    return HooksListResponse


async def _list_hooks(params: HooksListParams, context: RpcContext) -> dict[str, Any]:
    cache = registry_cache_of(context.host)
    return {"data": [_listing(cache, context, cwd) for cwd in params.cwds or (context.host.cwd,)]}


def _listing(cache: Any, context: RpcContext, cwd: str) -> dict[str, Any]:
    # Imported only when the method is called.
    from codex_hooks_command.listing import listing_to_wire

    config = context.host.config.for_directory(cwd)
    return listing_to_wire(cwd, cache.for_listing(config, cwd))
