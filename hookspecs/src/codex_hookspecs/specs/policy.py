"""Company rules, which take precedence over those of the user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.markers import choose

if TYPE_CHECKING:
    from codex_hookspecs.ports.host import Host
    from codex_hookspecs.types.policy import PolicyDecision, PolicyRequest


@choose(by="request", timeout=10.0, on_error="ask", refuses=True)
def command_policy(request: PolicyRequest, host: Host) -> PolicyDecision | None:
    """Decide whether a command may run or a patch may be applied, before rules files and approval policy.

    :param request: the command or the patch, with its sandbox policy.
    :param host: the running program.
    :return: ``allow`` runs it without approval, ``ask`` requires approval (by ``permission_request`` hooks, then the
        user), ``deny`` refuses it with a reason for the model. ``None``: no opinion.

    The first answer is used; rules files, known commands and the approval policy are consulted only without one. An
    implementation runs in a worker thread, so it may block on files or servers, but must not use objects of the event
    loop; it is called concurrently for parallel commands. After a failure, a timeout or an invalid answer the others
    are still called, but the user is asked even if they allow; if no client can be asked, the call is refused, unless
    ``hooks.fail_open`` names the hook.

    Example::

        from codex_hookspecs import PolicyDecision, hookimpl

        @hookimpl
        def command_policy(request):
            if any(words[:2] == ("git", "push") for words in request.commands or ()):
                return PolicyDecision.deny("Changes go through the merge queue.")
            if any("/.github/" in path for path in request.paths):
                return PolicyDecision.ask("This changes what the build server runs.")
    """
