"""Requests for approvals, and approvals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.values import frozen

if TYPE_CHECKING:
    from codex_hookspecs.types.grants import AdditionalPermissions
    from codex_hookspecs.types.items import FileChange

RejectionKind = Literal["forbidden", "no_escalation", "denied", "declined", "aborted", "unanswered", "cannot_ask"]
"""Who refused a call.

``forbidden``: rules or policies, without asking. ``no_escalation``: the approval policy, which does not allow requests
for more than the sandbox allows. ``denied``: a hook, or the tool itself. ``declined``: the user. ``aborted``: the user,
who also interrupted the turn. ``unanswered``: the client, by an error response. ``cannot_ask``: no client is connected
that could be asked.
"""


@frozen(kw_only=True)
class CommandRequest:
    """A command that a tool wants to run.

    :param item_id: item of the command.
    :param command: script or shell-quoted command line, for display.
    :param argv: program and arguments.
    :param cwd: absolute working directory.
    :param shell: default shell of the environment; scripts for shells at unusual paths are not analyzed.
    :param escalated: whether the model requests to run it without a sandbox.
    :param additional: permissions that the model requests beyond the sandbox policy.
    :param justification: the model's question to the user.
    :param prefix_rule: command prefix that the model proposes to allow permanently.
    :param actions: what it does, for display.
    :param tty: whether it runs on a terminal.
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
    """The approval of a command.

    :param unsandboxed: whether it is to run without a sandbox, because of rules or the user's approval.
    :param retry: whether it may run again without a sandbox if the sandbox makes it fail: ``ask`` (needs approval),
        ``yes`` (already approved) or ``no``.
    :param amendment: command prefix to propose in the request for that approval.
    :param additional: permissions beyond the sandbox policy: those requested, and those granted before.
    """

    unsandboxed: bool = False
    retry: Literal["no", "ask", "yes"] = "no"
    amendment: tuple[str, ...] | None = None
    additional: AdditionalPermissions | None = None


@frozen(kw_only=True)
class PatchRequest:
    """A patch that a tool wants to apply.

    :param item: the item of the patch. It is started once no policy refuses the patch, before the user is asked; the
        tool completes it.
    :param paths: absolute paths of changed files, symbolic links resolved.
    :param outside: those of them that the sandbox policy does not allow to be written; determined by the host if not
        given.
    """

    item: FileChange
    paths: tuple[str, ...]
    outside: tuple[str, ...] | None = None


class PatchApproval(NamedTuple):
    """The approval of a patch.

    :param beyond: paths that may be changed beyond the sandbox policy, approved by the user, a hook or a rule.
    """

    beyond: tuple[str, ...] = ()


@frozen(kw_only=True)
class PermissionsRequest:
    """A request for permissions of later commands beyond the sandbox policy.

    :param permissions: requested paths, network access and macOS services.
    :param reason: the model's explanation for the user.
    """

    permissions: AdditionalPermissions
    reason: str | None = None


class PermissionsApproval(NamedTuple):
    """Permissions granted to later commands beyond the sandbox policy.

    :param granted: at most what was requested; empty if the client refused or no client can be asked.
    :param scope: how long they are valid.
    """

    granted: AdditionalPermissions
    scope: Literal["turn", "session"] = "turn"
