"""Wrap authenticators of connections, so that a failure names the plugin and lets nobody in."""

from __future__ import annotations

from inspect import iscoroutine, iscoroutinefunction
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final, NoReturn

from codex_hookspecs.auth import AcceptedClient
from codex_hookspecs.errors import CodexError, ConfigError
from codex_hookspecs.surface import escape_controls_in_line
from codex_host.plugins.signatures import InvalidResult
from codex_host.plugins.tasks import run_contained

if TYPE_CHECKING:
    from collections.abc import Callable

    from codex_hookspecs.ports.auth import ConnectionAuthenticator, ConnectionCheck
    from codex_hookspecs.types.auth import ConnectionAuthOptions
    from codex_host.plugins.failures import Failures

UNCHECKED = "the credentials could not be checked"
"""Why a client is refused whose check failed; the failure itself is told to the user of the server only."""

MAX_NAME: Final = 64
"""Most characters of a client's name."""


class NamedAuthenticator:
    """An authenticator with the plugin that it belongs to.

    :param warn: called with a message when a check fails.
    """

    def __init__(
        self,
        authenticator: ConnectionAuthenticator,
        mode: str,
        *,
        plugin: str,
        failures: Failures,
        warn: Callable[[str], None],
    ) -> None:
        self._authenticator = authenticator
        self._plugin = plugin
        self._failures = failures
        self._warn = warn
        self.mode = mode

    def prepare(self, options: ConnectionAuthOptions) -> ConnectionCheck:
        """Return the check for every connection; it refuses whom the plugin's own check fails for.

        :raises ConfigError: when the plugin fails, or returns something other than a check.
        """
        prepare = None
        try:
            prepare = self._authenticator.prepare
            check = run_contained(prepare, options)
            _require_check(check)
            _require_refusal(check)
        except CodexError:
            raise
        except Exception as error:
            what = f"prepare of the authenticator for --ws-auth {self.mode}"
            raise ConfigError(self._failures.report(what, self._plugin, error, prepare)) from error
        return _Check(check, self._refuse)

    def _refuse(self, check: Any, error: Exception) -> str:
        what = f"the check of the authenticator for --ws-auth {self.mode}"
        # The error's own text may hold the client's credentials, and could be a new one for every client.
        message = self._failures.report(what, self._plugin, error, check, quoted=False)
        self._warn(f"{message}; clients that it fails for are refused")
        return UNCHECKED


class _Check:
    """A check that refuses the client when the plugin's own check fails."""

    def __init__(self, check: Callable[[str | None], Any], refuse: Callable[[Any, Exception], str]) -> None:
        self._check = check
        self._refuse = refuse

    def __call__(self, authorization: str | None) -> AcceptedClient | str:
        try:
            answer: AcceptedClient | str = run_contained(_answer, self._check, authorization)
            return answer
        except Exception as error:
            return self._refuse(self._check, error)


def _require_check(check: Any) -> None:
    """Reject what can't be called with a header and answer at once.

    :raises InvalidResult: names what it is.
    """
    if iscoroutine(check):
        check.close()
        raise InvalidResult("is 'async def', write 'def'")
    if not callable(check):
        raise InvalidResult(f"returned {'None' if check is None else type(check).__name__}, not a check")
    if isinstance(check, type):
        raise InvalidResult(f"returned the class {check.__name__}, not a check")
    if iscoroutinefunction(check) or iscoroutinefunction(getattr(check, "__call__", None)):  # noqa: B004
        raise InvalidResult("returned a check that is 'async def', write 'def'")


def _require_refusal(check: Callable[[str | None], Any]) -> None:
    """Reject a check that accepts a client without credentials, as one does that forgets to return its reason.

    :raises InvalidResult: says so.
    """
    for authorization in (None, f"Bearer {token_hex()}"):
        if _accepts(check, authorization):
            raise InvalidResult("returned a check that accepts any client: a reason as text refuses, None accepts")


def _accepts(check: Callable[[str | None], Any], authorization: str | None) -> bool:
    try:
        return type(run_contained(_answer, check, authorization)) is AcceptedClient
    except Exception:
        return False  # The failure is reported when a client connects, which is refused.


def _answer(check: Callable[[str | None], Any], authorization: str | None) -> AcceptedClient | str:
    """Return why a client is refused, or who is accepted.

    :raises InvalidResult: when the check answers anything else.
    """
    answer = check(authorization)
    if answer is None:
        return AcceptedClient()
    if type(answer) is AcceptedClient:
        return AcceptedClient(_shown(answer.name))
    if not issubclass(type(answer), str):
        _reject(answer)
    return str.__str__(answer)


def _shown(name: Any) -> str | None:
    """Return a client's name in the form that can be logged.

    :raises InvalidResult: when it is no text.
    """
    if name is None:
        return None
    if not issubclass(type(name), str):
        raise InvalidResult(f"accepted a client whose name is {type(name).__name__}, not text")
    plain = str.__str__(name)
    short = plain if len(plain) <= MAX_NAME else f"{plain[:MAX_NAME]}…"
    return escape_controls_in_line(short) or None


def _reject(answer: Any) -> NoReturn:
    if iscoroutine(answer):
        answer.close()
    raise InvalidResult(
        f"returned {type(answer).__name__}, not an AcceptedClient, None, or the reason for refusing as text"
    )
