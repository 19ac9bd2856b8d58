"""Test kit for plugins: a host with exactly the plugins you give it, models that play scripts, contract suites.

With ``pytest`` the fixtures ``host``, ``model`` and ``project`` come by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codex_hookspecs.testing.exec_wire import ExecClient as ExecClient
    from codex_hookspecs.testing.exec_wire import exec_server as exec_server
    from codex_hookspecs.testing.memory_environment import MemoryEnvironments as MemoryEnvironments
    from codex_hookspecs.testing.memory_store import MemoryThreadStore as MemoryThreadStore
    from codex_hookspecs.testing.outcome import TurnOutcome as TurnOutcome
    from codex_hookspecs.testing.project import Project as Project
    from codex_hookspecs.testing.recording_sink import RecordingSink as RecordingSink
    from codex_hookspecs.testing.scripted_model import ScriptedModel as ScriptedModel

_HOME = {
    "ExecClient": "exec_wire",
    "MemoryEnvironments": "memory_environment",
    "MemoryThreadStore": "memory_store",
    "Project": "project",
    "RecordingSink": "recording_sink",
    "ScriptedModel": "scripted_model",
    "TurnOutcome": "outcome",
    "exec_server": "exec_wire",
}

__all__ = sorted(_HOME)  # noqa: PLE0605


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
