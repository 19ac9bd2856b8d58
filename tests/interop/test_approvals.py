"""What clients are asked about commands, by the real app-server and ours, under every approval policy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from interop.app_server import AppServer
from interop.clients import OURS, REAL_118, REAL_169, Codex, Stage
from interop.conftest import need

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from codex_testkit.servers.responses import ResponsesServer
    from interop.exec_server import Server

COMMAND = "item/commandExecution/requestApproval"
PATCH = "item/fileChange/requestApproval"
RULES = """
prefix_rule(pattern=["touch", ["a1", "a2"]], decision="allow")
prefix_rule(pattern=["mkdir"], decision="prompt", justification="think first")
prefix_rule(pattern=["rmdir"], decision="forbidden", justification="use trash")
"""


@frozen
class Turn:
    """What a client and the model saw of one turn.

    :param overlooked: commands that 0.118 has neither asked about nor run again, although its sandbox held them back:
        it looks for that only while a command is younger than 150 ms, and on a busy machine they fail later.
    """

    messages: list[dict[str, Any]]
    outputs: dict[str, str]
    rules: str
    overlooked: frozenset[str]

    @property
    def questions(self) -> list[tuple[Any, ...]]:
        """Item, reason and offered rule of each question, in order."""
        asked = [message["params"] for message in self.messages if message.get("method") in (COMMAND, PATCH)]
        return [(each["itemId"], each.get("reason"), each.get("proposedExecpolicyAmendment")) for each in asked]

    def expected(self, asked: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Leave out of the questions of a policy those about running again what was overlooked."""
        return [each for each in asked if each[1] != RETRY or each[0] not in self.overlooked]

    @property
    def ends(self) -> dict[str, str]:
        """How the items of commands and patches ended."""
        ended = [message["params"]["item"] for message in self.messages if message.get("method") == "item/completed"]
        return {item["id"]: item["status"] for item in ended if item["type"] in ("commandExecution", "fileChange")}


@pytest.fixture(params=[REAL_118, OURS], ids=lambda codex: codex.name)
def codex(request: pytest.FixtureRequest) -> Codex:
    chosen: Codex = request.param
    need(chosen.path, f"codex {chosen.name}")
    return chosen


@pytest.fixture
def play(codex: Codex, stage: Stage, server: ResponsesServer) -> Callable[..., Turn]:
    """Run one turn of the program that the case is about."""
    return lambda *args, **options: turn_of(codex, stage, server, *args, **options)


def turn_of(
    codex: Codex,
    stage: Stage,
    server: ResponsesServer,
    calls: list[dict[str, Any]],
    policy: Any,
    decision: Any,
    *,
    sandbox: str = "workspace-write",
    rules: str = "",
    config: str = "",
) -> Turn:
    """Run one turn of calls, one in each round, with a client that decides."""
    stage.set_up(codex, config)
    (stage.folder / "outside").mkdir()
    if rules:
        (stage.home / "rules").mkdir()
        (stage.home / "rules" / "my.rules").write_text(rules)
    server.play([[call] for call in calls])
    decide = decision if callable(decision) else lambda params: {"decision": decision}
    with AppServer(codex, stage, approve={COMMAND: decide, PATCH: decide}) as client:
        thread = client.start(sandbox=sandbox, approvalPolicy=policy)
        messages = client.turn(thread)
    items = server.turns[-1].body["input"]
    outputs = {item["call_id"]: item["output"] for item in items if item["type"].endswith("_call_output")}
    kept = stage.home / "rules" / "default.rules"
    denied = (name for name, output in outputs.items() if "SandboxDenied" in output)
    overlooked = frozenset(denied if codex is REAL_118 and policy in ("untrusted", "on-failure") else ())
    return Turn(messages, outputs, kept.read_text() if kept.exists() else "", overlooked)


def sh(name: str, cmd: str, **options: Any) -> dict[str, Any]:
    return {"sh": {"cmd": cmd, "login": False, **options}, "call_id": name}


