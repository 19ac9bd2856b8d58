"""Requests to a model and the events that stream back."""

from __future__ import annotations

from typing import Any, TypeAlias

from attrs import field

from codex_hookspecs.types._checking import Checked
from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.types.threads import TokenUsage
from codex_hookspecs.values import frozen


@frozen(kw_only=True)
class ModelRequest:
    """One request, complete: providers keep no history of their own that they could not rebuild from it.

    :param thread_id: id of the thread.
    :param turn_id: id of the turn.
    :param model: name of the model.
    :param instructions: standing instructions, apart from the history.
    :param input: items of the Responses API, oldest first.
    :param tools: tool objects of the Responses API.
    :param parallel_tool_calls: several tools may be called in one response.
    :param reasoning_effort: ``low``, ``medium``, ``high`` …; the default of the model when ``None``.
    :param reasoning_summary: ``auto``, ``concise``, ``detailed`` or ``none``.
    :param verbosity: ``low``, ``medium`` or ``high``.
    :param output_schema: JSON schema of the answer, or ``None``.
    :param service_tier: tier of the service, e.g. ``flex``.
    :param originator: client name for the provider.
    :param user_agent: what a provider tells its server of this program.
    :param metadata: turn metadata object that rides along (``x-codex-turn-metadata``).
    :param turn_state: mutable holder of what the provider asked to be told again in this turn; same object for all
        requests of a turn.
    :param subagent: what kind of subagent asks (``collab_spawn``, ``review``, ``compact`` …), or ``None``.
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


@frozen(kw_only=True)
class ModelInfo(Checked):
    """What a provider knows of a model.

    :param reasoning_effort: effort of requests when neither configuration nor client name one.
    :param reasoning_summary: summary of reasoning, likewise.
    :param counts_tokens: what tools put out is cut to a number of tokens for it, not to a number of bytes.
    """

    reasoning_effort: str | None = None
    reasoning_summary: str | None = None
    counts_tokens: bool = False


@frozen
class ItemAdded(Checked):
    """The provider announced an item; ``item`` may be incomplete.

    :param item: item of the Responses API, with its ``id``.
    """

    item: JsonObject


@frozen
class ItemDone(Checked):
    """An item is final; this is the one that counts.

    :param item: item of the Responses API, complete.
    """

    item: JsonObject


@frozen
class TextDelta:
    """More answer text of one item.

    :param item_id: id of the item that it belongs to.
    :param delta: text to add.
    """

    item_id: str
    delta: str


@frozen
class SummaryPartAdded:
    """A part of a reasoning summary begins.

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
    :param usage: tokens of the request, when the provider says.
    """

    response_id: str
    usage: TokenUsage | None = None


@frozen(kw_only=True)
class Retrying(Checked):
    """The stream broke and is being tried again; everything unfinished of it is void.

    Items that were done before stay in the history, but tool calls among them are not run: they count as aborted.

    :param message: text for the user, e.g. ``Reconnecting... 1/5``.
    :param info: ``codexErrorInfo`` of the protocol.
    :param details: more text for the user, or ``None``.
    """

    message: str
    info: str | JsonObject
    details: str | None = None


@frozen
class RateLimits(Checked):
    """The provider told its limits, in the wire form of ``account/rateLimits/updated``.

    :param rate_limits: the ``rateLimits`` object of that notification.
    """

    rate_limits: JsonObject


@frozen
class ModelWarning(Checked):
    """Something the user should know.

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
