"""Warn the user at the start of a session when no bubblewrap can be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.errors import SandboxUnavailable
from codex_sandbox_bwrap.binary import cached_binary, probe_binary, program_for

if TYPE_CHECKING:
    from codex_hookspecs.host import Host

_LANDLOCK_FALLBACK = "Codex will use Landlock in the meantime, which can't enforce every policy."


def has_working_bwrap(host: Host) -> bool:
    """Return whether there is a bubblewrap that is known to work."""
    path = program_for(host)
    cached = cached_binary(path, host.codex_home) if path is not None else None
    return cached is not None and not cached.features.problem


def missing_bwrap_notice(host: Host) -> str | None:
    """Return a warning about bubblewrap, ``None`` when it works; probes it if that is not known yet."""
    path = program_for(host)
    if path is None:
        return (
            "Codex could not find system bubblewrap on PATH. Please install bubblewrap with your package manager. "
            f"{_fallback_text()}"
        )
    features = probe_binary(path, host.codex_home).features
    if not features.problem:
        return None
    if features.lacks_namespaces:
        return (
            f"Codex can't use bubblewrap, which needs access to create user namespaces ({features.problem}). "
            f"Please allow them for bubblewrap. {_fallback_text()}"
        )
    return (
        f"Codex can't use bubblewrap ({features.problem}). Please install a working one with your package manager. "
        f"{_fallback_text()}"
    )


def is_wsl1(version: str) -> bool:
    """Return whether the text of ``/proc/version`` is that of version 1 of the Windows Subsystem for Linux."""
    lower = version.lower()
    return "microsoft" in lower and "microsoft-standard" not in lower and "wsl2" not in lower


def refuse_on_wsl1(mode: str) -> None:
    """Refuse to run commands on WSL1, where nothing can enforce a policy.

    :param mode: name of the policy for the error message.
    :raises SandboxUnavailable: on WSL1.
    """
    if _runs_on_wsl1():
        raise SandboxUnavailable(
            f"the command was not run: bwrap cannot enforce the sandbox policy {mode} on WSL1, which has no "
            "namespaces; use WSL2, or run with --sandbox danger-full-access"
        )


def _runs_on_wsl1() -> bool:
    """Return whether this machine is WSL1, which has neither namespaces nor Landlock."""
    try:
        with open("/proc/version", encoding="utf-8", errors="replace") as file:
            return is_wsl1(file.read())
    except OSError:
        return False


def _fallback_text() -> str:
    if _runs_on_wsl1():
        return "This is WSL1, where no sandbox works: commands are refused. Please use WSL2."
    return _LANDLOCK_FALLBACK
