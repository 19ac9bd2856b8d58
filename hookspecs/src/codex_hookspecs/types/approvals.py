"""What tools ask approval with, and what they get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.values import frozen

if TYPE_CHECKING:
    from codex_hookspecs.types.grants import AdditionalPermissions
    from codex_hookspecs.types.items import FileChange

RejectionKind = Literal["forbidden", "no_escalation", "denied", "declined", "aborted", "unanswered", "cannot_ask"]
"""Who refused a call.

``forbidden``: rules or policies, so that nobody was asked. ``no_escalation``: the approval policy, under which no call
can ask for more than its sandbox allows. ``denied``: a hook, or the tool itself. ``declined``: the person who was
asked. ``aborted``: that person, who ended the turn with it. ``unanswered``: the client, which answered with an error.
``cannot_ask``: nobody is connected who could be asked.
"""


@frozen(kw_only=True)
class CommandRequest:
    """A command that a tool wants to run.

    :param item_id: item of the command.
    :param command: the script or shell-quoted command line that is shown.
    :param argv: program and arguments.
    :param cwd: absolute directory that it runs in.
    :param shell: the machine's own shell; scripts for shells that lie elsewhere than systems keep theirs are not
        looked into.
    :param escalated: the model wants it to run without sandbox.
    :param additional: what the model wants for it beyond the sandbox policy.
    :param justification: the model's question to the user.
    :param prefix_rule: beginning of commands that the model proposes to allow from now on.
    :param actions: what it does, for display.
    :param tty: it gets a terminal.
    """

    item_id: str
    command: str
    argv: tuple[str, ...]
    cwd: str
    shell: str | None = None
    escalated: bool = False
    additional: AdditionalPermissions | None = None
    justification: str | None = None
    prefix_rule: tuple[str, ...] | None = None
    actions: tuple[JsonObject, ...] = ()
    tty: bool = False


class CommandApproval(NamedTuple):
    """What a command that may run may do.

    :param unsandboxed: it is to run without sandbox: rules allow it, or the user agreed.
    :param retry: whether it may run once more without sandbox after its sandbox kept it from working: ``ask`` first,
        ``yes``, as the user has agreed already, or ``no``.
    :param amendment: beginning of commands to propose when that is asked.
    :param additional: what it may use beyond the sandbox policy: what it asked for, and what was granted before.
    """

    unsandboxed: bool = False
    retry: Literal["no", "ask", "yes"] = "no"
    amendment: tuple[str, ...] | None = None
    additional: AdditionalPermissions | None = None


@frozen(kw_only=True)
class PatchRequest:
    """A change of files that a tool wants to make.

    :param item: the item of the patch. It is announced as started once no policy refuses the patch, before anybody is
        asked; the tool completes it.
    :param paths: absolute paths that change, links resolved.
    :param outside: those of them that the sandbox policy does not let be written. A tool that does not know them leaves
        them out, and the host looks on the machine.
    """

    item: FileChange
    paths: tuple[str, ...]
    outside: tuple[str, ...] | None = None


class PatchApproval(NamedTuple):
    """What a patch that may be applied may change.

    :param beyond: paths that may be changed whatever the sandbox policy says: a person, a hook or a rule allowed it.
    """

    beyond: tuple[str, ...] = ()


@frozen(kw_only=True)
class PermissionsRequest:
    """What the commands to come want beyond the sandbox policy.

    :param permissions: paths, the network, and services of macOS that they want.
    :param reason: the model's words for the user.
    """

    permissions: AdditionalPermissions
    reason: str | None = None


class PermissionsApproval(NamedTuple):
    """What the commands to come may use beyond the sandbox policy.

    :param granted: never more than was asked for; nothing where nobody can be asked or the client refused.
    :param scope: for how long.
    """

    granted: AdditionalPermissions
    scope: Literal["turn", "session"] = "turn"
