"""Evaluate company rules through the hook ``command_policy``, which takes precedence over all other rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codex_hookspecs.types.approvals import CommandRequest
    from codex_hookspecs.types.policy import PolicyDecision, PolicyRequest
    from codex_host.session.turn_state import TurnState


async def ask_about_command(turn: TurnState, request: CommandRequest, *, retry: bool = False) -> PolicyDecision | None:
    """Return the decision of the company rules about a command.

    :param retry: whether it is a second run without a sandbox.
    """
    if not turn.thread.hooks.command_policy.enabled(turn.thread):
        return None
    from codex_execpolicy.known_commands import commands_of
    from codex_hookspecs.types.policy import PolicyRequest

    settings = turn.settings
    sandboxed = settings.sandbox.needs_sandbox and not (request.escalated or retry)
    commands = commands_of(request.argv, shell=request.shell)
    return await _ask(
        turn,
        PolicyRequest(
            thread_id=turn.thread.id,
            turn_id=turn.id,
            argv=request.argv,
            commands=None if commands is None else tuple(tuple(word.text for word in words) for words in commands),
            cwd=request.cwd,
            settings=settings,
            sandbox=settings.sandbox if sandboxed else None,
            additional=request.additional,
            retry=retry,
        ),
    )


async def ask_about_patch(
    turn: TurnState, text: str, paths: tuple[str, ...], outside: tuple[str, ...]
) -> PolicyDecision | None:
    """Return the decision of the company rules about a patch.

    :param outside: those of its paths that the sandbox policy does not allow to be written.
    """
    if not turn.thread.hooks.command_policy.enabled(turn.thread):
        return None
    from codex_hookspecs.types.policy import PolicyRequest

    argv, settings = ("apply_patch", text), turn.settings
    return await _ask(
        turn,
        PolicyRequest(
            thread_id=turn.thread.id,
            turn_id=turn.id,
            argv=argv,
            commands=(argv,),
            cwd=settings.cwd,
            settings=settings,
            sandbox=None if settings.sandbox.unrestricted else settings.sandbox,
            paths=paths,
            outside=outside,
        ),
    )


async def _ask(turn: TurnState, request: PolicyRequest) -> PolicyDecision | None:
    thread = turn.thread
    return await thread.hooks.command_policy(request, config=thread.config, warn=thread.warn)
