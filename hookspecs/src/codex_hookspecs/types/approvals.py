"""What consent to a command is asked with, and what is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from codex_hookspecs.types.json import JsonObject
from codex_hookspecs.values import frozen

if TYPE_CHECKING:
    from codex_hookspecs.types.grants import AdditionalPermissions


@frozen(kw_only=True)
class CommandRequest:
    """A command that a tool wants to run.

    :param item_id: item of the command.
    :param command: the script or shell-quoted command line that is shown.
    :param shell: the machine's own shell; scripts for shells that lie elsewhere than systems keep theirs are not
        looked into.
    :param escalated: the model wants it to run without sandbox.
    :param additional: what the model wants for it beyond the sandbox policy.
    :param shown_additional: the same in wire form.
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
    shown_additional: JsonObject | None = None
    justification: str | None = None
    prefix_rule: tuple[str, ...] | None = None
    actions: tuple[JsonObject, ...] = ()
    tty: bool = False


class CommandApproval(NamedTuple):
    """Leave to run a command.

    :param unsandboxed: it is to run without sandbox: rules allow it, or the user agreed.
    :param retry: whether it may run once more without sandbox after its sandbox kept it from working: ``ask`` first,
        ``yes``, as consent was given already, or ``no``.
    :param amendment: beginning of commands to propose when that is asked.
    """

    unsandboxed: bool = False
    retry: Literal["no", "ask", "yes"] = "no"
    amendment: tuple[str, ...] | None = None
