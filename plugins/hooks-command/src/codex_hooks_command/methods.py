"""RPC methods about hooks (app-server protocol of Codex 0.169)."""

from __future__ import annotations

from typing import Any

from codex_hookspecs import frozen
from codex_hookspecs.surface import RpcContext, RpcMethod

from .sessions import sessions_of


@frozen(kw_only=True)
class HooksListParams:
    """Parameters of ``hooks/list``.

    :param cwds: directories to look at; that of the program when empty.
    """

    cwds: tuple[str, ...] = ()


def hooks_list_method() -> RpcMethod:
    """Return the method ``hooks/list``."""
    return RpcMethod(name="hooks/list", params=HooksListParams, handle=_list_hooks)


async def _list_hooks(params: HooksListParams, context: RpcContext) -> dict[str, Any]:
    sessions = sessions_of(context.host)
    return {"data": [_listing(sessions, context, cwd) for cwd in params.cwds or (context.host.cwd,)]}


def _listing(sessions: Any, context: RpcContext, cwd: str) -> dict[str, Any]:
    # Loaded when somebody asks.
    from .listing import wire_listing

    config = context.host.config.for_directory(cwd)
    return wire_listing(cwd, sessions.listed(config, cwd))
