"""Data classes for configured hook handlers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field

from codex_hooks_command.events import Event
from codex_hookspecs import frozen

HandlerType = Literal["command", "mcp_tool"]
ThreadSourceKind = Literal["system", "user", "project", "sessionFlags", "plugin"]
_LABEL_LENGTH = 60
TrustStatus = Literal["managed", "trusted", "modified", "untrusted"]


@frozen(kw_only=True)
class Handler:
    """One handler as declared in a file.

    :param group: index of its group within the event, counting skipped ones.
    :param index: index within the group, counting skipped ones.
    :param command: shell command for this platform; empty for other types than ``command``.
    :param timeout: seconds, with default, minimum and maximum applied.
    :param detached: it is ``async``: the turn does not wait for it.
    :param context_limit: maximum number of tokens of context from this handler.
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
    def action(self) -> str:
        """The whole command, or server and tool."""
        return self.command if self.type == "command" else f"{self.arguments['server']}/{self.arguments['tool']}"

    @property
    def label(self) -> str:
        """The command, shortened for messages."""
        line = " ".join(self.action.split())
        return f"`{line}`" if len(line) <= _LABEL_LENGTH else f"`{line[: _LABEL_LENGTH - 1]}…`"


@frozen
class HookFile:
    """The parsed content of one file.

    :param handlers: the valid handlers in numbering order.
    :param warnings: what is skipped or ignored and why, for the user.
    :param notes: what is ignored but harmless, for listings.
    :param unreadable_gates: those of the warnings due to which gates may be missing.
    """

    handlers: tuple[Handler, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unreadable_gates: tuple[str, ...] = ()


@frozen(kw_only=True)
class HookSource:
    """The file that declares handlers.

    :param path: the file.
    :param key: prefix of trust keys: the path, or ``<plugin>@<market>:<relative file>`` for a bundle.
    :param kind: kind of configuration layer.
    :param plugin_id: id of the bundle, if it belongs to one.
    :param environment: additional variables for handlers of a bundle; they are also substituted in commands.
    :param linked_key: for a file in a linked work tree, the key of the same file in the main work tree.
    :param disabled: why none of its handlers may run and how to change that, or ``None``.
    :param disabled_on_purpose: whether the user has decided that, so that it is not told.
    """

    path: str
    key: str
    kind: ThreadSourceKind
    plugin_id: str | None = None
    environment: Mapping[str, str] = field(factory=dict)
    disabled: str | None = None
    disabled_on_purpose: bool = False
    linked_key: str | None = None


@frozen(kw_only=True)
class RegisteredHook:
    """A handler with its number and its trust status.

    :param skipped: why it does not run, with the command that changes that; ``None`` when it runs.
    :param accepted_key: the key under which its acceptance is stored: its own, or that in the main work tree.
    :param changed_script: it does not run because one of its scripts has changed since it was accepted.
    :param reviewed: it was accepted with its present definition, and the review is not bypassed.
    """

    handler: Handler
    source: HookSource
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
        """Id of its runs, without the id of a tool call that some events append."""
        return f"{self.handler.event.spec.kebab}:{self.display_order}:{self.source.path}"
