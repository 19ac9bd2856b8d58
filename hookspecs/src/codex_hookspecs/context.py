"""Instruction fragments: texts for the model beside the conversation."""

from __future__ import annotations

from codex_hookspecs._lazy import exported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codex_hookspecs.local_time import local_date as local_date
    from codex_hookspecs.local_time import local_timezone as local_timezone
    from codex_hookspecs.markers import hookimpl as hookimpl
    from codex_hookspecs.types.context import Fragment as Fragment
    from codex_hookspecs.types.context import Place as Place

__all__, __getattr__, __dir__ = exported(
    __name__,
    {
        "markers": "hookimpl",
        "types.context": "Fragment Place",
        "local_time": "local_date local_timezone",
    },
)
