"""Tell the user at the start of a session when there is no bubblewrap that can be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.errors import SandboxUnavailable
from codex_sandbox_bwrap.binary import kept_binary, known_binary, program_of

if TYPE_CHECKING:
    from codex_hookspecs.host import Host

_MEANWHILE = "Codex will use Landlock in the meantime, which can't hold every policy."


def is_fine(host: Host) -> bool:
    """Tell whether there is a bubblewrap that is known to work."""
    path = program_of(host)
    kept = kept_binary(path, host.codex_home) if path is not None else None
    return kept is not None and not kept.abilities.problem


def notice(host: Host) -> str | None:
    """Return what the user should know; a bubblewrap is tried out that was not before."""
    path = program_of(host)
    if path is None:
        return (
            "Codex could not find system bubblewrap on PATH. Please install bubblewrap with your package manager. "
            f"{_meanwhile()}"
        )
    abilities = known_binary(path, host.codex_home).abilities
    if not abilities.problem:
        return None
    if abilities.lacks_namespaces:
        return (
            f"Codex can't use bubblewrap, which needs access to create user namespaces ({abilities.problem}). "
            f"Please allow them for bubblewrap. {_meanwhile()}"
        )
    return (
        f"Codex can't use bubblewrap ({abilities.problem}). Please install a working one with your package manager. "
        f"{_meanwhile()}"
    )


def is_wsl1(version: str) -> bool:
    """Tell whether the text of ``/proc/version`` is that of the first Windows Subsystem for Linux."""
    lower = version.lower()
    return "microsoft" in lower and "microsoft-standard" not in lower and "wsl2" not in lower


def refuse_on_wsl1(mode: str) -> None:
    """Refuse where there is none of what a sandbox takes.

    :param mode: what people call the policy.
    :raises SandboxUnavailable: there.
    """
    if _runs_on_wsl1():
        raise SandboxUnavailable(
            f"the command was not run: bwrap cannot hold the sandbox policy {mode} on WSL1, which has no namespaces; "
            "use WSL2, or run with --sandbox danger-full-access"
        )


def _runs_on_wsl1() -> bool:
    """Tell whether this machine is the first Windows Subsystem for Linux, which has none of what a sandbox takes."""
    try:
        with open("/proc/version", encoding="utf-8", errors="replace") as file:
            return is_wsl1(file.read())
    except OSError:
        return False


def _meanwhile() -> str:
    if _runs_on_wsl1():
        return "This is WSL1, where no sandbox works: commands are refused. Please use WSL2."
    return _MEANWHILE
