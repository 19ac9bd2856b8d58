"""Put together the arguments of bwrap: what is mounted, what is taken away, what is run."""

from __future__ import annotations

from codex_hookspecs.light import NamedTuple
from codex_sandbox_bwrap.mounts import NOTHING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PROC_WRITABLE_BY_ROOT = ("sys", "irq", "bus", "fs", "scsi", "acpi", "sysrq-trigger", "mtrr")
"""Parts of ``/proc`` that change the whole machine and that root's number alone opens, without any capability."""


class Box(NamedTuple):
    """What a command is put into.

    :param mounts: as planned.
    :param network: it keeps the network of the machine.
    :param proc: a new ``/proc`` is mounted.
    :param proc_read_only: paths of ``/proc`` that can't be written, be it the new one or that of the machine.
    :param new_session: it is cut off from the terminal.
    :param filter_descriptor: where the system call filter is read from; ``None`` when the command brings its own.
    :param own_init: the command is the first process, and none of bwrap is beside it. A process that is not filtered
        must not be within reach.
    :param capabilities: those that the command has and gives up itself.
    """

    mounts: Sequence[str]
    network: bool
    proc: bool
    proc_read_only: Sequence[str]
    new_session: bool
    filter_descriptor: int | None
    own_init: bool = False
    capabilities: Sequence[str] = ()


def bwrap_arguments(
    box: Box, command: Sequence[str], nothing: Callable[[], int], inner_env: Mapping[str, str] | None = None
) -> list[str]:
    """Return all arguments, without the program itself.

    :param nothing: opens a descriptor that reads as empty; each mount needs one of its own.
    :param inner_env: variables for the command alone. Those of the dynamic loader would have bwrap itself load what
        they name, which may be a file that commands have written.
    """
    arguments = ["--as-pid-1"] if box.own_init else []
    if box.new_session:
        arguments.append("--new-session")
    arguments.append("--die-with-parent")
    arguments += (str(nothing()) if each is NOTHING else each for each in box.mounts)
    arguments += ("--unshare-user", "--unshare-pid", "--unshare-ipc")
    if not box.network:
        arguments.append("--unshare-net")
    if box.proc:
        arguments += ("--proc", "/proc")
    if box.proc or not _is_bare(box.mounts):
        for path in box.proc_read_only:
            arguments += ("--ro-bind", path, path)
    if _is_bare(box.mounts):
        arguments += ("--remount-ro", "/")
    arguments += ("--cap-drop", "ALL")
    for capability in box.capabilities:
        arguments += ("--cap-add", capability)
    if box.filter_descriptor is not None:
        arguments += ("--seccomp", str(box.filter_descriptor))
    for name, value in (inner_env or {}).items():
        arguments += ("--setenv", name, value)
    return [*arguments, "--", *command]


def _is_bare(mounts: Sequence[str]) -> bool:
    return list(mounts[:2]) == ["--tmpfs", "/"]
