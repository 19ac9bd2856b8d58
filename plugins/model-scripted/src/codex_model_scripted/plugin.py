"""Hook implementations of model-scripted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs import hookimpl

if TYPE_CHECKING:
    from codex_hookspecs.host import Host
    from codex_hookspecs.models import ModelProvider
    from codex_hookspecs.protocol import JsonObject


@hookimpl
def model_provider(name: str, config: JsonObject, host: Host) -> ModelProvider | None:
    """Provide the provider ``scripted``."""
    if name != "scripted":
        return None
    from codex_model_scripted.provider import ScriptedProvider
    from codex_model_scripted.settings import read_settings

    return ScriptedProvider(read_settings(config, config=host.config, environ=host.environ))
