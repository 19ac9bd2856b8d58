"""Model requests and the events of responses."""

from __future__ import annotations

from typing import Any, TypeAlias

from attrs import field

from codex_hookspecs.tracing import TraceContext
from codex_hookspecs.types._checking import Checked
from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.types.threads import TokenUsage
from codex_hookspecs.values import frozen


@frozen(kw_only=True)
class ModelRequest:
    """One complete request; providers need no state beyond it.

    :param thread_id: id of the thread.
    :param turn_id: id of the turn.
    :param model: name of the model.
    :param instructions: standing instructions, apart from the history.
    :param input: items of the Responses API, oldest first.
    :param tools: tool objects of the Responses API.
    :param parallel_tool_calls: whether a response may have several tool calls.
    :param reasoning_effort: ``low``, ``medium``, ``high`` …; ``None`` for the model's default.
    :param reasoning_summary: ``auto``, ``concise``, ``detailed`` or ``none``.
    :param verbosity: ``low``, ``medium`` or ``high``.
    :param output_schema: JSON schema of the final message, or ``None``.
    :param service_tier: tier of the service, e.g. ``flex``.
    :param originator: client name for the provider.
    :param user_agent: value of the User-Agent header.
    :param metadata: turn metadata, sent as ``x-codex-turn-metadata``.
    :param turn_state: mutable state that the provider keeps between the requests of a turn.
    :param subagent: kind of the requesting subagent (``collab_spawn``, ``review``, ``compact`` …), or ``None``.
    :param trace: trace that the turn belongs to, to be sent on as ``traceparent`` and ``tracestate``, or ``None``.
    """

    thread_id: str
    turn_id: str
    model: str
    instructions: str
    input: tuple[JsonObject, ...]
    tools: tuple[JsonObject, ...] = ()
    parallel_tool_calls: bool = True
    reasoning_effort: str | None = None
    reasoning_summary: str | None = None
    verbosity: str | None = None
    output_schema: Any = None
    service_tier: str | None = None
    originator: str = "codex_cli"
    user_agent: str = ""
    metadata: JsonObject = field(factory=dict)
    turn_state: dict[str, str] = field(factory=dict)
    subagent: str | None = None
    trace: TraceContext | None = None


@frozen(kw_only=True)
class ModelInfo(Checked):
    """Facts about a model.

    :param reasoning_effort: default effort, if neither configuration nor client sets one.
    :param reasoning_summary: default summary of reasoning.
    :param counts_tokens: whether tool outputs are truncated by tokens rather than bytes.
    """

    reasoning_effort: str | None = None
    reasoning_summary: str | None = None
    counts_tokens: bool = False


@frozen
class ItemAdded(Checked):
    """An item was started; ``item`` may be incomplete.

    :param item: item of the Responses API, with its ``id``.
    """

    item: JsonObject


@frozen
class ItemDone(Checked):
    """An item was completed.

    :param item: item of the Responses API, complete.
    """

    item: JsonObject


@frozen
class TextDelta:
    """More text of a message item.

    :param item_id: id of the item that it belongs to.
    :param delta: text to add.
    """

    item_id: str
    delta: str


@frozen
class SummaryPartAdded:
    """A part of a reasoning summary starts.

    :param item_id: id of the item that it belongs to.
    :param summary_index: number of the part, from 0.
    """

    item_id: str
    summary_index: int


@frozen
class SummaryDelta:
    """More of a reasoning summary.

    :param item_id: id of the item that it belongs to.
    :param delta: text to add.
    :param summary_index: number of the part that it belongs to, from 0.
    """

    item_id: str
    delta: str
    summary_index: int = field(default=0, kw_only=True)


@frozen
class ReasoningDelta:
    """More raw reasoning.

    :param item_id: id of the item that it belongs to.
    :param delta: text to add.
    :param content_index: number of the part that it belongs to, from 0.
    """

    item_id: str
    delta: str
    content_index: int = field(default=0, kw_only=True)


@frozen
class Completed(Checked):
    """The response is complete.

    :param response_id: id that the provider gave the response.
    :param usage: token usage of the request, if reported by the provider.
    """

    response_id: str
    usage: TokenUsage | None = None


@frozen(kw_only=True)
class Retrying(Checked):
    """The stream failed and the request is retried; incomplete items are discarded.

    Completed items stay in the history, but tool calls among them are not run and count as aborted.

    :param message: text for the user, e.g. ``Reconnecting... 1/5``.
    :param info: ``codexErrorInfo`` of the protocol.
    :param details: more text for the user, or ``None``.
    """

    message: str
    info: str | JsonObject
    details: str | None = None


@frozen
class RateLimits(Checked):
    """The provider reported rate limits, in the wire form of ``account/rateLimits/updated``.

    :param rate_limits: the ``rateLimits`` object of that notification.
    """

    rate_limits: JsonObject


@frozen
class ModelWarning(Checked):
    """A warning for the user.

    :param message: text for the user.
    """

    message: str


ModelEvent: TypeAlias = (
    ItemAdded
    | ItemDone
    | TextDelta
    | SummaryPartAdded
    | SummaryDelta
    | ReasoningDelta
    | Completed
    | Retrying
    | RateLimits
    | ModelWarning
)