def outside(stage: Stage) -> Path:
    return stage.folder / "outside" / "x"


def calls(stage: Stage) -> list[dict[str, Any]]:
    return [
        sh("safe", "ls && pwd | wc -l"),
        sh("write", "touch ok"),
        sh("denied", f"touch {outside(stage)}"),
        sh("late", f"ls; touch {outside(stage)}-2"),
        sh("danger", "rm -rf zzz"),
        sh("redirected", f"echo hi > {outside(stage)}-3"),
    ]


RETRY = "command failed; retry without sandbox?"


def untrusted(there: str) -> list[tuple[Any, ...]]:
    return [
        ("write", None, ["touch", "ok"]),
        ("denied", None, ["touch", there]),
        ("late", None, ["touch", f"{there}-2"]),
        ("danger", None, ["rm", "-rf", "zzz"]),
        ("redirected", None, ["/bin/bash", "-c", f"echo hi > {there}-3"]),
    ]


def on_failure(there: str) -> list[tuple[Any, ...]]:
    return [
        ("denied", RETRY, ["touch", there]),
        ("late", RETRY, ["ls"]),
        ("danger", None, ["rm", "-rf", "zzz"]),
        ("redirected", RETRY, ["/bin/bash", "-c", f"echo hi > {there}-3"]),
    ]


ASKED = {
    "untrusted": untrusted,
    "on-failure": on_failure,
    "on-request": lambda there: [("danger", None, ["rm", "-rf", "zzz"])],
    "never": lambda there: [],
}


@pytest.mark.parametrize("policy", ASKED)
def test_each_policy_asks_about_the_same_commands(play: Any, stage: Stage, policy: str) -> None:
    turn = play(calls(stage), policy, "decline")

    assert turn.questions == turn.expected(ASKED[policy](str(outside(stage))))
    assert {turn.ends[item] for item, *_ in turn.questions} <= {"declined"}
    assert not list((stage.folder / "outside").iterdir())


@pytest.mark.parametrize("policy", ["untrusted", "on-failure"])
def test_what_the_sandbox_held_back_runs_without_it_after_one_question(play: Any, stage: Stage, policy: str) -> None:
    turn = play(calls(stage), policy, "accept")

    assert turn.questions == turn.expected(ASKED[policy](str(outside(stage))))
    assert {end for item, end in turn.ends.items() if item not in turn.overlooked} == {"completed"}
    assert len(list((stage.folder / "outside").iterdir())) == 3 - len(turn.overlooked)
    for item, output in turn.outputs.items():
        assert item in turn.overlooked or "Process exited with code 0\n" in output


@pytest.mark.parametrize("policy", ["on-request", "never"])
def test_elsewhere_the_model_is_told_what_the_sandbox_held_back(play: Any, stage: Stage, policy: str) -> None:
    turn = play(calls(stage), policy, "accept")

    assert "Read-only file system" in turn.outputs["denied"]
    assert turn.outputs["denied"].startswith("exec_command failed for `/bin/bash -c 'touch ")
    assert ("rejected: blocked by policy" in turn.outputs["danger"]) is (policy == "never")


def test_cancelling_ends_the_turn(play: Any, stage: Stage) -> None:
    turn = play(calls(stage), "on-failure", "cancel")

    assert turn.questions == turn.expected(ASKED["on-failure"](str(outside(stage))))[:1]
    assert turn.messages[-1]["params"]["turn"]["status"] == "interrupted"
    assert turn.ends[turn.questions[0][0]] == "declined"


