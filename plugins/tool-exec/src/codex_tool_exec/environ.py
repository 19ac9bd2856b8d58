"""The environment variables that are set for every command."""

from __future__ import annotations

_OVERLAY = {
    "NO_COLOR": "1",
    "TERM": "dumb",
    "LANG": "C.UTF-8",
    "LC_CTYPE": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "COLORTERM": "",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "GH_PAGER": "cat",
    "CODEX_CI": "1",
}


def fixed_variables(thread_id: str) -> dict[str, str]:
    """Return the variables that are set for every command, in addition to those that the policy allows."""
    return {"CODEX_THREAD_ID": thread_id, **_OVERLAY}
