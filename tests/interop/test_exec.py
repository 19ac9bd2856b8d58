"""``codex exec`` beside the real 0.118.0 on the same scripted conversations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from interop.clients import OURS, REAL_118, Codex, Stage
from interop.compare import Both, Side
from interop.conftest import need

if TYPE_CHECKING:
    from pathlib import Path

    from codex_testkit.servers.responses import ResponsesServer

ADD = "*** Begin Patch\n*** Add File: n.txt\n+a\n*** End Patch"
UPDATE = "*** Begin Patch\n*** Update File: old.txt\n@@\n-one\n+ONE\n two\n*** End Patch"
MOVE = "*** Begin Patch\n*** Update File: old.txt\n*** Move to: new.txt\n@@\n-one\n+ONE\n*** End Patch"
DELETE = "*** Begin Patch\n*** Delete File: old.txt\n*** End Patch"
BAD = "*** Begin Patch\n*** Update File: missing.txt\n@@\n-a\n+b\n*** End Patch"
OLD = {"old.txt": "one\ntwo\n"}

CONVERSATIONS: dict[str, list[list[dict[str, Any]]]] = {
    "text": [[{"say": "hello there"}]],
    "reasoning and phases": [
        [{"reason": "**Look**\n\nthinking"}, {"say": "looking", "phase": "commentary"}, {"sh": "echo hi"}],
        [{"say": "final words", "phase": "final_answer"}],
    ],
    "failing command": [[{"sh": "sleep 0.2; echo hi; sleep 0.2; echo e >&2; exit 3"}], [{"say": "x"}]],
    "command without output": [[{"sh": "true"}], [{"say": "x"}]],
    "quoted command": [[{"sh": "echo 'a b' \"$HOME\" | wc -l"}], [{"say": "x"}]],
    "missing program": [[{"sh": "nowhere-at-all"}], [{"say": "x"}]],
    "patch adds": [[{"patch": ADD}], [{"say": "x"}]],
    "patch updates": [[{"patch": UPDATE}], [{"say": "x"}]],
    "patch moves": [[{"patch": MOVE}], [{"say": "x"}]],
    "patch deletes": [[{"patch": DELETE}], [{"say": "x"}]],
    "patch does not fit": [[{"patch": BAD}], [{"say": "x"}]],
    "plan": [
        [{"plan": [["a", "completed"], ["b", "in_progress"]]}],
        [{"plan": [["a", "completed"], ["b", "completed"]]}],
        [{"say": "x"}],
    ],
    "web search": [[{"web": "w"}, {"say": "x"}]],
    "long command": [
        [{"sh": {"cmd": "sleep 1; echo early; sleep 4; echo late", "yield_time_ms": 3000}}],
        [{"stdin": {"session_id": "$SESSION", "chars": "", "yield_time_ms": 20000}}],
        [{"say": "x"}],
    ],
    "terminal": [
        [{"sh": {"cmd": "read x; echo got $x", "tty": True, "yield_time_ms": 300}}],
        [{"stdin": {"session_id": "$SESSION", "chars": "abc\n", "yield_time_ms": 10000}}],
        [{"say": "x"}],
    ],
    "working directory": [[{"sh": {"cmd": "pwd", "workdir": "/"}}], [{"say": "x"}]],
    "unknown tool": [[{"call": "no_such_tool", "args": {}}], [{"say": "x"}]],
    "arguments are not JSON": [[{"call": "exec_command", "args": "{"}], [{"say": "x"}]],
    "arguments miss a member": [[{"call": "exec_command", "args": {}}], [{"say": "x"}]],
    "unknown session": [[{"stdin": {"session_id": 77, "chars": ""}}], [{"say": "x"}]],
    "no message": [[{"sh": "true"}], [{"reason": "**x**"}]],
    "empty message": [[{"say": ""}]],
    "big output": [[{"sh": "head -c 60001 /dev/zero | tr '\\0' a"}], [{"say": "x"}]],
}
FAILURES: dict[str, list[list[dict[str, Any]]]] = {
    "500": [[{"fail": 500}]],
    "400": [[{"fail": {"status": 400, "message": "that is wrong"}}]],
    "401": [[{"fail": {"status": 401, "message": "who are you"}}]],
    "404": [[{"fail": {"status": 404, "message": "not here"}}]],
    "429": [[{"fail": {"status": 429, "message": "slow"}}]],
    "429 usage limit": [[{"fail": {"status": 429, "type": "usage_limit_reached", "message": "limit"}}]],
    "503": [[{"fail": {"status": 503, "message": "away"}}]],
    "cut": [[{"say": "part"}, {"fail": {"cut": "before_completed"}}]],
    "invalid prompt": [[{"failed": ["invalid_prompt", "nope"]}]],
    "context length": [[{"failed": ["context_length_exceeded", "too long"]}]],
    "quota": [[{"failed": ["insufficient_quota", "pay"]}]],
    "overloaded": [[{"failed": ["server_is_overloaded", "busy"]}]],
    "slow down": [[{"failed": ["slow_down", "busy"]}]],
    "unknown code": [[{"failed": ["strange", "odd"]}]],
    "incomplete": [[{"fail": {"incomplete": "max_output_tokens"}}]],
    "after a command": [[{"sh": "echo hi"}], [{"delay": 0.8}, {"fail": 400}]],
}


@pytest.fixture
def both(folder: Path, server: ResponsesServer) -> Both:
    for codex in (REAL_118, OURS):
        need(codex.path, f"codex {codex.name}")
    return Both(folder, server)


def assert_same_run(real: Side, ours: Side) -> None:
    assert ours.last.status == real.last.status
    assert ours.events() == real.events()


def unhurried(rounds: list[list[dict[str, Any]]]) -> list[list[dict[str, Any]]]:
    """Hold the last answer back where a command ran: the real one tells its end some hundred milliseconds later."""
    ran = any("sh" in step for steps in rounds for step in steps)
    return [*rounds[:-1], [{"delay": 0.8}, *rounds[-1]]] if ran else rounds


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_json_lines_and_what_the_model_is_told_are_the_same(both: Both, name: str) -> None:
    real, ours = both(unhurried(CONVERSATIONS[name]), ["--json", "go"], files=OLD)

    assert_same_run(real, ours)
    assert len(ours.turns) == len(real.turns)
    assert ours.input() == real.input()


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_the_output_for_people_is_the_same(both: Both, name: str) -> None:
    real, ours = both(unhurried(CONVERSATIONS[name]), ["go"], files=OLD)

    assert ours.text(ours.last.stdout) == real.text(real.last.stdout)
    assert ours.text(ours.last.stderr).splitlines() == real.text(real.last.stderr).splitlines()


@pytest.mark.parametrize("name", FAILURES)
def test_failures_are_told_the_same(both: Both, name: str) -> None:
    real, ours = both(FAILURES[name], ["--json", "go"])

    assert_same_run(real, ours)
    assert len(ours.turns) == len(real.turns)


RETRIED: dict[str, list[list[dict[str, Any]]]] = {
    "500 always": [[{"fail": {"status": 500, "always": True}}]],
    "500 once": [[{"fail": 500}], [{"say": "x"}]],
    "429 always": [[{"fail": {"status": 429, "always": True}}]],
    "401 always": [[{"fail": {"status": 401, "message": "who", "always": True}}]],
    "404 always": [[{"fail": {"status": 404, "message": "where", "always": True}}]],
    "400 always": [[{"fail": {"status": 400, "message": "what", "always": True}}]],
    "cut always": [[{"say": "part"}, {"fail": {"cut": "before_completed", "always": True}}]],
    "cut once": [[{"say": "part"}, {"cut": True}], [{"say": "x"}]],
    "cut after a call": [[{"sh": "echo hi"}, {"cut": True}], [{"say": "x"}]],
    "broken once": [[{"say": "part"}, {"fail": {"cut": "abrupt"}}], [{"say": "x"}]],
    "silence once": [[{"say": "part"}, {"fail": {"cut": "silence"}}], [{"say": "x"}]],
    "rate limit": [
        [{"failed": ["rate_limit_exceeded", "Rate limit reached. Please try again in 0.3s."]}],
        [{"say": "x"}],
    ],
    "context length": [[{"fail": {"code": "context_length_exceeded", "message": "m", "always": True}}]],
    "quota": [[{"fail": {"code": "insufficient_quota", "message": "m", "always": True}}]],
    "overloaded": [[{"fail": {"code": "server_is_overloaded", "message": "m", "always": True}}]],
    "unknown code": [[{"fail": {"code": "strange", "message": "m", "always": True}}]],
}


@pytest.mark.parametrize("name", RETRIED)
def test_requests_are_repeated_the_same(both: Both, name: str) -> None:
    provider = "request_max_retries = 1\nstream_max_retries = 2\nstream_idle_timeout_ms = 700\n"
    real, ours = both(RETRIED[name], ["--json", "go"], provider=provider)

    assert len(ours.turns) == len(real.turns)
    assert_same_run(real, ours)
    assert ours.input() == real.input()


def test_a_limit_with_a_time_is_waited_for(codex: Codex, stage: Stage, server: ResponsesServer) -> None:
    stage.set_up(codex)
    server.play([[{"fail": {"status": 429, "retry_after": 1}}], [{"say": "x"}]])

    outcome = stage.exec(codex, "go")

    first, second = server.turns
    assert second.at - first.at > 0.9
    assert outcome.status == 0


@pytest.mark.parametrize("name", ["400", "cut"])
def test_failures_are_told_to_people_the_same(both: Both, name: str) -> None:
    real, ours = both(FAILURES[name], ["go"])

    assert ours.last.stdout == real.last.stdout
    assert ours.text(ours.last.stderr).splitlines() == real.text(real.last.stderr).splitlines()


def test_files_end_up_the_same(both: Both) -> None:
    rounds: list[list[dict[str, Any]]] = [[{"patch": ADD}], [{"patch": MOVE}], [{"say": "x"}]]
    real, ours = both(rounds, ["--json", "go"], files=OLD)

    left = [
        {path.name: path.read_text() for path in side.stage.ws.iterdir() if path.is_file()} for side in (real, ours)
    ]
    assert left[0] == left[1] == {"n.txt": "a\n", "new.txt": "ONE\ntwo\n"}


@pytest.mark.parametrize(
    "again",
    [
        ["--json", "resume", "$THREAD", "second"],
        ["--json", "resume", "--last", "second"],
        ["resume", "$THREAD", "second"],
    ],
    ids=["by id", "last", "for people"],
)
def test_a_resumed_thread_goes_on_the_same(both: Both, again: list[str]) -> None:
    rounds: list[list[dict[str, Any]]] = [[{"sh": "echo hi"}], [{"say": "one"}], [{"say": "two"}]]
    real, ours = both(rounds, ["--json", "first"], again)

    assert ours.last.status == real.last.status == 0
    assert ours.text(ours.last.stdout) == real.text(real.last.stdout)
    assert ours.text(ours.last.stderr).splitlines() == real.text(real.last.stderr).splitlines()
    assert ours.input() == real.input()


@pytest.mark.parametrize(
    ("args", "stdin"),
    [
        (["--json"], b"from stdin\n"),
        (["--json", "-"], b"from stdin"),
        (["--json", "the arg"], b"more text\n"),
        (["--json", "the arg"], b""),
        (["--json"], b""),
        (["--json"], b"  \n"),
        (["--json", "the arg"], b"bad \xff byte"),
        (["--json"], b"bad \xff byte"),
        (["--json", "resume", "00000000-0000-7000-8000-000000000000", "x"], b""),
        (["--json", "-C", "/nowhere/at/all", "x"], b""),
        (["--json", "--output-schema", "$WS/none.json", "x"], b""),
        (["--json", "--output-schema", "$WS/old.txt", "x"], b""),
        (["--nope", "x"], b""),
        (["--color", "sometimes", "x"], b""),
        (["-c", 'approval_policy="bogus"', "x"], b""),
        (["--json", "--experimental-json", "hi"], b""),
        (["--ephemeral", "--json", "hi"], b""),
        (["--color", "always", "hi"], b""),
        (["-o", "$WS/last.txt", "hi"], b""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)  # fmt: skip
def test_prompts_and_options_have_the_same_effect(both: Both, args: list[str], stdin: bytes) -> None:
    real, ours = both(None, args, stdin=stdin, files=OLD)

    assert ours.last.status == real.last.status
    assert ours.text(ours.last.stdout) == real.text(real.last.stdout)
    assert len(ours.turns) == len(real.turns)
    if real.turns:
        assert ours.input() == real.input()
    real_files, our_files = (sorted(path.name for path in side.stage.ws.iterdir()) for side in (real, ours))
    assert our_files == real_files


@pytest.mark.parametrize("stdin", [b"", b"  \n"], ids=["empty", "blank"])
def test_no_prompt_is_told_the_same(both: Both, stdin: bytes) -> None:
    real, ours = both(None, ["--json"], stdin=stdin)

    assert ours.last.stderr == real.last.stderr


def test_an_output_schema_is_sent_the_same(both: Both) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    real, ours = both(
        [[{"say": '{"a": 1}'}]], ["--json", "--output-schema", "$WS/s.json", "x"], files={"s.json": json.dumps(schema)}
    )

    assert_same_run(real, ours)
    assert ours.turns[0].body["text"] == real.turns[0].body["text"]


def test_a_request_has_the_members_and_headers_of_the_real_one(both: Both) -> None:
    real, ours = both([[{"say": "x"}]], ["--json", "go"])

    [theirs], [mine] = real.turns, ours.turns
    left_out = {"instructions", "input", "tools", "prompt_cache_key"}
    assert {key: value for key, value in mine.body.items() if key not in left_out} == {
        key: value for key, value in theirs.body.items() if key not in left_out
    }
    assert set(theirs.headers) - set(mine.headers) == set()
    metadata = [json.loads(one.headers["x-codex-turn-metadata"]) for one in (theirs, mine)]
    assert set(metadata[1]) >= {"session_id", "turn_id", "sandbox"}
    assert metadata[1]["sandbox"] == metadata[0]["sandbox"]
    roles = [[item["role"] for item in one.body["input"]] for one in (theirs, mine)]
    assert roles[1] == roles[0]


def test_the_tools_have_the_parameters_of_the_real_ones(both: Both) -> None:
    real, ours = both([[{"say": "x"}]], ["--json", "go"])

    theirs, mine = (
        {tool["name"]: tool for tool in side.turns[0].body["tools"] if "name" in tool} for side in (real, ours)
    )
    wanted = {"exec_command", "write_stdin", "update_plan", "apply_patch", "view_image"}
    assert wanted <= set(mine)
    for name in wanted & set(theirs):
        assert _shape(mine[name]) == _shape(theirs[name]), name


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        texts = {key for key, one in value.items() if key in {"description", "definition"} and isinstance(one, str)}
        return {key: _shape(one) for key, one in value.items() if key not in texts}
    if isinstance(value, list):
        return [_shape(one) for one in value]
    return value


def test_a_directory_that_is_no_repository_is_refused_the_same(both: Both, server: ResponsesServer) -> None:
    outcomes = []
    for codex in (REAL_118, OURS):
        stage = Stage(both.folder / codex.name, server.url)
        stage.set_up(codex, git=False)
        # the checkout around it is a repository: hide it
        outcomes.append(stage.run(codex, "exec", "hello", GIT_CEILING_DIRECTORIES=str(stage.ws.parent)))

    assert outcomes[1].status == outcomes[0].status
    assert outcomes[1].stdout == outcomes[0].stdout


def test_rollouts_hold_what_those_of_the_real_one_hold(both: Both) -> None:
    rounds: list[list[dict[str, Any]]] = [[{"reason": "**r**"}, {"sh": "echo hi"}], [{"patch": ADD}], [{"say": "x"}]]
    real, ours = both(rounds, ["--json", "go"])

    history, kinds = [], []
    for side in (real, ours):
        [path] = side.stage.home.glob("sessions/*/*/*/*.jsonl")
        found = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        items = [line["payload"] for line in found if line["type"] == "response_item"]
        history.append([(item["type"], item.get("role")) for item in items])
        kinds.append({(line["type"], line["payload"].get("type")) for line in found})
    assert history[1] == history[0]
    assert kinds[1] >= kinds[0]


def test_ours_resumes_a_thread_of_the_real_one_and_the_other_way_round(both: Both, server: ResponsesServer) -> None:
    rounds: list[list[dict[str, Any]]] = [[{"sh": "echo hi"}], [{"say": "one"}]]
    real, ours = both(rounds, ["--json", "first"])
    crossed = []
    for side, codex in ((real, OURS), (ours, REAL_118)):
        [path] = side.stage.home.glob("sessions/*/*/*/*.jsonl")
        server.play([[{"say": "two"}]])
        outcome = side.stage.exec(codex, "second", "resume", path.stem[-36:])
        crossed.append((outcome.status, Side(side.stage, [outcome], list(server.turns)).input()))

    assert [status for status, _input in crossed] == [0, 0]
    spoken = [[item for item in found if item.get("role") != "developer"] for _status, found in crossed]
    assert spoken[0] == spoken[1]
