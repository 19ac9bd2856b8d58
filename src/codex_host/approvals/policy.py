"""Show commands and patches to the company's own rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_execpolicy.known_commands import commands_of
from codex_hookspecs.types.policy import PolicyRequest

if TYPE_CHECKING:
    from codex_hookspecs.types.approvals import CommandRequest
    from codex_hookspecs.types.threads import ThreadSettings


def command_for_policy(
    thread_id: str, turn_id: str, settings: ThreadSettings, request: CommandRequest, *, retry: bool
) -> PolicyRequest:
    """Return what the company's rules see of a command.

    :param retry: it is to run again, without its sandbox.
    """
    sandboxed = settings.sandbox.needs_sandbox and not (request.escalated or retry)
    commands = commands_of(request.argv, shell=request.shell)
    return PolicyRequest(
        thread_id=thread_id,
        turn_id=turn_id,
        argv=request.argv,
        commands=None if commands is None else tuple(tuple(word.text for word in words) for words in commands),
        cwd=request.cwd,
        settings=settings,
        sandbox=settings.sandbox if sandboxed else None,
        additional=request.additional,
        retry=retry,
    )


def patch_for_policy(
    thread_id: str,
    turn_id: str,
    settings: ThreadSettings,
    text: str,
    *,
    paths: tuple[str, ...],
    outside: tuple[str, ...],
) -> PolicyRequest:
    """Return what the company's rules see of a patch.

    :param outside: those of its paths that the sandbox policy does not let be written.
    """
    argv = ("apply_patch", text)
    return PolicyRequest(
        thread_id=thread_id,
        turn_id=turn_id,
        argv=argv,
        commands=(argv,),
        cwd=settings.cwd,
        settings=settings,
        sandbox=None if settings.sandbox.unrestricted else settings.sandbox,
        paths=paths,
        outside=outside,
    )
