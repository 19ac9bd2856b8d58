"""Hook implementations of model-responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs import hookimpl

if TYPE_CHECKING:
    from codex_hookspecs.host import Host
    from codex_hookspecs.models import ModelProvider
    from codex_hookspecs.protocol import JsonObject


@hookimpl
def model_provider(name: str, config: JsonObject, host: Host) -> ModelProvider | None:
    """Provide the built-in providers and every table that describes a Responses API server."""
    from codex_model_responses.settings import read_settings

    settings = read_settings(name, config, config=host.config, environ=host.environ)
    if settings is None:
        return None
    from codex_model_responses.provider import ResponsesProvider

    return ResponsesProvider(
        settings,
        environ=host.environ,
        codex_home=host.codex_home,
        version=host.version,
        log=lambda: host.logger("model-responses"),
    )
