"""Rules of a company that go before those of the user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.markers import choose

if TYPE_CHECKING:
    from codex_hookspecs.ports.host import Host
    from codex_hookspecs.types.policy import PolicyDecision, PolicyRequest


@choose(by="request", timeout=10.0, on_error="ask", refuses=True)
def command_policy(request: PolicyRequest, host: Host) -> PolicyDecision | None:
    """Decide whether a command may run or a patch may be applied, before rules files and approval policy do.

    :param request: the command or the patch, and what holds it.
    :param host: the running program.
    :return: ``allow`` runs it without asking anybody, ``ask`` has the ``permission_request`` hooks and then the person
        asked, ``deny`` refuses with a reason for the model. ``None``: no opinion.

    The first answer wins; rules files, the list of known commands and the approval policy are asked only when there is
    none. It runs in a thread of its own, so it may wait for a file or a server, but must not touch what belongs to the
    event loop; commands that run side by side are asked about side by side. After a failure, a time-out or a wrong
    answer the others are still asked; a person decides whatever they allow, and where nobody can be asked it is
    refused, unless ``hooks.fail_open`` names the hook.

    Example::

        from codex_hookspecs import PolicyDecision, hookimpl

        @hookimpl
        def command_policy(request):
            if any(words[:2] == ("git", "push") for words in request.commands or ()):
                return PolicyDecision.deny("Changes go through the merge queue.")
            if any("/.github/" in path for path in request.paths):
                return PolicyDecision.ask("This changes what the build server runs.")
    """
