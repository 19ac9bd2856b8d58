"""Build the arguments of bwrap."""

from __future__ import annotations

from codex_hookspecs.light import NamedTuple
from codex_sandbox_bwrap.mounts import NOTHING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PROC_WRITABLE_BY_ROOT = ("sys", "irq", "bus", "fs", "scsi", "acpi", "sysrq-trigger", "mtrr")
"""Entries of ``/proc`` that change the whole machine and that uid 0 may write without any capability."""


class BwrapOptions(NamedTuple):
    """Options of one sandbox.

    :param mounts: arguments for the planned mounts.
    :param network: the command shares the network namespace of the host.
    :param proc: a new ``/proc`` is mounted.
    :param proc_read_only: paths of ``/proc`` to mount read-only, whether it is a new one or that of the host.
    :param new_session: the command gets a new session, which cuts it off from the terminal.
    :param filter_descriptor: descriptor of the system call filter; ``None`` when the command loads its own.
    :param own_init: the command is pid 1 and no process of bwrap runs beside it: without a filter of bwrap's that
        process would be an unfiltered target within the command's reach.
    :param capabilities: capabilities that the command starts with and drops itself.
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
    options: BwrapOptions,
    command: Sequence[str],
    open_empty: Callable[[], int],
    inner_env: Mapping[str, str] | None = None,
) -> list[str]:
    """Return all arguments, without the program itself.

    :param open_empty: opens a new descriptor of ``/dev/null``; each masked file needs one of its own.
    :param inner_env: variables to set for the command only. Variables of the dynamic loader must not be set for bwrap:
        it would load the libraries that they name, which a sandboxed command may have written.
    """
    arguments = ["--as-pid-1"] if options.own_init else []
    if options.new_session:
        arguments.append("--new-session")
    arguments.append("--die-with-parent")
    arguments += (str(open_empty()) if each is NOTHING else each for each in options.mounts)
    arguments += ("--unshare-user", "--unshare-pid", "--unshare-ipc")
    if not options.network:
        arguments.append("--unshare-net")
    if options.proc:
        arguments += ("--proc", "/proc")
    if options.proc or not _is_bare(options.mounts):
        for path in options.proc_read_only:
            arguments += ("--ro-bind", path, path)
    if _is_bare(options.mounts):
        arguments += ("--remount-ro", "/")
    arguments += ("--cap-drop", "ALL")
    for capability in options.capabilities:
        arguments += ("--cap-add", capability)
    if options.filter_descriptor is not None:
        arguments += ("--seccomp", str(options.filter_descriptor))
    for name, value in (inner_env or {}).items():
        arguments += ("--setenv", name, value)
    return [*arguments, "--", *command]


def _is_bare(mounts: Sequence[str]) -> bool:
    return list(mounts[:2]) == ["--tmpfs", "/"]
