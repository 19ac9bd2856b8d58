"""Remember whose code asks a choose hook: a plugin that wraps what it would have been given gets the next one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_ASKED: ContextVar[Mapping[str, str]] = ContextVar("asked", default=MappingProxyType({}))
"""Plugin whose code is running, by the choose hook that it was called for."""


@contextmanager
def asked(hook: str, plugin: str) -> Iterator[None]:
    """Mark that code of a plugin runs that was called for a choose hook."""
    token = _ASKED.set({**_ASKED.get(), hook: plugin})
    try:
        yield
    finally:
        _ASKED.reset(token)


def after_caller(hook: str, plugins: Sequence[str]) -> Sequence[str]:
    """Return the plugins to ask: all, or where one of them asks, those after it."""
    caller = _ASKED.get().get(hook)
    return plugins[plugins.index(caller) + 1 :] if caller in plugins else plugins
