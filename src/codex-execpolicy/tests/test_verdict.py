"""Commands are judged by rules first, then by what they are and what the policies say."""

from __future__ import annotations

import time
from typing import Any

import pytest

from codex_execpolicy.decision import CommandDecision
from codex_execpolicy.rules.matching import RuleBook
from codex_execpolicy.rules.starlark import read_rules
from codex_execpolicy.verdict import evaluate_command
from codex_hookspecs.types.approvals import CommandRequest
from codex_hookspecs.types.sandbox import SandboxPolicy
from codex_hookspecs.types.threads import GranularApprovalPolicy, GranularApprovals, ThreadSettings

RULES = read_rules(
    """
prefix_rule(pattern=["touch", ["a1", "a2"]], decision="allow")
prefix_rule(pattern=["mkdir"], decision="prompt", justification="think first")
prefix_rule(pattern=["ls", "-l"], decision="prompt")
prefix_rule(pattern=["rmdir"], decision="forbidden", justification="use trash")
prefix_rule(pattern=["python3"], decision="forbidden")
""",
    "x.rules",
)
NONE = RuleBook()


def judge(
    script: str, approval: Any = "on-request", sandbox: str = "workspaceWrite", rules: RuleBook = RULES, **options: Any
) -> CommandDecision:
    settings = ThreadSettings(
        cwd="/space",
        model="m",
        model_provider="p",
        sandbox=SandboxPolicy(sandbox),  # type: ignore[arg-type]
        approval_policy=approval,
    )
    given = {"cwd": "/space", "command": script, "argv": ("/bin/bash", "-lc", script), **options}
    return evaluate_command(CommandRequest(item_id="i", **given), settings, rules)


def refusal(*given: Any, **options: Any) -> str:
    decision = judge(*given, **options)
    assert decision.kind in ("forbidden", "no_escalation")
    return decision.message or decision.reason or ""


@pytest.mark.parametrize("approval", ["untrusted", "on-failure", "on-request", "never"])
def test_what_rules_allow_runs_without_sandbox(approval: str) -> None:
    assert judge("touch a1", approval) == CommandDecision("allow", unsandboxed=True)
    assert judge("touch a1 x && touch a2", approval).unsandboxed
    assert not judge("touch a1; ls", approval).unsandboxed


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("mkdir q", "`mkdir q` requires approval: think first"),
        ("touch a1; mkdir q", "`touch a1; mkdir q` requires approval: think first"),
        ("ls -l", "`ls -l` requires approval by policy"),
        ("cd x && /usr/bin/mkdir q", "`cd x && /usr/bin/mkdir q` requires approval: think first"),
    ],
)
def test_what_rules_ask_about_is_asked_with_their_reason_and_no_offer(script: str, reason: str) -> None:
    assert judge(script) == CommandDecision("ask", reason)
    assert refusal(script, "never") == "approval required by policy, but AskForApproval is set to Never"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("rmdir q", "`rmdir q` rejected: use trash"),
        ("touch a1 && python3", "`touch a1 && python3` rejected: policy forbids commands starting with `python3`"),
        ("/usr/bin/python3 x", "`/usr/bin/python3 x` rejected: policy forbids commands starting with `python3`"),
        ("mkdir q; rmdir q", "`mkdir q; rmdir q` rejected: use trash"),
        ("python3 <<E\n1\nE", "`python3 <<E\n1\nE` rejected: policy forbids commands starting with `python3`"),
        ("echo $(python3 -c 1)", "`echo $(python3 -c 1)` rejected: policy forbids commands starting with `python3`"),
        ("if true; then rmdir q; fi", "`if true; then rmdir q; fi` rejected: use trash"),
        ('x="$(rmdir q)"', '`x="$(rmdir q)"` rejected: use trash'),
    ],
)
@pytest.mark.parametrize("approval", ["untrusted", "never"])
def test_what_rules_forbid_is_refused_wherever_it_stands(script: str, reason: str, approval: str) -> None:
    assert refusal(script, approval) == reason
    assert refusal(script, approval, argv=("/tmp/bash", "-c", script), sandbox="dangerFullAccess") == reason


