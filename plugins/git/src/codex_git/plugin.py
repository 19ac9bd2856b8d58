"""Hook implementations of git."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codex_hookspecs import hookimpl
from codex_hookspecs.surface import RpcMethod, protocol_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_hookspecs.surface import RpcContext


@hookimpl
def rpc_methods() -> Sequence[RpcMethod]:
    """Provide ``gitDiffToRemote``; its implementation is imported with the first request."""

    async def handle(params: Any, context: RpcContext) -> Any:
        from codex_git.remote_diff import diff_to_remote

        return await diff_to_remote(params, context)

    return [
        RpcMethod(
            name="gitDiffToRemote",
            params=protocol_type("GitDiffToRemoteParams"),
            result=protocol_type("GitDiffToRemoteResponse"),
            handle=handle,
        )
    ]
