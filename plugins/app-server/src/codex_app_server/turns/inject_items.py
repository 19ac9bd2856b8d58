"""The method ``thread/inject_items``: items of the model's history that a client provides (0.169)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codex_app_server.turns.turn_methods import require_loaded
from codex_hookspecs import frozen
from codex_hookspecs.errors import RpcError, WireError
from codex_hookspecs.wire import decode, json_type_name

if TYPE_CHECKING:
    from codex_hookspecs.surface import RpcContext


@frozen(kw_only=True)
class ThreadInjectItemsParams:
    """Parameters of ``thread/inject_items``.

    :param items: items of the Responses API.
    """

    thread_id: str
    items: list[Any]


@frozen
class ThreadInjectItemsResponse:
    """Result of ``thread/inject_items``."""


async def inject(params: ThreadInjectItemsParams, context: RpcContext) -> ThreadInjectItemsResponse:
    """Add items to the model's history, without notifications; items of unknown types are left out."""
    thread = require_loaded(params.thread_id, context)
    if not params.items:
        raise RpcError("items must not be empty")
    known = [item for number, item in enumerate(params.items) if _is_known(item, number)]
    if known:
        await thread.inject(known)
    return ThreadInjectItemsResponse()


def _is_known(item: Any, number: int) -> bool:
    """Return whether an item has a known type.

    :raises RpcError: when it is invalid.
    """
    from codex_hookspecs.protocol import OtherResponseItem, ResponseItem

    problem = ""
    if not isinstance(item, dict):
        problem = f"invalid type: {json_type_name(item)}, expected internally tagged enum ResponseItem"
    elif "type" not in item:
        problem = "missing field `type`"
    else:
        try:
            return not isinstance(decode(ResponseItem, item), OtherResponseItem)
        except WireError as error:
            problem = error.faults[0][0]
            if problem.startswith(f"unknown variant `{item['type']}`"):
                return False
    raise RpcError(f"items[{number}] is not a valid response item: {problem}")