@pytest.mark.parametrize("policy", ["on-request", "never"])
def test_rules_files_decide_first(play: Any, policy: str) -> None:
    wanted = [
        sh("allowed", "touch a1"),
        sh("unknown", "touch a3"),
        sh("asked", "touch a1; mkdir q"),
        sh("forbidden", "rmdir q"),
        sh("path", "/bin/rmdir q"),
        sh("hidden", "rmdir q <<E\nx\nE"),
    ]

    turn = play(wanted, policy, "accept", rules=RULES)

    line = "/bin/bash -c 'touch a1; mkdir q'"
    asks = [("asked", f"`{line}` requires approval: think first", None)]
    assert turn.questions == (asks if policy == "on-request" else [])
    assert "rejected: use trash" in turn.outputs["forbidden"]
    assert "rejected: use trash" in turn.outputs["path"]
    assert "rejected: use trash" in turn.outputs["hidden"]
    if policy == "never":
        assert "approval required by policy, but AskForApproval is set to Never" in turn.outputs["asked"]


def test_an_accepted_rule_is_kept_and_holds_from_then_on(play: Any, stage: Stage) -> None:
    def amend(params: dict[str, Any]) -> dict[str, Any]:
        words = params["proposedExecpolicyAmendment"]
        return {"decision": {"acceptWithExecpolicyAmendment": {"execpolicy_amendment": words}}}

    wanted = [
        sh("first", "touch a1"),
        sh("longer", "touch a1 a2"),
        sh("other", "touch b"),
        sh("quoted", "touch 'it is \"b\"'"),
        sh("free", f"touch a1 {outside(stage)}"),
    ]

    turn = play(wanted, "untrusted", amend)

    assert [item for item, *_ in turn.questions] == ["first", "other", "quoted"]
    assert turn.rules == "".join(
        f'prefix_rule(pattern={json.dumps(words)}, decision="allow")\n'
        for words in (["touch", "a1"], ["touch", "b"], ["touch", 'it is "b"'])
    )
    assert outside(stage).exists()


def test_acceptance_for_the_session_is_for_command_directory_and_terminal(play: Any) -> None:
    wanted = [
        sh("first", "touch a1"),
        sh("again", "touch a1"),
        sh("spaced", "touch  a1"),
        sh("login", "touch a1", login=True),
        sh("elsewhere", "touch a1", workdir="/tmp"),
        sh("terminal", "touch a1", tty=True),
    ]

    turn = play(wanted, "untrusted", "acceptForSession")

    assert [item for item, *_ in turn.questions] == ["first", "elsewhere", "terminal"]


def test_more_permissions_are_asked_for_with_the_model_s_question_and_rule(play: Any, stage: Stage) -> None:
    more = {"sandbox_permissions": "require_escalated", "justification": "May I?"}
    wanted = [
        sh("one", f"touch {outside(stage)}", prefix_rule=["touch"], **more),
        sh("anything", "python3 -c 1", prefix_rule=["python3"], **more),
        sh("several", f"mkdir {outside(stage)}-2 && rmdir q", prefix_rule=["mkdir"], **more),
    ]

    turn = play(wanted, "on-request", "accept")

    assert turn.questions == [
        ("one", "May I?", ["touch"]),
        ("anything", "May I?", ["python3", "-c", "1"]),
        ("several", "May I?", ["mkdir", f"{outside(stage)}-2"]),
    ]
    assert outside(stage).exists()


@pytest.mark.parametrize(
    ("policy", "sandbox", "asked"),
    [
        ("untrusted", "danger-full-access", ["inside", "outside"]),
        ("on-request", "workspace-write", ["outside"]),
        ("on-request", "read-only", ["inside", "outside"]),
        ("never", "workspace-write", []),
    ],
)
def test_patches_are_asked_about_where_they_leave_the_workspace(
    play: Any, stage: Stage, policy: str, sandbox: str, asked: list[str]
) -> None:
    wanted = [
        {"patch": f"*** Begin Patch\n*** Add File: {path}\n+x\n*** End Patch", "call_id": name}
        for name, path in (("inside", "new"), ("outside", outside(stage)))
    ]

    turn = play(wanted, policy, "accept", sandbox=sandbox)

    assert turn.questions == [(name, None, None) for name in asked]
    assert outside(stage).exists() is ("outside" in asked)


