"""Scripts are taken apart as shells do."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from codex_execpolicy.shell.scanner import literal_commands
from codex_execpolicy.shell.words import Word, command_before_here_document, plain_commands, simple_commands

ATOMS = [
    *"ab'\"\\ \t;&|$(){}<>#!*?[]=,`^%-:@+.\r", " ", " ", "\n", "&&", "||", "{}", "-x", "X=1", "if", "then", "fi", "é",
    "$'", "\\\n", " \\\n", "''", '""',
]  # fmt: skip
RECORD = r"""
set -f
PATH=/nonexistent
command_not_found_handle() { printf '%s\0' "$@" >&3; printf '\1\0' >&3; }
while IFS= read -r -d '' script; do
  eval -- "$script" 3>&1 >/dev/null 2>&1 </dev/null
  printf '\2\0'
done
"""


def understood(seed: int) -> dict[str, list[list[str]]]:
    """Return random scripts with the commands found in them, as far as bash tells us of each command."""
    chance = random.Random(seed)
    scripts = {"".join(chance.choices(ATOMS, k=chance.randint(1, 9))) for _ in range(20_000)}
    found = {script: simple_commands(script) for script in scripts}
    return {
        script: commands
        for script, commands in found.items()
        if commands is not None
        and "|" not in script
        # what bash runs itself, and what an open subscript keeps it from running
        and not any(command[0] in ("", ":", ".", "]]") or set(command[0]) & {"[", "%"} for command in commands)
    }


def test_what_is_understood_is_what_bash_runs(tmp_path: Path) -> None:
    expected = understood(11)
    assert len(expected) > 1_000

    done = subprocess.run(
        ["bash", "--norc", "-c", RECORD],
        input=b"".join(script.encode() + b"\0" for script in expected),
        capture_output=True,
        timeout=60,
        check=True,
        cwd=tmp_path,
    )

    assert list(tmp_path.iterdir()) == []
    ran = [
        [[word.decode() for word in command.split(b"\0")[:-1]] for command in record.split(b"\1\0")[:-1]]
        for record in done.stdout.split(b"\2\0")
    ]
    assert [
        (script, commands) for script, commands in zip(expected, ran, strict=False) if expected[script] != commands
    ] == []


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("ls *.py", [Word("ls"), Word("*.py", pattern=True)]),
        ("ls '*'.py", [Word("ls"), Word("*.py", quoted=True)]),
        ("ls ''*", [Word("ls"), Word("*", pattern=True, quoted=True)]),
        ("ls \\*", [Word("ls"), Word("*", quoted=True)]),
        ("find {} ;", [Word("find"), Word("{}")]),
    ],
)
def test_words_tell_what_a_shell_may_put_in_their_place(script: str, words: list[Word]) -> None:
    assert plain_commands(script) == [words]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("cat <<E\nhi\nE\n", ["cat"]),
        ("cat - <<-'E'\n\t$(x)\n\tE", ["cat", "-"]),
        ("cat <<E\n$(x)\nE", None),
        ("cat <<E\n`x`\nE", None),
        ("cat <<E\nhi\nE\nls", None),
        ("cat <<E\nhi\nE\nls\nE", None),
        ("cat <<E\nhi", None),
        ("cat <<E > x\nhi\nE", None),
        ("cat > x <<E\nhi\nE", None),
        ("a; cat <<E\nhi\nE", None),
        ("cat", None),
    ],
)
def test_one_command_with_a_here_document_is_told(script: str, words: list[str] | None) -> None:
    found = command_before_here_document(script)

    assert words == (None if found is None else [word.text for word in found])


@pytest.mark.parametrize(
    ("script", "commands"),
    [
        ("a b; (c d) && { e; } | f", [["a", "b"], ["c", "d"], ["e"], ["f"]]),
        ("if a; then b; else c; fi", [["a"], ["b"], ["c"]]),
        ('x "$(a b)" `c`', [["a", "b"], ["c"], ["x", "", ""]]),
        ("a > b 2>&1 < c d", [["a", "d"]]),
        ("a <<E b\nc\nE\nd", [["a", "b"], ["d"]]),
        ("X=1 a # b", [["a"]]),
        ("a 'b c' \"d e\" f\\ g", [["a", "b c", "d e", "f g"]]),
        ("$'\\x61\\142c' \\\n d", [["abc", "d"]]),
        ("", []),
    ],
)
def test_every_command_that_is_spelled_out_is_found(script: str, commands: list[list[str]]) -> None:
    assert literal_commands(script) == commands
