from __future__ import annotations

import pytest

from codex_hooks_command.script_files import script_files

ENVIRONMENT = {"HOME": "/home/u", "TOOLS": "/opt/tools"}


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("python3 .codex/hooks/guard.py", [".codex/hooks/guard.py"]),
        ("./guard.sh --strict", ["./guard.sh"]),
        ("/opt/guard", ["/opt/guard"]),
        ("~/bin/guard", ["/home/u/bin/guard"]),
        ("guard", []),
        ("python3.12 -u -W ignore guard.py x.py", ["guard.py"]),
        ("/usr/bin/python3 guard.py", ["/usr/bin/python3", "guard.py"]),
        ("python3 -c 'print(1)' x.py", []),
        ("python3 -m guard x.py", []),
        ("node --require x.js guard.js", ["guard.js"]),
        ("uv run guard.py", []),
        ("uv run python guard.py", ["guard.py"]),
        ("deno run guard.ts", ["guard.ts"]),
        ("bash -c 'python3 guard.py'", ["guard.py"]),
        ("bash -lc ./guard.sh", ["./guard.sh"]),
        ("bash -c", []),
        ("bash guard.sh -c x", ["guard.sh"]),
        ("MODE=1 env -i A=2 timeout 5 sh guard.sh", ["guard.sh"]),
        ("cd sub && python3 a.py | tee >> log.txt; sh b.sh &", ["a.py", "b.sh"]),
        ("python3 a.py\nsh b.sh 2> /tmp/err < in.txt", ["a.py", "b.sh"]),
        ("(. ./setup.sh; source other.sh)", ["./setup.sh", "other.sh"]),
        ('python3 "$(git rev-parse --show-toplevel)/.codex/guard.py"', ["/repo/.codex/guard.py"]),
        ("`git rev-parse --show-toplevel`/guard.sh", ["/repo/guard.sh"]),
        ('"$HOME"/guard.sh; ${TOOLS}/check', ["/home/u/guard.sh", "/opt/tools/check"]),
        ("python3 'with space.py'", ["with space.py"]),
        ("python3 a.py 'not closed", ["a.py"]),
        ("cat data.json | jq .x", []),
        ("", []),
    ],
)
def test_programs_and_scripts_are_found(command: str, found: list[str]) -> None:
    assert list(script_files(command, ENVIRONMENT, "/repo")) == found
