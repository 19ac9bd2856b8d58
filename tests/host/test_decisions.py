"""What a patch needs follows from the approval policy and from where it writes."""

from __future__ import annotations

from typing import Any

import pytest

from codex_execpolicy.rules.matching import RuleBook
from codex_hookspecs import PolicyDecision, SandboxPolicy, ThreadSettings
from codex_hookspecs.protocol import GranularApprovalPolicy, GranularApprovals
from codex_hookspecs.types.approvals import CommandApproval, CommandRequest
from codex_host.approvals.decisions import decide_command, decide_patch, decide_retry


def settings(approval_policy: Any) -> ThreadSettings:
    return ThreadSettings(
        cwd="/space",
        model="m",
        model_provider="p",
        sandbox=SandboxPolicy("workspaceWrite"),
        approval_policy=approval_policy,
    )


@pytest.mark.parametrize(
    ("approval_policy", "inside", "outside"),
    [
        ("never", "allow", "forbidden"),
        ("on-request", "allow", "ask"),
        ("on-failure", "allow", "ask"),
        ("untrusted", "ask", "ask"),
    ],
)
def test_what_a_patch_needs_depends_on_the_approval_policy(approval_policy: str, inside: str, outside: str) -> None:
    assert decide_patch((), settings(approval_policy), None).kind == inside
    assert decide_patch(("/etc/a",), settings(approval_policy), None).kind == outside


@pytest.mark.parametrize("approval_policy", ["never", "on-request", "on-failure", "untrusted"])
@pytest.mark.parametrize("outside", [(), ("/etc/a",)])
def test_an_answer_of_the_company_counts_before_the_approval_policy(
    approval_policy: str, outside: tuple[str, ...]
) -> None:
    asked = "forbidden" if approval_policy == "never" else "ask"

    assert decide_patch(outside, settings(approval_policy), PolicyDecision.allow()).kind == "allow"
    assert decide_patch(outside, settings(approval_policy), PolicyDecision.deny("no")).kind == "forbidden"
    assert decide_patch(outside, settings(approval_policy), PolicyDecision.ask("sure?")).kind == asked


def test_a_run_that_failed_in_its_sandbox_is_asked_about_in_its_own_words() -> None:
    assert decide_patch(("/etc/a",), settings("on-failure"), None).reason == "command failed; retry without sandbox?"
    assert decide_patch(("/etc/a",), settings("on-request"), None).reason is None


def granular(**refused: bool) -> ThreadSettings:
    given = {"sandbox_approval": True, "rules": True, "mcp_elicitations": True, **refused}
    return settings(GranularApprovalPolicy(GranularApprovals(**given)))


@pytest.mark.parametrize(("asked", "outside"), [(True, "ask"), (False, "forbidden")])
def test_a_granular_policy_asks_about_patches_outside_or_refuses_them(asked: bool, outside: str) -> None:
    policy = granular(sandbox_approval=asked)

    assert decide_patch((), policy, None).kind == "allow"
    assert decide_patch(("/etc/a",), policy, None).kind == outside


def test_what_the_company_asks_about_counts_as_a_rule() -> None:
    request = CommandRequest(item_id="i", command="make", argv=("make",), cwd="/space")
    sure = PolicyDecision.ask("sure?")

    assert decide_patch((), granular(sandbox_approval=False), sure).kind == "ask"
    refused = decide_command(request, granular(rules=False), RuleBook(), sure)
    assert (refused.kind, str(refused.reason).endswith("Granular.rules is false: sure?")) == ("forbidden", True)


def test_a_second_run_without_sandbox_needs_its_category() -> None:
    request = CommandRequest(item_id="i", command="make", argv=("make",), cwd="/space")
    approval = CommandApproval(retry="ask")

    assert decide_retry(request, granular(), approval, None).kind == "ask"
    assert decide_retry(request, granular(sandbox_approval=False), approval, None).kind == "forbidden"
