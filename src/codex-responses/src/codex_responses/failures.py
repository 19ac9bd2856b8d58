"""Classify failed requests: text, kind, and whether to retry.

Texts and kinds are those of Codex 0.118.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from codex_hookspecs.errors import ModelError
from codex_hookspecs.json_text import parse_json
from codex_hookspecs.types.models import Retrying
from codex_responses.retries import LONGEST_DELAY, backoff, delay_in_headers, delay_in_text

if TYPE_CHECKING:
    from codex_hookspecs.types.json import JsonObject

_HIGH_DEMAND: Final = "We're currently experiencing high demand, which may cause temporary errors."
_AT_CAPACITY: Final = "Selected model is at capacity. Please try a different model."
_NO_ROOM: Final = (
    "Codex ran out of room in the model's context window. Start a new thread or clear earlier history before retrying."
)
_NO_QUOTA: Final = "Quota exceeded. Check your plan and billing details."
_NOT_INCLUDED: Final = "To use Codex with your ChatGPT plan, upgrade to Plus: https://chatgpt.com/explore/plus."
_BODY_SHOWN: Final = 1000
_REQUEST_IDS: Final = ("x-request-id", "x-oai-request-id", "cf-ray")


class RequestFailed(Exception):
    """Raised when one attempt failed; the provider decides whether to retry.

    :param message: text for users.
    :param info: ``codexErrorInfo`` if the failure is final.
    :param again: whether the request may be retried with a notification to the client.
    :param at_once: whether to retry silently first, since the server was unreachable or failed.
    :param status: HTTP status for the notification.
    :param delay: seconds the server asked to wait.
    :param details: the cause.
    """

    def __init__(
        self,
        message: str,
        *,
        info: str | JsonObject = "other",
        again: bool = False,
        at_once: bool = False,
        status: int | None = None,
        delay: float | None = None,
        details: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.info = info
        patient = delay is None or delay <= LONGEST_DELAY
        self.again = again and patient
        self.at_once = at_once and patient
        self.status = status
        self.delay = delay
        self.details = details if patient else f"the server asks to wait {delay:.0f} s"

    def redact(self, secrets: Iterable[str]) -> None:
        """Remove secrets from message and details.

        :param secrets: the secrets that were sent to the server.
        """
        from codex_responses.redaction import redact  # only after a failure

        self.message = redact(self.message, secrets)
        self.details = None if self.details is None else redact(self.details, secrets)
        self.args = (self.message,)

    def final(self) -> ModelError:
        """Return the error that ends the request."""
        return ModelError(self.message, info=self.info, details=self.details)

    def retrying(self, attempt: int, most: int) -> Retrying:
        """Return the notification before another attempt.

        :param attempt: 1 for the first retry.
        :param most: maximum number of retries.
        """
        return Retrying(
            message=f"Reconnecting... {attempt}/{most}",
            info={"responseStreamDisconnected": {"httpStatusCode": self.status}},
            details=self.message,
        )

    def wait(self, attempt: int, jitter: Callable[[], float] | None = None) -> float:
        """Return the seconds before another attempt.

        :param jitter: random number in [0, 1); ``random.random`` when ``None``.
        """
        if self.delay is not None:
            return self.delay
        if jitter is None:
            import random  # only after a failure

            jitter = random.random
        return backoff(attempt, jitter())


def disconnected(reason: str, *, delay: float | None = None, details: str | None = None) -> RequestFailed:
    """Return the failure of a stream that ended before its response was complete."""
    message = f"stream disconnected before completion: {reason}"
    return RequestFailed(message, again=True, delay=delay, details=details)


def unreachable(url: str, cause: str) -> RequestFailed:
    """Return the failure of a request without a response.

    :param url: address without query.
    :param cause: the system's error text.
    """
    text = f"stream disconnected before completion: error sending request for url ({url})"
    return RequestFailed(text, again=True, at_once=True, details=cause)


def untrusted(url: str, cause: str) -> RequestFailed:
    """Return the failure of a server whose certificate can't be verified, which is not retried."""
    return RequestFailed(
        f"the certificate of the model provider can't be verified: {cause}, url: {url}; if the network has a "
        "certificate authority of its own, name its PEM file in CODEX_CA_CERTIFICATE",
        info={"httpConnectionFailed": {"httpStatusCode": None}},
    )