def test_rules_allow_nothing_in_a_script_that_is_not_understood() -> None:
    assert judge("touch a1 > x", "untrusted").kind == "ask"
    assert not judge("touch a1 > x").unsandboxed
    assert not judge("touch a1", argv=("/tmp/bash", "-lc", "touch a1")).unsandboxed


def test_a_here_document_is_no_part_of_the_command() -> None:
    assert judge("touch a1 <<E\nmkdir q\nE") == CommandDecision("allow", unsandboxed=True)
    assert not judge("touch a1 <<E\n$(touch x)\nE").unsandboxed
    assert not judge("touch a1 <<E\nx\nE\ntouch b").unsandboxed
    assert judge("cat <<E\nx\nE", "untrusted", rules=NONE) == CommandDecision("ask")


@pytest.mark.parametrize(
    ("script", "approval", "sandbox", "options", "ask"),
    [
        ("ls", "untrusted", "workspaceWrite", {}, False),
        ("make", "untrusted", "workspaceWrite", {}, True),
        ("make", "untrusted", "dangerFullAccess", {}, True),
        ("git status", "untrusted", "workspaceWrite", {}, False),
        ("git status", "untrusted", "workspaceWrite", {"cwd": "/space/sub"}, True),
        ("cd sub; git status", "untrusted", "workspaceWrite", {}, True),
        ("make", "on-request", "workspaceWrite", {}, False),
        ("make", "on-request", "workspaceWrite", {"escalated": True}, True),
        ("ls", "on-request", "workspaceWrite", {"escalated": True}, True),
        ("touch a1 && ls", "on-request", "workspaceWrite", {"escalated": True}, False),
        ("touch a1 && make", "on-request", "workspaceWrite", {"escalated": True}, True),
        ("make", "on-request", "dangerFullAccess", {"escalated": True}, False),
        ("make", "untrusted", "dangerFullAccess", {"escalated": True}, True),
        ("make", "on-failure", "workspaceWrite", {"escalated": True}, True),
        ("rm -rf x", "on-request", "workspaceWrite", {}, True),
        ("rm -rf x", "on-request", "dangerFullAccess", {}, True),
        ("rm -rf x", "on-failure", "workspaceWrite", {}, True),
        ("(cd y && rm -rf x)", "on-request", "workspaceWrite", {}, True),
        ("rm -rf x", "never", "dangerFullAccess", {}, False),
        ("rm -rf x", "never", "externalSandbox", {}, False),
        ("make", "never", "readOnly", {}, False),
    ],
)
def test_what_no_rule_fits_is_left_to_the_policies(
    script: str, approval: str, sandbox: str, options: dict[str, Any], ask: bool
) -> None:
    assert judge(script, approval, sandbox, **options).kind == ("ask" if ask else "allow")


def test_forced_removal_in_a_sandbox_is_refused_where_nobody_is_asked() -> None:
    assert refusal("rm -rf x", "never") == "`rm -rf x` rejected: blocked by policy"
    assert refusal("ls && rm -f x", "never") == "`ls && rm -f x` rejected: blocked by policy"


def test_more_can_not_be_asked_for_where_nobody_is_asked() -> None:
    assert refusal("ls", "never", escalated=True).startswith("approval policy is Never; reject command")


@pytest.mark.parametrize(
    ("script", "prefix", "amendment"),
    [
        ("make it now", ("make", "it"), ("make", "it")),
        ("make it && ls", ("make",), ("make",)),
        ("make it && install x", ("make",), ("make", "it")),
        ("make it", ("other",), ("make", "it")),
        ("make it", (), ("make", "it")),
        ("make it", None, ("make", "it")),
        ("cd x && make it", None, ("make", "it")),
        ("python4 -c 'print(1)'", ("python",), ("python4", "-c", "print(1)")),
        ("python -c 'print(1)'", ("python",), ("python", "-c", "print(1)")),
        ("python -c 'print(1)'", ("python", "-c"), ("python", "-c", "print(1)")),
        ("bash -lc x", ("bash", "-lc"), ("bash", "-lc", "x")),
        ("/usr/bin/bash -c x", ("/usr/bin/bash",), ("/usr/bin/bash", "-c", "x")),
        ("/opt/bin/python3.12 -c x", ("/opt/bin/python3.12", "-c"), ("/opt/bin/python3.12", "-c", "x")),
        ("python2 run.py", ("python2", "run.py"), ("python2", "run.py")),
        ("touch a1; make it", ("make",), ("make", "it")),  # a rule fits already
        ("make $X", ("make",), ("/bin/bash", "-lc", "make $X")),
        ("make <<E\nx\nE", ("make",), None),
    ],
)
def test_the_offered_rule_is_narrow_and_would_do(
    script: str, prefix: tuple[str, ...] | None, amendment: tuple[str, ...] | None
) -> None:
    verdict = judge(script, "untrusted", prefix_rule=prefix)

    assert (verdict.kind, verdict.amendment) == ("ask", amendment)


