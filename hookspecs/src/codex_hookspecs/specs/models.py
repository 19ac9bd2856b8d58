"""Model providers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.markers import choose

if TYPE_CHECKING:
    from codex_hookspecs.ports.host import Host
    from codex_hookspecs.ports.models import ModelProvider
    from codex_hookspecs.types.json import JsonObject


@choose(requires=("stream", "aclose"), by="name")
def model_provider(name: str, config: JsonObject, host: Host) -> ModelProvider | None:
    """Choose the model provider of a thread; called once per thread.

    :param name: key of the provider, from ``model_provider``.
    :param config: its table ``[model_providers.<name>]``, empty if there is none.
    :param host: the running program.
    :return: a provider for the thread, or ``None`` if this plugin does not serve that name.

    The provider also gives the default model and facts about models
    (:class:`~codex_hookspecs.ports.models.ModelProvider`).

    The first answer is used. A ``ConfigError`` reports an invalid table to the user; after any other failure, which is
    shown, the next plugin is called.

    Example::

        from codex_hookspecs import hookimpl
        from codex_testkit import ScriptedModel

        @hookimpl
        def model_provider(name, config):
            if name == "echo":
                return ScriptedModel("echo")
    """
