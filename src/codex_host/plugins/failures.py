"""Describe failures of plugins with plugin and code location, and count them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from codex_host.plugins.places import find_failing_plugin, place_of, raised_places
from codex_host.plugins.signatures import InvalidResult
from codex_host.plugins.tasks import Escaped, Overrun

if TYPE_CHECKING:
    from codex_hookspecs.ports.host import Host
    from codex_host.plugins.places import Places
    from codex_host.plugins.registry import Registry
    from codex_host.plugins.stats_file import StatsFile

MAX_TEXT = 2000
"""Most characters of an error's text in a message."""


class Failures:
    """Failures of all plugins.

    :param host: provides the log that tracebacks are written to.
    :ivar listener: called with every failure, for tests.
    """

    def __init__(self, registry: Registry, stats_file: StatsFile, *, host: Host) -> None:
        self._registry = registry
        self._stats_file = stats_file
        self._host = host
        self.listener: Callable[[str, BaseException | None], None] | None = None

    def record(self, hook: str, plugin: str, error: BaseException, function: Callable[..., Any]) -> str:
        """Count a failure and return the message; one of another plugin that it used is not counted."""
        failing, place = self._find(plugin, error, function)
        text = self._text(failing, f"{hook} of plugin {plugin}" if failing != plugin else hook, error, place)
        status = self._registry.status(plugin)
        if failing != plugin or not self._stats_file.record_failure(
            plugin, hook, _outcome(error), version=status.version
        ):
            return text
        status.quarantined[hook] = self._stats_file.stats(plugin).quarantined[hook]
        return f"{text}; it is not called any more (run: codex plugins enable {plugin})"

    def report(
        self,
        what: str,
        plugin: str,
        error: BaseException,
        function: Callable[..., Any] | None = None,
        *,
        quoted: bool = True,
    ) -> str:
        """Return the message for a failure without counting it.

        :param what: description of what was called, e.g. ``tool roll_dice``.
        :param function: the function that was called, if it is a single one.
        :param quoted: whether the error's own text is part of the message; it may hold what a client sent.
        """
        failing, place = self._find(plugin, error, function)
        what = f"{what} of plugin {plugin}" if failing != plugin else what
        return self._text(failing, what, error, place, quoted=quoted)

    def failing_plugin(self, plugin: str, error: BaseException, function: Callable[..., Any]) -> str:
        """Return the plugin whose code raised an error, which may not be the one that was called."""
        return self._find(plugin, error, function)[0]

    def report_left_behind(
        self, what: str, plugin: str, places: Places, function: Callable[..., Any] | None = None
    ) -> str:
        """Return the message for a call that is still running after its cancellation."""
        failing, place = find_failing_plugin(self._registry, plugin, places, function)
        text = (
            f"{self._label(failing)}: {what} did not end when it was cancelled and is left behind{_format_place(place)}"
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
        failing, place = find_failing_plugin(self._registry, plugin, places, function)
        if place is None and function is not None:
            place = place_of(function)
        return failing, place

    def _text(
        self, plugin: str, what: str, error: BaseException, place: tuple[str, int] | None, *, quoted: bool = True
    ) -> str:
        inner = _inner(error)
        self._host.logger("host").debug("plugin %s: %s", plugin, what, exc_info=inner)
        plain = not quoted or isinstance(inner, InvalidResult | Overrun)
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
    """Return the description of a failure for the model, without file names."""
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
    """Return the text of an error, even if its ``__str__`` raises."""
    try:
        text = str(error)
    except BaseException as second:
        return f"its text can't be had: {type(second).__name__}"
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"


def _format_place(place: tuple[str, int] | None) -> str:
    return "" if place is None else f" ({place[0]}:{place[1]})"
