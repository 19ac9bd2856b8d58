"""Say what failed in which plugin and where, and count it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from codex_host.plugins.places import find_culprit, place_of, raised_places
from codex_host.plugins.signatures import InvalidResult
from codex_host.plugins.tasks import Escaped, Overrun

if TYPE_CHECKING:
    from codex_hookspecs.ports.host import Host
    from codex_host.plugins.ledger import Ledger
    from codex_host.plugins.places import Places
    from codex_host.plugins.registry import Registry

MOST_TEXT = 2000
"""Characters that are told of an error's text."""


class Failures:
    """Failures of all plugins.

    :param host: its log gets the tracebacks.
    :ivar listener: told of every failure, for tests.
    """

    def __init__(self, registry: Registry, ledger: Ledger, *, host: Host) -> None:
        self._registry = registry
        self._ledger = ledger
        self._host = host
        self.listener: Callable[[str, BaseException | None], None] | None = None

    def record(self, hook: str, plugin: str, error: BaseException, function: Callable[..., Any]) -> str:
        """Count a failure and return what the user is told; that of another plugin, which was used, is not counted."""
        guilty, place = self._find(plugin, error, function)
        text = self._text(guilty, f"{hook} of plugin {plugin}" if guilty != plugin else hook, error, place)
        status = self._registry.status(plugin)
        if guilty != plugin or not self._ledger.failed(plugin, hook, _outcome(error), version=status.version):
            return text
        status.quarantined[hook] = self._ledger.account(plugin).quarantined[hook]
        return f"{text}; it is not called any more (run: codex plugins enable {plugin})"

    def report(self, what: str, plugin: str, error: BaseException, function: Callable[..., Any] | None = None) -> str:
        """Return what the user is told of a failure that is not counted.

        :param what: what was called, e.g. ``tool roll_dice``.
        :param function: what was called, where that is one function.
        """
        guilty, place = self._find(plugin, error, function)
        return self._text(guilty, f"{what} of plugin {plugin}" if guilty != plugin else what, error, place)

    def culprit(self, plugin: str, error: BaseException, function: Callable[..., Any]) -> str:
        """Return the plugin whose code failed when another one was called."""
        return self._find(plugin, error, function)[0]

    def report_left_behind(
        self, what: str, plugin: str, places: Places, function: Callable[..., Any] | None = None
    ) -> str:
        """Return what the user is told of a call that did not end when it was cancelled."""
        guilty, place = find_culprit(self._registry, plugin, places, function)
        text = (
            f"{self._label(guilty)}: {what} did not end when it was cancelled and is left behind{_format_place(place)}"
        )
        self._notify(text, None)
        return text

    def _find(
        self, plugin: str, error: BaseException, function: Callable[..., Any] | None
    ) -> tuple[str, tuple[str, int] | None]:
        error = _inner(error)
        places = error.places if isinstance(error, Overrun) else raised_places(error)
        if isinstance(error, InvalidResult):
            places = []
        guilty, place = find_culprit(self._registry, plugin, places, function)
        if place is None and function is not None:
            place = place_of(function)
        return guilty, place

    def _text(self, plugin: str, what: str, error: BaseException, place: tuple[str, int] | None) -> str:
        inner = _inner(error)
        self._host.logger("host").debug("plugin %s: %s", plugin, what, exc_info=inner)
        plain = isinstance(inner, InvalidResult | Overrun)
        words = "" if plain else _text_of(inner)
        detail = f": {words}" if words else ""
        if isinstance(inner, Overrun) and inner.left:
            detail = " and did not end when it was cancelled: it is left behind"
        text = f"{self._label(plugin)}: {what} {_outcome(error)}{detail}{_format_place(place)}"
        self._notify(text, inner)
        return text

    def _notify(self, text: str, error: BaseException | None) -> None:
        if self.listener is not None:
            self.listener(text, error)

    def _label(self, plugin: str) -> str:
        status = self._registry.status(plugin)
        return f"plugin {plugin} ({status.distribution} {status.version})"


def text_for_model(error: BaseException) -> str:
    """Return what the model is told of a failure: without names of files."""
    inner = _inner(error)
    if isinstance(inner, InvalidResult | Overrun):
        return str(inner)
    return f"failed: {type(inner).__name__}: {_text_of(inner)}"


def _inner(error: BaseException) -> BaseException:
    return error.error if isinstance(error, Escaped) else error


def _outcome(error: BaseException) -> str:
    inner = _inner(error)
    if isinstance(inner, InvalidResult | Overrun):
        return str(inner)
    if isinstance(inner, asyncio.CancelledError):
        return "raised CancelledError"
    return f"raised {type(inner).__name__}"


def _text_of(error: BaseException) -> str:
    """Return the text of an error, which may be anything."""
    try:
        text = str(error)
    except BaseException as second:
        return f"its text can't be had: {type(second).__name__}"
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}…"


def _format_place(place: tuple[str, int] | None) -> str:
    return "" if place is None else f" ({place[0]}:{place[1]})"
