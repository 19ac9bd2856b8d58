"""Keys, hashes and standing of handlers: which run, which wait for a review (format of Codex 0.169)."""

from __future__ import annotations

import json
from typing import Any

from codex_hookspecs import frozen

from .handlers import Handler, Origin, TrustStatus

DEFAULT_CONTEXT_LIMIT = 2_500


@frozen
class Accepted:
    """What ``[hooks.state."<key>"]`` says of one handler."""

    trusted_hash: str | None = None
    enabled: bool | None = None


def key_of(origin: Origin, handler: Handler, *, linked: bool = False) -> str:
    """Return the key under which the handler's acceptance is kept.

    :param linked: that of the same handler in the repository that the work tree is linked to.
    """
    return f"{origin.linked_key if linked else origin.key}:{handler.event.facts.snake}:{handler.group}:{handler.index}"


def hash_of(handler: Handler) -> str:
    """Return the hash that changes with anything a review would look at.

    It is taken over the normalized handler and not over the file, so that the same hook in JSON and TOML is one.
    """
    import hashlib  # only hooks of projects and listings need it

    identity: dict[str, Any] = {"event_name": handler.event.facts.snake, "hooks": [_normalized(handler)]}
    if handler.matcher is not None and handler.event.facts.subject is not None:
        identity["matcher"] = handler.matcher
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def standing(origin: Origin, handler: Handler, accepted: Accepted) -> TrustStatus:
    """Say how far a handler is trusted.

    Handlers of the system and of the user's own files are theirs by place; a bundle is accepted when it is installed.
    """
    if origin.source == "system":
        return "managed"
    if origin.source != "project":
        return "trusted"
    if accepted.trusted_hash is None:
        return "untrusted"
    return "trusted" if accepted.trusted_hash == hash_of(handler) else "modified"


def refusal(key: str, origin: Origin, accepted: Accepted, status: TrustStatus, *, bypass: bool) -> str | None:
    """Say why a handler does not run.

    :param bypass: handlers that wait for a review run all the same.
    :return: the reason with the command that changes it, or ``None`` when the handler runs.
    """
    if origin.disabled is not None:
        return origin.disabled
    if accepted.enabled is False and origin.source != "system":
        return f"it is switched off (run: codex hooks trust '{key}')"
    if bypass or status in {"managed", "trusted"}:
        return None
    found = "it is not trusted" if status == "untrusted" else "it has changed since it was trusted"
    return f"{found} (look at it with: codex hooks list, then run: codex hooks trust '{key}')"


def _normalized(handler: Handler) -> dict[str, Any]:
    if handler.type == "mcp_tool":
        values = {**handler.arguments, "timeout": handler.timeout, "type": handler.type}
    else:
        values = {
            "async": handler.detached,
            "command": handler.command,
            "timeout": handler.timeout,
            "type": handler.type,
        }
    if handler.status_message is not None:
        values["statusMessage"] = handler.status_message
    if handler.context_limit not in {None, DEFAULT_CONTEXT_LIMIT}:
        values["additionalContextLimit"] = handler.context_limit
    return values
