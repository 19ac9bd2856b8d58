"""Test kit for plugins: a host with exactly the given plugins, scripted models, contract suites.

The fixtures ``host``, ``model`` and ``project`` are available in pytest without configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codex_testkit.app_client import RpcClient as RpcClient
    from codex_testkit.memory.environment import MemoryEnvironments as MemoryEnvironments
    from codex_testkit.memory.model import ScriptedModel as ScriptedModel
    from codex_testkit.memory.sink import RecordingSink as RecordingSink
    from codex_testkit.memory.store import MemoryThreadStore as MemoryThreadStore
    from codex_testkit.outcome import TurnOutcome as TurnOutcome
    from codex_testkit.project import Project as Project
    from codex_testkit.servers.exec_client import ExecClient as ExecClient
    from codex_testkit.servers.exec_client import exec_server as exec_server

_HOME = {
    "ExecClient": "servers.exec_client",
    "MemoryEnvironments": "memory.environment",
    "MemoryThreadStore": "memory.store",
    "Project": "project",
    "RecordingSink": "memory.sink",
    "RpcClient": "app_client",
    "ScriptedModel": "memory.model",
    "TurnOutcome": "outcome",
    "exec_server": "servers.exec_client",
}

__all__ = sorted(_HOME)  # noqa: PLE0605


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
