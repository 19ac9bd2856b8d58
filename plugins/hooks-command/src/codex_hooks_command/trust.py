"""Trust of handlers: keys, hashes, and which handlers need a review (format of Codex 0.169)."""

from __future__ import annotations

import json
from typing import Any

from codex_hooks_command.handlers import Handler, HookSource, TrustStatus
from codex_hookspecs import frozen

DEFAULT_CONTEXT_LIMIT = 2_500


@frozen
class Acceptance:
    """The content of ``[hooks.state."<key>"]``."""

    trusted_hash: str | None = None
    enabled: bool | None = None


def key_of(source: HookSource, handler: Handler, *, linked: bool = False) -> str:
    """Return the key under which the handler's acceptance is stored.

    :param linked: return the key of the same handler in the main work tree.
    """
    return f"{source.linked_key if linked else source.key}:{handler.event.spec.snake}:{handler.group}:{handler.index}"


def hash_of(handler: Handler) -> str:
    """Return the hash of everything that a review checks.

    It is computed from the normalized handler, not from the file, so that it is the same for JSON and TOML.
    """
    import hashlib  # needed for hooks of projects and for listings only

    identity: dict[str, Any] = {"event_name": handler.event.spec.snake, "hooks": [_normalize(handler)]}
    if handler.matcher is not None and handler.event.spec.subject is not None:
        identity["matcher"] = handler.matcher
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def trust_status(source: HookSource, handler: Handler, accepted: Acceptance) -> TrustStatus:
    """Return the trust status of a handler.

    Handlers of the system and of the user's own files are trusted because of their location; a bundle is trusted when
    it is installed.
    """
    if source.kind == "system":
        return "managed"
    if source.kind != "project":
        return "trusted"
    if accepted.trusted_hash is None:
        return "untrusted"
    return "trusted" if accepted.trusted_hash == hash_of(handler) else "modified"


def skip_reason(key: str, source: HookSource, accepted: Acceptance, status: TrustStatus, *, bypass: bool) -> str | None:
    """Return why a handler does not run.

    :param bypass: handlers that have not been reviewed run, too.
    :return: the reason with the command that changes it, or ``None`` when the handler runs.
    """
    if source.disabled is not None:
        return source.disabled
    if accepted.enabled is False and source.kind != "system":
        return f"it is switched off (run: codex hooks trust '{key}')"
    if bypass or status in {"managed", "trusted"}:
        return None
    found = "it is not trusted" if status == "untrusted" else "it has changed since it was trusted"
    return f"{found} (look at it with: codex hooks list, then run: codex hooks trust '{key}')"


def _normalize(handler: Handler) -> dict[str, Any]:
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
