"""``codex archive`` and ``codex unarchive``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from codex_hookspecs.errors import CodexError, RpcError
from codex_hookspecs.protocol import ThreadArchiveParams, ThreadUnarchiveParams
from codex_hookspecs.surface import escape_controls, escape_controls_in_line
from codex_threads_cli.finding import connected, program, thread_id_of

if TYPE_CHECKING:
    from codex_hookspecs.surface import SurfaceHost


async def move(sessions: Sequence[str], host: SurfaceHost, *, archived: bool) -> int:
    """Archive sessions, or bring them back; return 1 if one of them could not be moved, else 0.

    :param sessions: ids or names.
    """
    done = "Archived" if archived else "Unarchived"
    status = 0
    async with connected(host) as client:
        for session in dict.fromkeys(sessions):
            try:
                thread_id = await thread_id_of(client, session, program=program(host), archived=not archived)
                if archived:
                    await client.request("thread/archive", ThreadArchiveParams(thread_id=thread_id))
                else:
                    await client.request("thread/unarchive", ThreadUnarchiveParams(thread_id=thread_id))
            except CodexError as error:
                print(f"Error: {escape_controls(_explain(error, session, archived=archived))}", file=sys.stderr)
                status = 1
                continue
            name = "" if thread_id == session.lower() else f" ({session})"
            print(escape_controls_in_line(f"{done} session {thread_id}{name}."))
    return status


def _explain(error: CodexError, session: str, *, archived: bool) -> str:
    if not isinstance(error, RpcError) or "rollout found" not in error.message:
        return str(error)
    if archived:
        return f"there is no session {session}, or it is archived already"
    return f"there is no archived session {session}"
