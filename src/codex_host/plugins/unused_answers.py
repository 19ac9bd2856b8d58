"""Tell of two third-party plugins that both have an answer where one counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from codex_hookspecs.errors import CodexError
from codex_host.plugins.order import KEY, asked
from codex_host.plugins.order_checks import rivals
from codex_host.shutdown import close_all

if TYPE_CHECKING:
    from codex_hookspecs.ports.host import Host
    from codex_host.plugins.bound_hook import BoundHook
    from codex_host.plugins.registry import Registry


class UnusedAnswers:
    """Asks the plugins whose answers are not used, once for each wanted name.

    :param warn: called with each warning.
    """

    def __init__(self, registry: Registry, *, host: Host, warn: Callable[[str], None]) -> None:
        self._registry = registry
        self._host = host
        self._warn = warn
        self._compared: set[tuple[str, str]] = set()
        self._closing: set[asyncio.Task[None]] = set()

    def compare(
        self, hook: str, wanted: str, first: str, implementations: Iterable[BoundHook], call: Callable[[BoundHook], Any]
    ) -> None:
        """Warn about plugins that come after another one only by default rank and would have an answer, too.

        :param wanted: the name that is asked for.
        :param first: the third-party plugin whose answer is used.
        :param call: calls an implementation with the same arguments.
        """
        if (hook, wanted) in self._compared:
            return
        self._compared.add((hook, wanted))
        others = rivals(self._registry, hook, first)
        for bound in implementations:
            if bound.plugin not in others:
                continue
            with suppress(CodexError), asked(hook, bound.plugin):
                answer = call(bound)
                if answer is not None:
                    self._close(answer)
                    self._warn(_text(hook, wanted, first, bound.plugin))

    def _close(self, answer: Any) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # Then it can't have opened anything yet.
            return
        task = loop.create_task(close_all(self._host, "an unused answer", [answer.aclose]))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


def _text(hook: str, wanted: str, first: str, other: str) -> str:
    return (
        f"plugins {first} and {other} both answer {hook} for {wanted!r}, where one answer counts: that of {other} "
        f'is not used ({KEY}.{hook} = "{other}" puts it first)'
    )
