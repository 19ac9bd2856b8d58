"""A method of the app-server that counts the turns and items of a thread."""

from collections.abc import Sequence

from codex_hookspecs import ThreadNotFound, frozen
from codex_hookspecs.errors import RpcError
from codex_hookspecs.jsonrpc import INVALID_REQUEST
from codex_hookspecs.surface import RpcContext, RpcMethod, hookimpl


@frozen
class CountParams:
    thread_id: str


@frozen
class Count:
    turns: int
    items: int


async def count(params: CountParams, context: RpcContext) -> Count:
    try:
        thread = await context.host.threads.read(params.thread_id, include_turns=True)
    except ThreadNotFound as error:
        raise RpcError(str(error), code=INVALID_REQUEST) from error
    return Count(turns=len(thread.turns), items=sum(len(turn.items) for turn in thread.turns))


@hookimpl
def rpc_methods() -> Sequence[RpcMethod]:
    return [RpcMethod(name="example/count", params=CountParams, handle=count)]
