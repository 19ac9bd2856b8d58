"""The host as plugins get it: configuration, features, threads."""

from __future__ import annotations

from codex_hookspecs._lazy import exported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codex_hookspecs.ports.host import Config as Config
    from codex_hookspecs.ports.host import Features as Features
    from codex_hookspecs.ports.host import Host as Host
    from codex_hookspecs.ports.threads import Action as Action
    from codex_hookspecs.ports.threads import AgentThread as AgentThread
    from codex_hookspecs.ports.threads import Listener as Listener
    from codex_hookspecs.ports.threads import LoadedThread as LoadedThread
    from codex_hookspecs.ports.threads import RequestHandler as RequestHandler
    from codex_hookspecs.ports.threads import ThreadManager as ThreadManager
    from codex_hookspecs.types.config import ConfigChange as ConfigChange
    from codex_hookspecs.types.config import ConfigLayer as ConfigLayer
    from codex_hookspecs.types.config import Feature as Feature
    from codex_hookspecs.types.config import LayerKind as LayerKind
    from codex_hookspecs.types.config import Stage as Stage

__all__, __getattr__, __dir__ = exported(
    __name__,
    {
        "ports.host": "Config Features Host",
        "ports.threads": "Action AgentThread Listener LoadedThread RequestHandler ThreadManager",
        "types.config": "ConfigChange ConfigLayer Feature LayerKind Stage",
    },
)
