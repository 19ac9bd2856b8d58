"""The trace that a request belongs to, in the form of W3C Trace Context."""

from __future__ import annotations

import re
from contextvars import ContextVar
from typing import Any

from codex_hookspecs.values import frozen

__all__ = ["TraceContext", "current_trace", "parse_trace", "set_trace"]

_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_STATE_LIMIT = 512
_current: ContextVar[TraceContext | None] = ContextVar("codex_trace", default=None)


@frozen
class TraceContext:
    """A position in a distributed trace.

    :param traceparent: version, trace id, parent id and flags, in lower-case hexadecimal digits.
    :param tracestate: data of the tracing systems, printable ASCII; ``None`` if there is none.
    """

    traceparent: str
    tracestate: str | None = None

    @property
    def trace_id(self) -> str:
        """The id of the whole trace: 32 hexadecimal digits."""
        return self.traceparent[3:35]


def parse_trace(traceparent: Any, tracestate: Any = None) -> TraceContext | None:
    """Return a trace context, ``None`` if ``traceparent`` is not one; an invalid ``tracestate`` alone is dropped."""
    if not isinstance(traceparent, str) or not _PARENT.fullmatch(traceparent):
        return None
    usable = isinstance(tracestate, str) and tracestate.isascii() and tracestate.isprintable()
    return TraceContext(traceparent, tracestate if usable and 0 < len(tracestate) <= _STATE_LIMIT else None)


def current_trace() -> TraceContext | None:
    """Return the trace of the request that the running code works for; a turn has that of its request."""
    return _current.get()


def set_trace(trace: TraceContext | None) -> None:
    """Set the trace of the current task and of the tasks that it starts from now on."""
    _current.set(trace)
