"""Leave infrastructure to the pipeline, and have people asked about shared files."""

from codex_hookspecs.policy import PolicyDecision, PolicyRequest, hookimpl

PIPELINE = "Infrastructure is changed by the pipeline; open a change request."
SHARED = "Others use these files."


@hookimpl
def command_policy(request: PolicyRequest) -> PolicyDecision | None:
    for words in request.commands or ():
        if words[0] == "terraform" and "apply" in words:
            return PolicyDecision.deny(PIPELINE)
    if any("/shared/" in path for path in request.paths):
        return PolicyDecision.ask(SHARED)
    return None