def granular(**refused: bool) -> dict[str, Any]:
    names = ("sandbox_approval", "rules", "skill_approval", "request_permissions", "mcp_elicitations")
    return {"granular": dict.fromkeys(names, True) | refused}


@pytest.mark.parametrize("release", [REAL_118, REAL_169, OURS], ids=lambda codex: codex.name)
@pytest.mark.parametrize(
    ("policy", "asked"),
    [
        (granular(), ["danger", "ruled", "more", "outside"]),
        (granular(sandbox_approval=False), ["ruled"]),
        (granular(rules=False), ["danger", "more", "outside"]),
        (granular(sandbox_approval=False, rules=False), []),
    ],
)
def test_granular_policies_ask_about_their_categories_only(
    release: Codex, stage: Stage, server: ResponsesServer, policy: Any, asked: list[str]
) -> None:
    need(release.path, f"codex {release.name}")
    more = {"sandbox_permissions": "require_escalated", "justification": "May I?"}
    wanted = [
        sh("danger", "rm -rf zzz"),
        sh("ruled", "mkdir q"),
        sh("more", f"touch {outside(stage)}-2", **more),
        {"patch": f"*** Begin Patch\n*** Add File: {outside(stage)}\n+x\n*** End Patch", "call_id": "outside"},
    ]

    turn = turn_of(release, stage, server, wanted, policy, "accept", rules=RULES)

    found = [item for item, *_ in turn.questions]
    if release is REAL_118:  # It refuses every request for more under a granular policy.
        assert "you cannot ask for escalated permissions" in turn.outputs["more"]
        asked = [item for item in asked if item != "more"]
    if release is REAL_169 and not policy["granular"]["sandbox_approval"]:  # It still asks about dangerous commands.
        found.remove("danger")
    assert found == asked
    assert outside(stage).exists() is ("outside" in asked)


REMOTE = 'environment = "there"\n[environments.there]\nurl = "{url}"\n'


@pytest.mark.parametrize("policy", ["untrusted", "on-failure"])
def test_another_machine_s_denials_are_asked_about_and_run_again_there(
    served: Server, stage: Stage, server: ResponsesServer, policy: str
) -> None:
    """Our program with a policy that the other side holds."""
    config = REMOTE.format(url=served.url)

    turn = turn_of(OURS, stage, server, calls(stage), policy, "accept", config=config)

    assert turn.questions == ASKED[policy](str(outside(stage)))
    assert set(turn.ends.values()) == {"completed"}
    assert len(list((stage.folder / "outside").iterdir())) == 3


@pytest.mark.parametrize("policy", ["on-failure", "never"])
def test_another_machine_s_denials_leave_nothing_when_nobody_agrees(
    served: Server, stage: Stage, server: ResponsesServer, policy: str
) -> None:
    config = REMOTE.format(url=served.url)

    turn = turn_of(OURS, stage, server, calls(stage), policy, "decline", config=config)

    assert turn.questions == ASKED[policy](str(outside(stage)))
    assert "SandboxDenied" in turn.outputs["denied"]
    assert "Read-only file system" in turn.outputs["denied"]
    assert not list((stage.folder / "outside").iterdir())


def test_more_of_the_sandbox_is_granted_on_another_machine(
    served: Server, stage: Stage, server: ResponsesServer
) -> None:
    config = "features.exec_permission_approvals = true\n" + REMOTE.format(url=served.url)
    more = {"sandbox_permissions": "with_additional_permissions", "justification": "May I?"}
    folder = str(outside(stage).parent)
    wanted = [
        sh("granted", f"touch {outside(stage)}", additional_permissions={"file_system": {"write": [folder]}}, **more),
        sh("other", f"touch {stage.folder}/y", additional_permissions={"file_system": {"write": [folder]}}, **more),
    ]

    turn = turn_of(OURS, stage, server, wanted, "on-request", "accept", config=config)

    assert [item for item, *_ in turn.questions] == ["granted", "other"]
    assert outside(stage).exists()
    assert "SandboxDenied" in turn.outputs["other"]
