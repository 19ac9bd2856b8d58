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
    """Choose who answers a thread; called once for each thread.

    :param name: key of the provider, from ``model_provider``.
    :param config: its table ``[model_providers.<name>]``, empty when there is none.
    :param host: the running program.
    :return: a provider for the thread, or ``None`` when this plugin does not serve that name.

    The provider says which model a thread has that names none, and what is known of a model
    (:class:`~codex_hookspecs.ports.models.ModelProvider`).

    The first answer wins. A ``ConfigError`` tells the user what is wrong with the table; another failure is shown
    and the next plugin is asked.

    Example::

        from codex_hookspecs import hookimpl
        from codex_testkit import ScriptedModel

        @hookimpl
        def model_provider(name, config):
            if name == "echo":
                return ScriptedModel("echo")
    """
