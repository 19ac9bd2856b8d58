"""Execution environments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.markers import offer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_hookspecs.ports.environment import EnvironmentProvider
    from codex_hookspecs.ports.host import Host


@offer(key="id", requires=("open",))
def environments(host: Host) -> Sequence[EnvironmentProvider] | None:
    """Offer environments; called once, when the first environment is needed.

    :param host: the running program.
    :return: providers, each opened on first use, or ``None``.

    The providers of all plugins are used; of two with the same id that of the first plugin (first-party plugins come
    first unless ``plugin_order`` says otherwise), with a warning that names both plugins. A failing plugin offers
    nothing.

    Example::

        from codex_hookspecs import hookimpl
        from codex_testkit import MemoryEnvironments

        @hookimpl
        def environments():
            return [MemoryEnvironments("scratch")]
    """