def from_status(status: int, headers: Mapping[str, str], body: bytes, url: str) -> RequestFailed:
    """Return the failure for an HTTP status.

    :param headers: names in lower case.
    :param body: beginning of the body.
    :param url: address without query.
    """
    text = body.decode("utf-8", "replace")
    error = _error_in(text)
    delay = delay_in_headers(headers, time.time()) if "retry-after" in headers else None
    if delay is None:
        delay = delay_in_text(str(error.get("message") or ""))
    if status == 429:
        return _too_many(error, delay)
    if status == 400:
        return RequestFailed(text or f"unexpected status {_named(status)}, url: {url}")
    at_once = status >= 500
    if status == 503 and error.get("code") in {"server_is_overloaded", "slow_down"}:
        return RequestFailed(_AT_CAPACITY, info="serverOverloaded", at_once=at_once, delay=delay)
    if status == 500:
        return RequestFailed(_HIGH_DEMAND, info="internalServerError", again=True, at_once=at_once, delay=delay)
    message = f"unexpected status {_named(status)}: {_told(error, text)}, url: {url}"
    ident = next((headers[name] for name in _REQUEST_IDS if headers.get(name)), None)
    if ident:
        message += f", request id: {ident}"
    return RequestFailed(message, again=True, at_once=at_once, status=status, delay=delay)


def from_error(error: Mapping[str, Any]) -> RequestFailed:
    """Return the failure for the ``error`` object of a ``response.failed`` event."""
    code, message = error.get("code"), str(error.get("message") or "")
    if code == "context_length_exceeded":
        return RequestFailed(_NO_ROOM, info="contextWindowExceeded")
    if code == "insufficient_quota":
        return RequestFailed(_NO_QUOTA, info="usageLimitExceeded")
    if code == "usage_not_included":
        return RequestFailed(_NOT_INCLUDED, info="usageLimitExceeded")
    if code in {"server_is_overloaded", "slow_down"}:
        return RequestFailed(_AT_CAPACITY, info="serverOverloaded")
    if code == "invalid_prompt":
        return RequestFailed(message or "Invalid request.")
    return disconnected(message or "response.failed event received", delay=delay_in_text(message))


def _too_many(error: Mapping[str, Any], delay: float | None) -> RequestFailed:
    if error.get("type") == "usage_limit_reached":
        return RequestFailed(_usage_limit(error.get("resets_at"), time.time()), info="usageLimitExceeded")
    if error.get("type") == "usage_not_included":
        return RequestFailed(_NOT_INCLUDED, info="usageLimitExceeded")
    return RequestFailed(
        f"exceeded retry limit, last status: {_named(429)}",
        info={"responseTooManyFailedAttempts": {"httpStatusCode": 429}},
        again=delay is not None,
        status=429,
        delay=delay,
    )


def _usage_limit(resets_at: object, now: float) -> str:
    if not isinstance(resets_at, int) or isinstance(resets_at, bool) or not 0 < resets_at < 1 << 36:
        return "You've hit your usage limit. Try again later."
    then, today = time.localtime(resets_at), time.localtime(now)
    clock = f"{then.tm_hour % 12 or 12}:{then.tm_min:02} {'AM' if then.tm_hour < 12 else 'PM'}"
    if then[:3] != today[:3]:
        day = then.tm_mday
        ending = "th" if day in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
        clock = f"{time.strftime('%b', then)} {day}{ending}, {then.tm_year} {clock}"
    return f"You've hit your usage limit. Try again at {clock}."


def _error_in(text: str) -> Mapping[str, Any]:
    try:
        found = parse_json(text)
    except ValueError:
        return {}
    error = found.get("error") if isinstance(found, dict) else None
    return error if isinstance(error, dict) else {}


def _told(error: Mapping[str, Any], text: str) -> str:
    message = error.get("message")
    if isinstance(message, str) and message:
        return message
    plain = re.sub(r"\s+", " ", text).strip()
    if len(plain) > _BODY_SHOWN:
        return f"{plain[:_BODY_SHOWN]}…"
    return plain or "Unknown error"


def _named(status: int) -> str:
    from http import HTTPStatus  # only on a failure

    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} <unknown status code>"
