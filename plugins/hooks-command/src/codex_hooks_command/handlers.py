"""Values that describe configured hook handlers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field

from codex_hookspecs import frozen

from .events import Event

HandlerType = Literal["command", "mcp_tool"]
Source = Literal["system", "user", "project", "sessionFlags", "plugin"]
_LABEL_LENGTH = 60
TrustStatus = Literal["managed", "trusted", "modified", "untrusted"]


@frozen(kw_only=True)
class Handler:
    """One handler as a file declares it.

    :param group: index of its group within the event, counted before anything is skipped.
    :param index: index within the group, counted likewise.
    :param command: shell string for this platform; empty for other types than ``command``.
    :param timeout: seconds, with default, floor and cap applied.
    :param context_limit: tokens of context from this handler that reach the model.
    :param arguments: ``server``, ``tool`` and ``input`` of an ``mcp_tool`` handler.
    """

    event: Event
    group: int
    index: int
    type: HandlerType
    command: str
    timeout: int
    matcher: str | None = None
    status_message: str | None = None
    detached: bool = False
    context_limit: int | None = None
    arguments: Mapping[str, Any] = field(factory=dict)

    @property
    def does(self) -> str:
        """The whole command, or the tool."""
        return self.command if self.type == "command" else f"{self.arguments['server']}/{self.arguments['tool']}"

    @property
    def label(self) -> str:
        """The command, short enough for one line of a message."""
        line = " ".join(self.does.split())
        return f"`{line}`" if len(line) <= _LABEL_LENGTH else f"`{line[: _LABEL_LENGTH - 1]}…`"


@frozen
class HookFile:
    """The readable content of one file.

    :param handlers: in numbering order.
    :param warnings: what was left out of use and why, for every surface.
    :param notes: what is ignored but harmless, for listings.
    :param lost: those of the warnings that are about gates which may stand in what can't be read.
    """

    handlers: tuple[Handler, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


@frozen(kw_only=True)
class Origin:
    """Where handlers come from.

    :param path: the file.
    :param key: how trust keys begin; the path, or ``<plugin>@<market>:<relative file>`` for a bundle.
    :param source: kind of configuration layer.
    :param plugin_id: the bundle.
    :param environment: variables added for handlers of a bundle, also substituted in their commands.
    :param linked_key: the key that the file has in the repository which its work tree is linked to, if it is.
    :param disabled: why nothing of this origin may run and what changes it, or ``None``.
    """

    path: str
    key: str
    source: Source
    plugin_id: str | None = None
    environment: Mapping[str, str] = field(factory=dict)
    disabled: str | None = None
    linked_key: str | None = None


@frozen(kw_only=True)
class Registered:
    """A handler with its number and its standing.

    :param skipped: why it does not run, with the command that changes it; ``None`` when it runs.
    :param accepted_key: the key under which its acceptance stands, or would: its own, or that of the linked repository.
    :param changed_script: it does not run because a script of it is another one than was accepted.
    :param reviewed: somebody has accepted it as it is defined now, and nobody has bypassed that.
    """

    handler: Handler
    origin: Origin
    display_order: int
    key: str
    enabled: bool
    trust: TrustStatus
    skipped: str | None = None
    accepted_key: str = ""
    reviewed: bool = False
    changed_script: bool = False

    @property
    def run_id(self) -> str:
        """Identifier of its runs, without the tool call that some events add."""
        return f"{self.handler.event.facts.kebab}:{self.display_order}:{self.origin.path}"
