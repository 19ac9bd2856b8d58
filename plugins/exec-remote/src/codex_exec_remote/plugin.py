"""Hook implementations of exec-remote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from codex_hookspecs import hookimpl

if TYPE_CHECKING:
    from codex_hookspecs.environments import EnvironmentProvider
    from codex_hookspecs.host import Host
    from codex_hookspecs.surface import DoctorCheck


@hookimpl
def environments(host: Host) -> Sequence[EnvironmentProvider] | None:
    """Offer the environment of ``CODEX_EXEC_SERVER_URL`` and those of the tables ``[environments.*]``."""
    url = host.environ.get("CODEX_EXEC_SERVER_URL", "").strip()
    tables = host.config.get("environments")
    if not url and not tables:
        return None
    from codex_exec_remote.providers import find_providers

    return find_providers(url, tables or {}, host)


@hookimpl
def doctor_checks(host: Host) -> Sequence[DoctorCheck] | None:
    """Offer a check for each configured environment whether it can be reached."""
    offered = environments(host)
    if not offered:
        return None
    from codex_exec_remote.doctor import connection_check

    return [connection_check(provider) for provider in offered]
