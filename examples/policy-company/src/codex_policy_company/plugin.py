"""Leave infrastructure to the pipeline, and have people asked about shared files and what can't be told."""

import re

from codex_execpolicy.known_commands import inner_commands
from codex_hookspecs.policy import PolicyDecision, PolicyRequest, hookimpl

PIPELINE = "Infrastructure is changed by the pipeline; open a change request."
SHARED = "Others use these files."
HIDDEN = "Another program may run terraform here."
SESSION = "Nobody is asked about what is typed into it later."
MENTIONED = re.compile(r"(?<![\w.-])terraform(?![\w./-])")
INTERPRETERS = ("bash", "dash", "fish", "ksh", "sh", "zsh", "python", "python3", "node")


@hookimpl
def command_policy(request: PolicyRequest) -> PolicyDecision | None:
    if request.paths:
        return PolicyDecision.ask(SHARED) if any("/shared/" in path for path in request.paths) else None
    commands = [*(request.commands or ()), *inner_commands(request.argv)]
    for words in commands:
        if name_of(words[0]) == "terraform" and "apply" in words:
            return PolicyDecision.deny(PIPELINE)
    elsewhere = request.argv if request.commands is None else [word for words in commands for word in words[1:]]
    if any(MENTIONED.search(word) for word in elsewhere):
        return PolicyDecision.ask(HIDDEN)
    if any(name_of(words[0]) in INTERPRETERS and not has_script(words) for words in commands):
        return PolicyDecision.ask(SESSION)
    return None


def name_of(program: str) -> str:
    """Return the name of a program without its directory."""
    return program.rpartition("/")[2]


def has_script(words: tuple[str, ...] | list[str]) -> bool:
    """Tell whether an interpreter is called with what it is to run: a file, or text behind ``-c`` or ``-e``."""
    return any(not word.startswith("-") for word in words[1:])