def test_a_command_that_runs_has_an_offer_for_later() -> None:
    assert judge("make it; install x", "on-failure", rules=NONE).amendment == ("make", "it")
    assert judge("touch a1; make it", "on-failure").amendment is None


def test_an_empty_command_line_is_asked_about() -> None:
    assert judge("", "untrusted", argv=()).kind == "ask"


LARGE = 120_000
"""Characters, about the most that a shell can be started with."""


@pytest.mark.parametrize(
    "piece",
    [
        "a;", "rm x;", "if ", "a=b ", "$a ", "$(", "<(", "${", "`", '"$(', "eval ", "sudo ", "bash -c '", "'", "\\",
        "find . -exec ", "find . -exec rm x ", "find . -exec sh -c 'find . -exec ", "cat <<A <<B;",
        "cat <<A\n$(x)\nA\n",
        "$'\\x41", "a^", "\n", "#a\n", "\\\n", "echo 'a' \"b\" ",
    ],
)  # fmt: skip
def test_the_largest_command_is_judged_without_long_looking(piece: str) -> None:
    script = (piece * (LARGE // len(piece)))[:LARGE]
    began = time.process_time()

    for asked in (script, f"$(x) {script}"):
        judge(asked, "untrusted")

    assert time.process_time() - began < 10


def test_what_is_nested_too_much_to_be_looked_through_is_asked_about() -> None:
    assert judge("find . " + "-exec find . " * 2_000, "on-request").kind == "ask"


def granular(**refused: bool) -> GranularApprovalPolicy:
    return GranularApprovalPolicy(
        GranularApprovals(**{"sandbox_approval": True, "rules": True, "mcp_elicitations": True, **refused})
    )


@pytest.mark.parametrize(
    ("script", "options"),
    [("rm -rf x", {}), ("touch /etc/x", {"escalated": True}), ("mkdir q", {}), ("ls x", {}), ("rmdir q", {})],
)
@pytest.mark.parametrize("sandbox", ["workspaceWrite", "dangerFullAccess"])
def test_a_granular_policy_asks_as_on_request_does(script: str, options: Any, sandbox: str) -> None:
    assert judge(script, granular(), sandbox, **options) == judge(script, "on-request", sandbox, **options)


@pytest.mark.parametrize("sandbox", ["workspaceWrite", "dangerFullAccess"])
def test_a_granular_policy_refuses_what_it_does_not_ask_about(sandbox: str) -> None:
    no_sandbox, no_rules = granular(sandbox_approval=False), granular(rules=False)

    more = refusal("touch /etc/x", no_sandbox, sandbox, escalated=True)
    assert more.startswith("approval policy is Granular with sandbox_approval: false; reject command")
    dangerous = "approval required by policy, but AskForApproval::Granular.sandbox_approval is false"
    assert refusal("rm -rf x", no_sandbox, sandbox) == dangerous
    ruled = "approval required by policy rule, but AskForApproval::Granular.rules is false"
    assert refusal("mkdir q", no_rules, sandbox) == ruled
    assert judge("mkdir q", no_sandbox, sandbox).kind == judge("rm -rf x", no_rules, sandbox).kind == "ask"
    assert refusal("mkdir q; rm -rf x", no_sandbox, sandbox) == dangerous
    assert refusal("mkdir q; rm -rf x", no_rules, sandbox) == ruled
    assert judge("ls x", granular(sandbox_approval=False, rules=False), sandbox).kind == "allow"
