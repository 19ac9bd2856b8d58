"""What a patch needs follows from the approval policy and from where it writes."""

from __future__ import annotations

from typing import Any

import pytest

from codex_hookspecs import PolicyDecision, SandboxPolicy, ThreadSettings
from codex_host.approvals.decisions import decide_patch


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
