"""Hook implementations of exec-local."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from codex_hookspecs import hookimpl

if TYPE_CHECKING:
    from codex_hookspecs.environments import EnvironmentProvider
    from codex_hookspecs.host import Host


@hookimpl
def environments(host: Host) -> Sequence[EnvironmentProvider]:
    """Provide the environment ``local``."""
    from codex_exec_local.environment import LocalProvider

    return [LocalProvider(host.environ)]
