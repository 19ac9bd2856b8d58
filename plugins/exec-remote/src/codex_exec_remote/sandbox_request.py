"""The ``sandbox`` parameter of ``process/start``: the policy that the server is to enforce."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_sandboxing.exec_server_form import write_context

if TYPE_CHECKING:
    from codex_hookspecs.environments import ExecParams
    from codex_hookspecs.protocol import JsonObject


def sandbox_request(params: ExecParams) -> JsonObject | None:
    """Encode the sandbox policy of a process, ``None`` when it needs no sandbox."""
    if params.sandbox is None or not params.sandbox.needs_sandbox:
        return None
    return write_context(params.sandbox, params.sandbox_cwd or params.cwd, params.additional)
