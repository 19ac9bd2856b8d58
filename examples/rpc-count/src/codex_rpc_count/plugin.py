"""Methods of the app-server that count the turns and items of threads."""

from collections.abc import Sequence
from typing import ClassVar

from codex_hookspecs import ThreadNotFound, frozen
from codex_hookspecs.errors import RpcError
from codex_hookspecs.jsonrpc import INVALID_REQUEST
from codex_hookspecs.protocol import Notification
from codex_hookspecs.surface import RpcContext, RpcMethod, hookimpl


@frozen
class CountParams:
    thread_id: str


@frozen
class Count:
    """What a thread has.

    :param turns: number of its turns.
    :param items: number of items of all turns.
    """

    turns: int
    items: int


@frozen
class CountLoadedResponse:
    threads: int


@frozen
class CountedNotification(Notification):
    """A thread was counted."""

    METHOD: ClassVar[str] = "example/counted"
    thread_id: str
    count: Count


async def count(params: CountParams, context: RpcContext) -> Count:
    try:
        thread = await context.host.threads.read(params.thread_id, include_turns=True)
    except ThreadNotFound as error:
        raise RpcError(str(error), code=INVALID_REQUEST) from error
    return Count(turns=len(thread.turns), items=sum(len(turn.items) for turn in thread.turns))


async def count_loaded(params: None, context: RpcContext) -> CountLoadedResponse:
    loaded = context.host.threads.loaded()
    for thread in loaded:
        counted = await count(CountParams(thread.id), context)
        await context.notify(CountedNotification(thread_id=thread.id, count=counted))
    return CountLoadedResponse(threads=len(loaded))


@hookimpl
def rpc_methods() -> Sequence[RpcMethod]:
    return [
        RpcMethod(name="example/count", params=CountParams, result=Count, handle=count),
        RpcMethod(
            name="example/countLoaded",
            params=None,
            result=CountLoadedResponse,
            notifications=(CountedNotification,),
            handle=count_loaded,
            experimental=True,
        ),
    ]
