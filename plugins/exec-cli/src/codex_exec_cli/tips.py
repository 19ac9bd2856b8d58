"""Say what may have been meant by a command line that is wrong."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from itertools import takewhile
from typing import Final

_IN_FRONT: Final = {
    "-a": "POLICY",
    "--ask-for-approval": "POLICY",
    "--search": "",
    "--no-alt-screen": "",
    "--remote": "ADDR",
    "--remote-auth-token-env": "VAR",
}
"""Options of the program that stand in front of the command, with the placeholders of their values."""


def unknown_option(name: str, value: str | None, rest: Sequence[str], command: str, options: Mapping[str, str]) -> str:
    """Return the tip for an option that the command does not have.

    :param value: the part after ``=``, if any.
    :param rest: the words after it.
    :param command: the sub-command, or empty.
    :param options: the only sub-command that has it, or empty, for each option.
    """
    if name in _IN_FRONT:
        words = [name]
        if _IN_FRONT[name]:
            following = next(iter(rest), "-")
            given = value if value is not None else following
            words.append(_IN_FRONT[name] if given.startswith("-") else shlex.quote(given))
        return f"put it in front of exec: {' '.join(['codex', *words, *_called(command)[1:]])} …"
    if command == "fork" and name == "--last":
        return "name the session by its id or name; codex fork --last shows that of the newest one"
    if options.get(name):
        return f"it is an option of codex exec {options[name]}"
    known = [each for each, owner in options.items() if owner in ("", command)]
    meant = get_close_matches(name, known, 1, 0.7) if name.startswith("--") else []
    return f"a similar argument exists: '{meant[0]}'" if meant else f"to pass '{name}' as a value, use '-- {name}'"


def quoted_prompt(command: str, words: Sequence[str]) -> str:
    """Return the tip for a prompt of several words.

    :param command: the sub-command, or empty.
    :param words: the words that don't belong to options so far, and all words after them.
    """
    plain = list(takewhile(lambda word: not word.startswith("-"), words))
    session = plain[:1] if command in ("resume", "fork") else []
    prompt = shlex.quote(" ".join(plain[len(session) :]))
    return f"to give a prompt of several words, quote it: {' '.join([*_called(command), *session, prompt])}"


def _called(command: str) -> list[str]:
    return ["codex", "exec", command] if command else ["codex", "exec"]
