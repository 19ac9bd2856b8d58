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
        ("python3 -m guard x.py", ["guard.py", "guard/__main__.py", "guard/__init__.py"]),
        ("python3 -m tools.guard", ["tools/guard.py", "tools/guard/__main__.py", "tools/guard/__init__.py"]),
        ("node --require x.js guard.js", ["guard.js"]),
        ("uv run guard.py", []),
        ("uv run python guard.py", ["guard.py"]),
        ("deno run guard.ts", ["guard.ts"]),
        ("bash -c 'python3 guard.py'", ["guard.py"]),
        ("bash -lc ./guard.sh", ["./guard.sh"]),
        ("bash -c", []),
        ("bash guard.sh -c x", ["guard.sh"]),
        ("MODE=1 env -i A=2 timeout 5 sh guard.sh", ["guard.sh"]),
        ("cd sub && python3 a.py | tee >> log.txt; sh b.sh &", ["a.py", "sub/a.py", "b.sh", "sub/b.sh"]),
        ("cd sub; cd further && /opt/guard; ./x", ["/opt/guard", "./x", "sub/./x", "sub/further/./x"]),
        ("python3 a.py\nsh b.sh 2> /tmp/err < in.txt", ["a.py", "b.sh"]),
        ("(. ./setup.sh; source other.sh)", ["./setup.sh", "other.sh"]),
        ('python3 "$(git rev-parse --show-toplevel)/.codex/guard.py"', ["/repo/.codex/guard.py"]),
        ("`git rev-parse --show-toplevel`/guard.sh", ["/repo/guard.sh"]),
        ('"$HOME"/guard.sh; ${TOOLS}/check', ["/home/u/guard.sh", "/opt/tools/check"]),
        ("python3 'with space.py'", ["with space.py"]),
        ("python3 a.py 'not closed", ["a.py"]),
        ("cat data.json | jq .x", []),
        ("", []),
        ("if ! ./a.sh; then { ./b.sh; }; fi", ["./a.sh", "./b.sh"]),
        ("while ./a.sh; do ./b.sh; done", ["./a.sh", "./b.sh"]),
        ('x=`./a.sh`; y=$(sh b.sh); echo "$(./c.sh)"', ["b.sh", "./a.sh", "./c.sh"]),
        ('echo "$(./a.sh "$(./b.sh)")"', ["./b.sh", "./a.sh"]),
        ("eval './a.sh x'", ["./a.sh"]),
        ("ls | xargs -n 1 ./a.sh", ["./a.sh"]),
        ("sh < a.sh", ["a.sh"]),
        ("sh b.sh < a.sh", ["b.sh"]),
        ("bash -e -o pipefail guard.sh", ["guard.sh"]),
        ("${NONE:-.}/a.sh; ${TOOLS:-.}/b", ["./a.sh", "/opt/tools/b"]),
        ('$PWD/a.sh; "$(pwd)"/b.sh', ["./a.sh", "./b.sh"]),
        ("node --require ./x.js guard.js", ["./x.js", "guard.js"]),
        ("eval " * 5000 + "./a.sh", []),
    ],
)
def test_programs_and_scripts_are_found(command: str, found: list[str]) -> None:
    assert list(script_files(command, ENVIRONMENT, "/repo")) == found
