"""A company's own rules go before those of the user, and a failure of theirs allows nothing."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from codex_hookspecs import PermissionVerdict, PolicyDecision, PolicyRequest, ToolOutput, time_limit
from codex_hookspecs.types.approvals import CommandRequest, PatchApproval, PatchRequest
from codex_hookspecs.types.grants import AdditionalPermissions
from codex_hookspecs.types.items import FileChange
from codex_hookspecs.types.tools import ToolCall
from codex_testkit.memory.environment import MemoryEnvironments

RUN = [{"call": "run", "call_id": "c"}]
SCRIPT = ("/bin/bash", "-lc", "cd sub && git push 'origin'")


class Person:
    """Somebody who is asked and gives the same answer always."""

    def __init__(self, decision: str = "accept") -> None:
        self.decision = decision
        self.asked: list[Any] = []

    async def __call__(self, method: str, params: Any) -> Any:
        self.asked.append(params)
        return {"decision": self.decision}


class Tools:
    """A plugin with a tool that asks for an approval, and what it got."""

    def __init__(self, kit: Any, **options: Any) -> None:
        self.approvals: list[Any] = []
        self._options = options
        machines = [MemoryEnvironments("machine")]
        self.plugin = kit.toolbox(kit.tool("run", self._run), environments=lambda: machines)

    async def _run(self, call: ToolCall, context: Any) -> ToolOutput:
        self.approvals.append(await self._approved(call, context))
        return ToolOutput("ran")

    async def _approved(self, call: ToolCall, context: Any) -> Any:
        options = {"argv": SCRIPT, "cwd": "/space/sub", **self._options}
        retry = options.pop("retry", False)
        request = CommandRequest(item_id="c", command="push", shell="/bin/bash", **options)
        approval = await context.approve_command(call, request)
        if retry:
            await context.approve_retry(call, request, approval)
        return approval


class Patches(Tools):
    async def _approved(self, call: ToolCall, context: Any) -> Any:
        item = FileChange(id="c", changes=(), status="inProgress")
        return await context.approve_patch(call, PatchRequest(item=item, **self._options))


def answering(answer: Any, seen: list[PolicyRequest] | None = None) -> Any:
    def command_policy(request: PolicyRequest) -> Any:
        if seen is not None:
            seen.append(request)
        return answer

    return command_policy


async def turn(host: Any, scripted: Any, person: Person | None, *plugins: Any, **config: Any) -> Any:
    """Run a turn with somebody who answers."""
    settings = {"approval_policy": "on-request", "sandbox_mode": "workspace-write", **config}
    run = host(plugins=list(plugins), model=scripted, config=settings)
    thread = await (await run.opened()).thread()
    thread.set_request_handler(person)
    return await run.turn("go")


async def test_the_rules_see_the_command_and_what_holds_it(host: Any, model: Any, kit: Any) -> None:
    seen: list[PolicyRequest] = []
    more = AdditionalPermissions(network=True)
    plugin = kit.plugin("company", command_policy=answering(PolicyDecision.allow(), seen))

    outcome = await turn(host, model(RUN, "done"), None, Tools(kit, additional=more).plugin, plugin)

    [request] = seen
    assert (request.thread_id, request.turn_id) == (outcome.thread.id, outcome.turn.id)
    assert (request.argv, request.cwd) == (SCRIPT, "/space/sub")
    assert request.commands == (("cd", "sub"), ("git", "push", "origin"))
    assert request.settings.approval_policy == "on-request"
    assert request.sandbox == request.settings.sandbox
    assert (request.additional, request.paths, request.retry) == (more, (), False)


@pytest.mark.parametrize(
    ("options", "config"), [({"escalated": True}, {}), ({}, {"sandbox_mode": "danger-full-access"})]
)
async def test_the_rules_see_that_nothing_holds_a_command(
    host: Any, model: Any, kit: Any, options: Any, config: Any
) -> None:
    seen: list[PolicyRequest] = []
    plugin = kit.plugin("company", command_policy=answering(PolicyDecision.allow(), seen))

    await turn(host, model(RUN, "done"), None, Tools(kit, **options).plugin, plugin, **config)

    assert [request.sandbox for request in seen] == [None]


async def test_a_script_that_can_not_be_told_beforehand_has_no_commands(host: Any, model: Any, kit: Any) -> None:
    seen: list[PolicyRequest] = []
    plugin = kit.plugin("company", command_policy=answering(None, seen))

    await turn(host, model(RUN, "done"), None, Tools(kit, argv=("/bin/bash", "-c", "$X push")).plugin, plugin)

    assert [request.commands for request in seen] == [None]


@pytest.mark.parametrize("approval_policy", ["untrusted", "on-request", "never"])
@pytest.mark.parametrize("escalated", [False, True])
async def test_what_they_allow_runs_as_it_was_asked_for(
    host: Any, model: Any, kit: Any, approval_policy: str, escalated: bool
) -> None:
    person, tools = Person("decline"), Tools(kit, escalated=escalated)
    plugin = kit.plugin("company", command_policy=answering(PolicyDecision.allow()))

    await turn(host, model(RUN, "done"), person, tools.plugin, plugin, approval_policy=approval_policy)

    assert [approval.unsandboxed for approval in tools.approvals] == [escalated]
    assert person.asked == []


@pytest.mark.parametrize("approval_policy", ["on-request", "never"])
async def test_what_they_deny_does_not_run_and_the_model_is_told_why(
    host: Any, model: Any, kit: Any, approval_policy: str
) -> None:
    person, scripted = Person(), model(RUN, "done")
    plugin = kit.plugin("company", command_policy=answering(PolicyDecision.deny("use the merge queue")))

    outcome = await turn(host, scripted, person, Tools(kit).plugin, plugin, approval_policy=approval_policy)

    assert scripted.output("c") == "`push` rejected: use the merge queue"
    assert person.asked == []
    assert "run declined: rejected: use the merge queue" in outcome.warnings


@pytest.mark.parametrize(("decision", "output"), [("accept", "ran"), ("decline", "rejected by user")])
async def test_a_person_decides_what_they_ask_about(
    host: Any, model: Any, kit: Any, decision: str, output: str
) -> None:
    person, scripted = Person(decision), model(RUN, "done")
    plugin = kit.plugin("company", command_policy=answering(PolicyDecision.ask("is it Friday?")))

    await turn(host, scripted, person, Tools(kit, justification="to publish").plugin, plugin)

    assert [(params["command"], params["reason"]) for params in person.asked] == [("push", "is it Friday?")]
    assert scripted.output("c") == output


async def test_hooks_may_answer_what_they_ask_about(host: Any, model: Any, kit: Any) -> None:
    person, scripted, seen = Person(), model(RUN, "done"), []
    plugin = kit.plugin(
        "company",
        command_policy=answering(PolicyDecision.ask("is it Friday?")),
        permission_request=kit.answering(PermissionVerdict(behavior="deny", message="it is"), seen),
    )

    await turn(host, scripted, person, Tools(kit).plugin, plugin)

    assert (scripted.output("c"), person.asked) == ("it is", [])
    assert seen[0].tool_input == {"command": "push", "description": "is it Friday?"}


async def test_what_they_ask_about_is_refused_where_nobody_may_be_asked(host: Any, model: Any, kit: Any) -> None:
    person, scripted = Person(), model(RUN, "done")
    plugin = kit.plugin("company", command_policy=answering(PolicyDecision.ask("is it Friday?")))

    await turn(host, scripted, person, Tools(kit).plugin, plugin, approval_policy="never")

    assert scripted.output("c").endswith("AskForApproval is set to Never: is it Friday?")
    assert person.asked == []


async def test_the_model_is_told_what_they_ask_where_nobody_is_there(host: Any, model: Any, kit: Any) -> None:
    scripted = model(RUN, "done")
    plugin = kit.plugin("company", command_policy=answering(PolicyDecision.ask("is it Friday?")))

    await turn(host, scripted, None, Tools(kit).plugin, plugin)

    assert scripted.output("c") == "no client is connected that could approve it; is it Friday?"


async def test_where_they_have_no_opinion_the_rules_of_the_user_count(host: Any, model: Any, kit: Any) -> None:
    person, tools = Person(), Tools(kit, argv=("rm", "-rf", "x"))
    plugin = kit.plugin("company", command_policy=answering(None))

    await turn(host, model(RUN, "done"), person, tools.plugin, plugin)

    assert (len(person.asked), len(tools.approvals)) == (1, 1)


async def test_the_first_answer_wins(host: Any, model: Any, kit: Any) -> None:
    scripted = model(RUN, "done")
    first = kit.plugin("a", command_policy=answering(PolicyDecision.deny("first")))
    second = kit.plugin("b", command_policy=answering(PolicyDecision.allow()))

    await turn(host, scripted, None, Tools(kit).plugin, second, first)

    assert scripted.output("c") == "`push` rejected: first"


def raising(request: PolicyRequest) -> None:
    raise ValueError("broken")


def wrong(request: PolicyRequest) -> Any:
    return "allow"


def leaving(request: PolicyRequest) -> None:
    raise SystemExit(3)


FAILURES = [
    (raising, "command_policy raised ValueError: broken"),
    (wrong, "command_policy returned str, not PolicyDecision or None"),
    (leaving, "command_policy raised SystemExit"),
]


@pytest.mark.parametrize(("command_policy", "told"), FAILURES)
@pytest.mark.parametrize(("decision", "output"), [("accept", "ran"), ("decline", "rejected by user")])
async def test_a_person_decides_when_they_fail_whatever_others_allow(
    host: Any, model: Any, kit: Any, command_policy: Any, told: str, decision: str, output: str
) -> None:
    person, scripted = Person(decision), model(RUN, "done")
    other = kit.plugin("other", command_policy=answering(PolicyDecision.allow()))

    outcome = await turn(
        host, scripted, person, Tools(kit).plugin, kit.plugin("company", command_policy=command_policy), other
    )

    [params] = person.asked
    assert told in params["reason"]
    assert any(told in warning for warning in outcome.warnings)
    assert scripted.output("c") == output


@pytest.mark.parametrize(("command_policy", "told"), FAILURES)
async def test_a_failure_of_theirs_refuses_where_nobody_may_be_asked(
    host: Any, model: Any, kit: Any, command_policy: Any, told: str
) -> None:
    scripted = model(RUN, "done")
    plugin = kit.plugin("company", command_policy=command_policy)

    await turn(
        host, scripted, None, Tools(kit).plugin, plugin, approval_policy="never", sandbox_mode="danger-full-access"
    )

    assert told in scripted.output("c")


async def test_a_denial_counts_although_others_failed(host: Any, model: Any, kit: Any) -> None:
    person, scripted = Person(), model(RUN, "done")
    other = kit.plugin("other", command_policy=answering(PolicyDecision.deny("not here")))

    await turn(host, scripted, person, Tools(kit).plugin, kit.plugin("company", command_policy=raising), other)

    assert (scripted.output("c"), person.asked) == ("`push` rejected: not here", [])


async def test_rules_that_hang_are_given_up_and_keep_nothing_else_waiting(host: Any, model: Any, kit: Any) -> None:
    person, scripted, released = Person("decline"), model(RUN, "done"), threading.Event()

    @time_limit(0.05)
    def command_policy(request: PolicyRequest) -> None:
        released.wait()

    try:
        await turn(host, scripted, person, Tools(kit).plugin, kit.plugin("company", command_policy=command_policy))
    finally:
        released.set()

    [params] = person.asked
    assert "command_policy took longer than 0.05 s" in params["reason"]
    assert scripted.output("c") == "rejected by user"


async def test_rules_in_quarantine_count_as_failed(host: Any, model: Any, kit: Any) -> None:
    person, scripted = Person("decline"), model(RUN, RUN, RUN, RUN, "done")
    plugin = kit.plugin("company", command_policy=raising)

    await turn(host, scripted, person, Tools(kit).plugin, plugin)

    assert len(person.asked) == 4
    assert "quarantined" in person.asked[-1]["reason"]


@pytest.mark.parametrize(
    ("key", "output"), [("hooks.fail_open", "ran"), ("hooks.fail_closed", "command_policy raised ValueError: broken")]
)
async def test_the_user_says_what_a_failure_means(host: Any, model: Any, kit: Any, key: str, output: str) -> None:
    person, scripted = Person(), model(RUN, "done")
    plugin = kit.plugin("company", command_policy=raising)

    await turn(host, scripted, person, Tools(kit).plugin, plugin, **{key: ["command_policy"]})

    assert output in scripted.output("c")
    assert person.asked == []


@pytest.mark.parametrize(
    ("answer", "questions", "output"),
    [
        (PolicyDecision.allow(), 0, "ran"),
        (PolicyDecision.ask("surely?"), 1, "ran"),
        (PolicyDecision.deny("it stays inside"), 0, "`push` rejected: it stays inside"),
        (None, 1, "ran"),
    ],
)
async def test_they_are_asked_again_before_a_command_runs_without_its_sandbox(
    host: Any, model: Any, kit: Any, answer: PolicyDecision | None, questions: int, output: str
) -> None:
    person, scripted, seen = Person(), model(RUN, "done"), []

    def command_policy(request: PolicyRequest) -> PolicyDecision | None:
        seen.append((request.retry, request.sandbox is None))
        return answer if request.retry else None

    tools = Tools(kit, retry=True)
    await turn(
        host, scripted, person, tools.plugin, kit.plugin("company", command_policy=command_policy),
        approval_policy="on-failure",
    )  # fmt: skip

    assert seen == [(False, False), (True, True)]
    assert (len(person.asked), scripted.output("c")) == (questions, output)


async def test_what_a_person_allows_in_a_sandbox_for_the_session_is_not_allowed_without_it(
    host: Any, model: Any, kit: Any
) -> None:
    person, scripted = Person("acceptForSession"), model(RUN, RUN, "done")

    def command_policy(request: PolicyRequest) -> PolicyDecision | None:
        return PolicyDecision.ask("without its sandbox?") if request.retry else None

    company = kit.plugin("company", command_policy=command_policy)
    await turn(host, scripted, person, Tools(kit, retry=True).plugin, company, approval_policy="untrusted")

    assert [params["reason"] for params in person.asked] == [None, "without its sandbox?"]
    assert scripted.output("c") == "ran"


@pytest.mark.parametrize(
    ("answer", "questions", "output"),
    [
        (PolicyDecision.allow(), 0, "ran"),
        (PolicyDecision.ask("surely?"), 1, "ran"),
        (PolicyDecision.deny("ask Ann"), 0, "patch rejected: ask Ann"),
    ],
)
async def test_they_decide_about_patches_too(
    host: Any, model: Any, kit: Any, answer: PolicyDecision, questions: int, output: str
) -> None:
    person, scripted, seen = Person(), model(RUN, "done"), []
    plugin = kit.plugin("company", command_policy=answering(answer, seen))
    patches = Patches(kit, paths=("/space/a", "/etc/b"), outside=("/etc/b",))

    await turn(host, scripted, person, patches.plugin, plugin)

    [request] = seen
    assert request.argv[0] == "apply_patch"
    assert (request.paths, request.outside) == (("/space/a", "/etc/b"), ("/etc/b",))
    assert request.sandbox == request.settings.sandbox
    assert (len(person.asked), scripted.output("c")) == (questions, output)


async def test_a_patch_that_they_allow_may_change_what_lies_outside(host: Any, model: Any, kit: Any) -> None:
    plugin = kit.plugin("company", command_policy=answering(PolicyDecision.allow()))
    patches = Patches(kit, paths=("/space/a", "/etc/b"), outside=("/etc/b",))

    await turn(host, model(RUN, "done"), None, patches.plugin, plugin, approval_policy="never")

    assert patches.approvals == [PatchApproval(("/etc/b",))]


async def test_they_run_beside_the_event_loop(host: Any, model: Any, kit: Any) -> None:
    threads = []

    def command_policy(request: PolicyRequest) -> None:
        threads.append(threading.current_thread())

    tools = Tools(kit)
    await turn(host, model(RUN, "done"), None, tools.plugin, kit.plugin("company", command_policy=command_policy))

    assert threads != [threading.main_thread()]
    assert len(tools.approvals) == 1
