"""The command that says what rules decide."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from codex_hookspecs.errors import ConfigError
from codex_tool_exec.execpolicy import run

pytestmark = pytest.mark.anyio

RULES = """
prefix_rule(pattern=["git", ["status", "log"]])
prefix_rule(pattern=["git"], decision="prompt", justification="think")
"""
PROMPT = {"prefixRuleMatch": {"matchedPrefix": ["git"], "decision": "prompt", "justification": "think"}}
ALLOW = {"prefixRuleMatch": {"matchedPrefix": ["git", "log"], "decision": "allow"}}


class Host:
    def __init__(self, cwd: Path) -> None:
        self.cwd = str(cwd)


@pytest.fixture
def host(tmp_path: Path) -> Any:
    (tmp_path / "my.rules").write_text(RULES)
    return Host(tmp_path)


@pytest.mark.parametrize(
    ("command", "found"),
    [
        (["git", "log", "-p"], {"matchedRules": [ALLOW, PROMPT], "decision": "prompt"}),
        (["--", "git", "--help"], {"matchedRules": [PROMPT], "decision": "prompt"}),
        (["ls", "--pretty"], {"matchedRules": []}),
        (["/usr/bin/git", "push"], {"matchedRules": []}),
    ],
)
async def test_all_matches_and_the_strictest_decision_are_told(
    host: Any, capsys: pytest.CaptureFixture[str], command: list[str], found: dict[str, Any]
) -> None:
    assert await run(["check", "--rules", "my.rules", *command], host) == 0

    out = capsys.readouterr().out
    assert json.loads(out) == found
    assert out.count("\n") == 1


async def test_paths_count_as_their_programs_on_request(host: Any, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--pretty", "--resolve-host-executables"]

    assert await run(["check", "-r", "my.rules", *options, "/usr/bin/git", "push"], host) == 0

    out = capsys.readouterr().out
    [match] = json.loads(out)["matchedRules"]
    assert match["prefixRuleMatch"]["resolvedProgram"] == "/usr/bin/git"
    assert out.startswith('{\n  "matchedRules": [\n')


@pytest.mark.parametrize("arguments", [[], ["check", "git"], ["check", "-r", "my.rules"], ["frobnicate"]])
async def test_a_wrong_command_line_is_told_with_the_usage(
    host: Any, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert await run(arguments, host) == 2

    assert "usage: codex execpolicy" in capsys.readouterr().err


@pytest.mark.parametrize(("content", "error"), [("x(", "was never closed"), (None, "can't be read: No such file")])
async def test_a_file_that_can_not_be_used_is_one_error(
    host: Any, tmp_path: Path, content: str | None, error: str
) -> None:
    if content is not None:
        (tmp_path / "bad.rules").write_text(content)

    with pytest.raises(ConfigError, match=f"^failed to read policy at .*bad.rules.*{error}"):
        await run(["check", "-r", "bad.rules", "git"], host)
