"""Check whether remote environments can be reached (``codex plugins doctor``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from codex_hookspecs.errors import CodexError
from codex_hookspecs.surface import DoctorCheck

if TYPE_CHECKING:
    from codex_hookspecs.environments import EnvironmentProvider


def connection_check(provider: EnvironmentProvider) -> DoctorCheck:
    """Return the check of one environment."""

    async def run() -> Sequence[str]:
        try:
            environment = await provider.open()
            try:
                await environment.facts()
            finally:
                await environment.aclose()
        except CodexError as error:
            return [str(error)]
        return []

    return DoctorCheck(f"environment {provider.id}", run)
