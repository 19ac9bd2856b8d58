"""Approvals: by policy, by hooks, by the client."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from codex_hookspecs import PermissionVerdict, ToolOutput
from codex_hookspecs.errors import ConfigError, RpcError
from codex_hookspecs.types.approvals import (
    CommandApproval,
    CommandRequest,
    PatchRequest,
    PermissionsApproval,
    PermissionsRequest,
)
from codex_hookspecs.types.grants import AdditionalPermissions, FileAccess
from codex_hookspecs.types.items import FileChange
from codex_hookspecs.types.tools import ToolCall
from codex_testkit.memory.environment import MemoryEnvironments


def commands(
    kit: Any,
    argv: tuple[str, ...] = ("make", "it"),
    *,
    given: list[CommandApproval] | None = None,
    retries: bool = False,
    **options: Any,
) -> Any:
    """Return a plugin whose tool asks before it runs a command.

    :param given: gets the approvals.
    :param retries: it asks for a run without sandbox afterwards.
    """

    async def run(call: ToolCall, context: Any) -> ToolOutput:
        cwd = context.settings.cwd
        request = CommandRequest(item_id=call.call_id, command=" ".join(argv), argv=argv, cwd=cwd, **options)
        approval = await context.approve_command(call, request)
        if given is not None:
            given.append(approval)
        if retries:
            await context.approve_retry(call, request, approval)
        return ToolOutput("ran")

    return kit.toolbox(kit.tool("run", run))


def patches(kit: Any, *paths: Path) -> Any:
    """Return a plugin whose tool asks before it changes files."""

    async def run(call: ToolCall, context: Any) -> ToolOutput:
        item = FileChange(id=call.call_id, changes=(), status="inProgress")
        await context.approve_patch(call, PatchRequest(item=item, paths=tuple(map(str, paths))))
        return ToolOutput("changed")

    return kit.toolbox(kit.tool("run", run), environments=lambda: [MemoryEnvironments("machine")])


class Client:
    """Somebody who is asked and gives the same answer always."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[tuple[str, Any]] = []

    async def __call__(self, method: str, params: Any) -> Any:
        self.asked.append((method, params))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


OUTSIDE = "patch rejected: writing outside of the project; rejected by user approval settings"
RUN = [{"call": "run", "call_id": "c"}]
NETWORK = AdditionalPermissions(network=True)
WRITE = AdditionalPermissions(file_system=FileAccess(write=("/data",)))
WANTED = AdditionalPermissions(network=True, file_system=FileAccess(write=("/data", "/other")))
NOTHING = PermissionsApproval(AdditionalPermissions())


async def asked(host: Any, scripted: Any, client: Client | None, *plugins: Any, **config: Any) -> Any:
    """Run a turn with a client that answers; return what it saw."""
    run = host(plugins=list(plugins), model=scripted, config=config)
    thread = await (await run.opened()).thread()
    thread.set_request_handler(client)
    return await run.turn("go")


@pytest.mark.parametrize(
    ("policy", "argv", "escalated", "is_asked"),
    [
        ("untrusted", ("make", "it"), False, True),
        ("untrusted", ("ls",), False, False),
        ("on-request", ("make", "it"), False, False),
        ("on-request", ("make", "it"), True, True),
        ("on-request", ("rm", "-rf", "x"), False, True),
        ("on-failure", ("make", "it"), False, False),
        ("on-failure", ("make", "it"), True, True),
        ("untrusted", ("ls",), True, True),
        ("untrusted", ("git", "status"), False, False),
        ("on-failure", ("rm", "-rf", "x"), False, True),
    ],
)
async def test_the_policy_says_whether_anybody_is_asked(
    host: Any, model: Any, kit: Any, policy: str, argv: tuple[str, ...], escalated: bool, is_asked: bool
) -> None:
    client, scripted = Client({"decision": "accept"}), model(RUN, "done")

    await asked(
        host, scripted, client, commands(kit, argv, escalated=escalated),
        approval_policy=policy, sandbox_mode="workspace-write",
    )  # fmt: skip

    assert bool(client.asked) is is_asked
    assert scripted.output("c") == "ran"


async def test_who_may_never_be_asked_cannot_be_asked_for_more(host: Any, model: Any, kit: Any) -> None:
    client, scripted = Client({"decision": "accept"}), model(RUN, "done")

    await asked(host, scripted, client, commands(kit, escalated=True), approval_policy="never")

    assert client.asked == []
    assert scripted.output("c").startswith("approval policy is Never; reject command")


async def test_the_question_tells_what_is_about_to_happen(host: Any, model: Any, kit: Any) -> None:
    client = Client({"decision": "accept"})

    outcome = await asked(
        host, model(RUN, "done"), client, commands(kit, justification="to build"), approval_policy="untrusted"
    )

    [(method, params)] = client.asked
    assert method == "item/commandExecution/requestApproval"
    assert (params["threadId"], params["turnId"], params["itemId"]) == (outcome.thread.id, outcome.turn.id, "c")
    assert (params["command"], params["reason"]) == ("make it", "to build")
    assert params["proposedExecpolicyAmendment"] == ["make", "it"]


def network(rule: Any) -> dict[str, Any]:
    """Return the answer with a rule for a host."""
    return {"decision": {"applyNetworkPolicyAmendment": {"network_policy_amendment": rule}}}


@pytest.mark.parametrize(
    ("answer", "output"),
    [
        ({"decision": "accept"}, "ran"),
        ({"decision": "acceptForSession"}, "ran"),
        ({"decision": {"acceptWithExecpolicyAmendment": {"execpolicy_amendment": ["make"]}}}, "ran"),
        (network({"host": "example.org", "action": "allow"}), "ran"),
        (network({"host": "example.org", "action": "deny"}), "rejected by user"),
        (network({"host": "example.org"}), "rejected by user"),
        (network(None), "rejected by user"),
        ({"decision": "decline"}, "rejected by user"),
        ({"decision": {"somethingElse": {}}}, "rejected by user"),
        ({"decision": "ACCEPT"}, "rejected by user"),
        ({"decision": None}, "rejected by user"),
        ({"decision": ["accept"]}, "rejected by user"),
        ({}, "rejected by user"),
        (RpcError("client went away"), "rejected by user"),
        (None, None),
        ("accept", None),
        (ConnectionError("broken pipe"), None),
    ],
)
async def test_only_a_clear_yes_runs_the_command(
    host: Any, model: Any, kit: Any, answer: Any, output: str | None
) -> None:
    scripted = model(RUN, "done")

    outcome = await asked(host, scripted, Client(answer), commands(kit), approval_policy="untrusted")

    assert scripted.output("c") != "ran" if output is None else scripted.output("c") == output
    assert outcome.final_message == "done"


async def test_nobody_to_ask_means_no(host: Any, model: Any, kit: Any) -> None:
    scripted = model(RUN, "done")

    await asked(host, scripted, None, commands(kit), approval_policy="untrusted")

    assert scripted.output("c") == "no client is connected that could approve it"


async def test_cancelling_ends_the_turn_as_interrupted(host: Any, model: Any, kit: Any) -> None:
    interrupts: list[Any] = []
    scripted = model(RUN, "never")
    plugin = kit.plugin("p", interrupt=kit.answering(None, interrupts))

    outcome = await asked(
        host, scripted, Client({"decision": "cancel"}), commands(kit), plugin, approval_policy="untrusted"
    )

    assert outcome.turn.status == "interrupted"
    assert len(scripted.requests) == 1
    assert len(interrupts) == 1


async def test_consent_for_the_session_is_not_asked_for_again(host: Any, model: Any, kit: Any) -> None:
    client = Client({"decision": "acceptForSession"})
    scripted = model([*RUN, {"call": "run", "call_id": "d"}], "done")

    await asked(host, scripted, client, commands(kit), approval_policy="untrusted")

    assert len(client.asked) == 1
    assert (scripted.output("c"), scripted.output("d")) == ("ran", "ran")


async def test_consent_once_is_asked_for_again(host: Any, model: Any, kit: Any) -> None:
    client = Client({"decision": "accept"})

    await asked(
        host, model([*RUN, {"call": "run", "call_id": "d"}], "done"), client, commands(kit), approval_policy="untrusted"
    )

    assert len(client.asked) == 2


@pytest.mark.parametrize(
    ("verdict", "output", "questions"),
    [
        (PermissionVerdict(behavior="allow"), "ran", 0),
        (PermissionVerdict(behavior="deny", message="not on Fridays"), "not on Fridays", 0),
        (PermissionVerdict(behavior="deny"), "denied by a PermissionRequest hook", 0),
        (PermissionVerdict(), "ran", 1),
        (None, "ran", 1),
    ],
)
async def test_hooks_are_asked_before_the_client(
    host: Any, model: Any, kit: Any, verdict: PermissionVerdict | None, output: str, questions: int
) -> None:
    seen: list[Any] = []
    client, scripted = Client({"decision": "accept"}), model(RUN, "done")
    plugin = kit.plugin("p", permission_request=kit.answering(verdict, seen))

    await asked(host, scripted, client, commands(kit, justification="to build"), plugin, approval_policy="untrusted")

    assert scripted.output("c") == output
    assert len(client.asked) == questions
    assert (seen[0].tool_name, seen[0].tool_input) == ("Bash", {"command": "make it", "description": "to build"})


async def test_hooks_are_not_asked_when_the_policy_allows(host: Any, model: Any, kit: Any) -> None:
    seen: list[Any] = []
    plugin = kit.plugin("p", permission_request=kit.answering(None, seen))

    await asked(host, model(RUN, "done"), None, commands(kit), plugin, approval_policy="never")

    assert seen == []


async def test_a_failing_permission_hook_leaves_it_to_the_client(host: Any, model: Any, kit: Any) -> None:
    async def permission_request(event: Any) -> None:
        raise ValueError

    client, scripted = Client({"decision": "accept"}), model(RUN, "done")
    plugin = kit.plugin("p", permission_request=permission_request)

    await asked(host, scripted, client, commands(kit), plugin, approval_policy="untrusted")

    assert (len(client.asked), scripted.output("c")) == (1, "ran")


@pytest.mark.parametrize(
    ("policy", "sandbox", "inside", "questions", "output"),
    [
        ("on-request", "workspace-write", True, 0, "changed"),
        ("on-request", "workspace-write", False, 1, "changed"),
        ("on-request", "read-only", True, 1, "changed"),
        ("untrusted", "danger-full-access", True, 1, "changed"),
        ("never", "danger-full-access", False, 0, "changed"),
        ("never", "workspace-write", False, 0, OUTSIDE),
        ("never", "read-only", True, 0, OUTSIDE),
    ],
)
async def test_a_patch_needs_consent_where_the_sandbox_does_not_let_it_write(
    host: Any,
    model: Any,
    kit: Any,
    tmp_path: Path,
    policy: str,
    sandbox: str,
    inside: bool,
    questions: int,
    output: str,
) -> None:
    client, scripted = Client({"decision": "accept"}), model(RUN, "done")
    path = tmp_path / "project" / "file" if inside else Path("/elsewhere/file")

    await asked(host, scripted, client, patches(kit, path), approval_policy=policy, sandbox_mode=sandbox)

    assert len(client.asked) == questions
    assert scripted.output("c") == output
    assert all(method == "item/fileChange/requestApproval" for method, _ in client.asked)


async def test_permission_hooks_know_a_patch_by_its_other_names(host: Any, model: Any, kit: Any) -> None:
    seen: list[Any] = []
    plugin = kit.plugin("p", permission_request=kit.answering(PermissionVerdict(behavior="allow"), seen))

    await asked(
        host, model(RUN, "done"), None, patches(kit, Path("/elsewhere/file")), plugin,
        approval_policy="on-request", sandbox_mode="read-only",
    )  # fmt: skip

    assert (seen[0].tool_name, seen[0].matcher_aliases) == ("apply_patch", ("Write", "Edit"))


async def test_consent_to_a_file_for_the_session_holds_in_later_patches(host: Any, model: Any, kit: Any) -> None:
    """A patch of two files that were each agreed to needs no question."""
    client, scripted = Client({"decision": "acceptForSession"}), model(RUN, RUN, RUN, "done")
    wanted = iter([("/a", "/b"), ("/b",), ("/b", "/c")])

    async def run(call: ToolCall, context: Any) -> ToolOutput:
        item = FileChange(id=call.call_id, changes=(), status="inProgress")
        await context.approve_patch(call, PatchRequest(item=item, paths=next(wanted)))
        return ToolOutput("changed")

    machine = kit.toolbox(kit.tool("run", run), environments=lambda: [MemoryEnvironments("machine")])

    await asked(host, scripted, client, machine, approval_policy="untrusted")

    assert len(client.asked) == 2


async def test_hooks_can_refuse_what_was_agreed_to_for_the_session(host: Any, model: Any, kit: Any) -> None:
    verdicts = iter([PermissionVerdict(), PermissionVerdict(behavior="deny", message="not twice")])

    async def permission_request(event: Any) -> PermissionVerdict:
        return next(verdicts)

    client = Client({"decision": "acceptForSession"})
    scripted = model([*RUN, {"call": "run", "call_id": "d"}], "done")
    plugin = kit.plugin("p", permission_request=permission_request)

    await asked(host, scripted, client, commands(kit), plugin, approval_policy="untrusted")

    assert (scripted.output("c"), scripted.output("d")) == ("ran", "not twice")


def shell(script: str, **options: Any) -> dict[str, Any]:
    return {"argv": ("/bin/bash", "-lc", script), **options}


@pytest.mark.parametrize(
    ("second", "questions"),
    [
        (shell("touch  'a'"), 1),
        ({"argv": ("/bin/bash", "-c", "touch a")}, 1),
        (shell("touch b"), 2),
        (shell("touch a", tty=True), 2),
        (shell("touch a", cwd="/elsewhere"), 2),
        (shell("touch a", escalated=True), 2),
    ],
)
async def test_consent_for_the_session_is_for_the_command_its_directory_and_what_it_may(
    host: Any, model: Any, kit: Any, second: dict[str, Any], questions: int
) -> None:
    client, scripted = Client({"decision": "acceptForSession"}), model(RUN, RUN, "done")
    calls = iter([shell("touch a"), second])

    async def run(call: ToolCall, context: Any) -> ToolOutput:
        options = {"cwd": context.settings.cwd, **next(calls)}
        await context.approve_command(call, CommandRequest(item_id="c", command="touch", **options))
        return ToolOutput("ran")

    await asked(host, scripted, client, kit.toolbox(kit.tool("run", run)), approval_policy="untrusted")

    assert len(client.asked) == questions


@pytest.mark.parametrize(
    ("policy", "argv", "questions", "reasons"),
    [
        ("on-failure", ("make", "it"), 1, ["command failed; retry without sandbox?"]),
        ("untrusted", ("ls",), 1, ["command failed; retry without sandbox?"]),
        ("untrusted", ("make", "it"), 1, [None]),
        ("on-failure", ("rm", "-rf", "x"), 1, [None]),
    ],
)
async def test_a_run_without_sandbox_is_asked_about_unless_the_command_was(
    host: Any, model: Any, kit: Any, policy: str, argv: tuple[str, ...], questions: int, reasons: list[str | None]
) -> None:
    client, scripted = Client({"decision": "accept"}), model(RUN, "done")

    await asked(
        host, scripted, client, commands(kit, argv, retries=True),
        approval_policy=policy, sandbox_mode="workspace-write",
    )  # fmt: skip

    assert scripted.output("c") == "ran"
    assert [params["reason"] for _, params in client.asked] == reasons
    assert client.asked[0][1]["proposedExecpolicyAmendment"] == list(argv)


@pytest.mark.parametrize(
    ("policy", "sandbox", "retry"),
    [
        ("on-request", "workspace-write", "no"),
        ("never", "workspace-write", "no"),
        ("on-failure", "workspace-write", "ask"),
        ("on-failure", "danger-full-access", "no"),
    ],
)
async def test_a_retry_is_only_for_policies_that_know_it(
    host: Any, model: Any, kit: Any, policy: str, sandbox: str, retry: str
) -> None:
    given: list[CommandApproval] = []

    await asked(
        host, model(RUN, "done"), None, commands(kit, given=given), approval_policy=policy, sandbox_mode=sandbox
    )

    assert [approval.retry for approval in given] == [retry]


async def test_hooks_are_asked_about_a_run_without_sandbox_first(host: Any, model: Any, kit: Any) -> None:
    seen: list[Any] = []
    client, scripted = Client({"decision": "accept"}), model(RUN, "done")
    plugin = kit.plugin("p", permission_request=kit.answering(PermissionVerdict(behavior="deny", message="no"), seen))

    await asked(
        host, scripted, client, commands(kit, retries=True), plugin,
        approval_policy="on-failure", sandbox_mode="workspace-write",
    )  # fmt: skip

    assert (scripted.output("c"), client.asked) == ("no", [])
    assert seen[0].tool_input == {"command": "make it", "description": "command failed; retry without sandbox?"}


async def test_forced_removal_is_refused_where_nobody_can_be_asked(host: Any, model: Any, kit: Any) -> None:
    scripted = model(RUN, "done")

    await asked(
        host, scripted, Client(None), commands(kit, ("rm", "-rf", "x")),
        approval_policy="never", sandbox_mode="workspace-write",
    )  # fmt: skip

    assert scripted.output("c") == "`rm -rf x` rejected: blocked by policy"


AMEND = {"decision": {"acceptWithExecpolicyAmendment": {"execpolicy_amendment": ["make"]}}}


async def test_what_a_client_allows_for_good_is_not_asked_again_and_runs_free(
    host: Any, model: Any, kit: Any, tmp_path: Path
) -> None:
    given: list[CommandApproval] = []
    client, scripted = Client(AMEND), model(RUN, RUN, "done")

    await asked(
        host, scripted, client, commands(kit, given=given), approval_policy="untrusted", sandbox_mode="read-only"
    )

    assert len(client.asked) == 1
    assert [approval.unsandboxed for approval in given] == [False, True]
    assert (tmp_path / "home/rules/default.rules").read_text() == ('prefix_rule(pattern=["make"], decision="allow")\n')


async def test_an_allowance_that_can_not_be_kept_holds_for_the_session(
    host: Any, model: Any, kit: Any, tmp_path: Path
) -> None:
    (tmp_path / "home/rules").mkdir(parents=True)
    file = tmp_path / "home/rules/default.rules"

    class Blocking(Client):
        async def __call__(self, method: str, params: Any) -> Any:
            os.mkfifo(file)
            return await super().__call__(method, params)

    client, scripted = Blocking(AMEND), model(RUN, RUN, "done")

    outcome = await asked(host, scripted, client, commands(kit), approval_policy="untrusted")

    assert len(client.asked) == 1
    assert any("the rule is kept for this session only" in warning for warning in outcome.warnings)


async def test_a_rules_file_that_can_not_be_used_lets_no_thread_begin(
    host: Any, model: Any, kit: Any, tmp_path: Path
) -> None:
    rules = tmp_path / "home/rules"
    rules.mkdir(parents=True)
    (rules / "bad.rules").write_text("\nprefix_rule(pattern=[])\n")
    (rules / "good.rules").write_text('prefix_rule(pattern=["make"], decision="forbidden")')

    with pytest.raises(ConfigError) as caught:
        await asked(host, model(RUN, "done"), None, commands(kit), approval_policy="never")

    assert f"{rules}/bad.rules:2: pattern cannot be empty" in str(caught.value)


async def test_what_a_command_wants_beyond_the_policy_is_shown_and_no_rule_offered(
    host: Any, model: Any, kit: Any
) -> None:
    client, scripted = Client({"decision": "acceptForSession"}), model([*RUN, {"call": "run", "call_id": "d"}], "done")

    await asked(
        host, scripted, client, commands(kit, additional=NETWORK, justification="to fetch"),
        approval_policy="on-request", sandbox_mode="workspace-write",
    )  # fmt: skip

    [(_, params)] = client.asked
    wanted = {"network": {"enabled": True}, "fileSystem": None}
    assert (params["additionalPermissions"], params["reason"]) == (wanted, "to fetch")
    assert params["availableDecisions"] == ["accept", "cancel"]


def requests(kit: Any, *, answers: list[Any]) -> Any:
    """Return a plugin with a tool that asks for permissions, and one whose command wants the network."""

    async def ask(call: ToolCall, context: Any) -> ToolOutput:
        request = PermissionsRequest(permissions=WANTED, reason="why")
        answers.append(await context.request_permissions(call, request))
        return ToolOutput("asked")

    async def run(call: ToolCall, context: Any) -> ToolOutput:
        options = {"command": "make", "argv": ("make",), "cwd": context.settings.cwd}
        request = CommandRequest(item_id=call.call_id, additional=NETWORK, **options)
        answers.append((await context.approve_command(call, request)).additional)
        return ToolOutput("ran")

    return kit.toolbox(kit.tool("ask", ask), kit.tool("run", run))


ASK = [{"call": "ask", "call_id": "a"}]


@pytest.mark.parametrize(
    ("answer", "granted"),
    [
        ({"permissions": {"network": {"enabled": True}}, "scope": "turn"}, PermissionsApproval(NETWORK)),
        ({"permissions": {"network": {"enabled": True}}, "scope": "session"}, PermissionsApproval(NETWORK, "session")),
        ({"permissions": {"fileSystem": {"write": ["/data", "/unasked"]}}}, PermissionsApproval(WRITE)),
        ({"permissions": {"fileSystem": {"write": "/data"}}}, NOTHING),
        ({"permissions": None}, NOTHING),
        ("nonsense", NOTHING),
        (RpcError("client went away"), NOTHING),
    ],
)
async def test_more_permissions_are_asked_of_the_client(
    host: Any, model: Any, kit: Any, answer: Any, granted: PermissionsApproval
) -> None:
    answers: list[Any] = []
    client = Client(answer)

    await asked(host, model(ASK, "done"), client, requests(kit, answers=answers), approval_policy="on-request")

    [(method, params)] = client.asked
    assert method == "item/permissions/requestApproval"
    wanted = {"network": {"enabled": True}, "fileSystem": {"read": None, "write": ["/data", "/other"]}}
    assert (params["itemId"], params["permissions"], params["reason"]) == ("a", wanted, "why")
    assert answers == [granted]


GRANULAR = {"granular": {"sandbox_approval": True, "rules": True, "mcp_elicitations": True}}


@pytest.mark.parametrize(("connected", "policy"), [(False, "on-request"), (True, "never"), (True, GRANULAR)])
async def test_nothing_more_is_granted_where_nobody_can_be_asked(
    host: Any, model: Any, kit: Any, connected: bool, policy: Any
) -> None:
    answers: list[Any] = []
    client = Client({"permissions": {"network": {"enabled": True}}})

    await asked(
        host, model(ASK, "done"), client if connected else None, requests(kit, answers=answers), approval_policy=policy
    )

    assert (answers, client.asked) == ([NOTHING], [])


@pytest.mark.parametrize(("scope", "questions"), [("turn", 1), ("session", 0)])
async def test_what_was_granted_needs_no_approval_for_as_long_as_it_holds(
    host: Any, model: Any, kit: Any, scope: str, questions: int
) -> None:
    answers: list[Any] = []
    client = Client({"permissions": {"network": {"enabled": True}}, "scope": scope})
    settings = {"approval_policy": "on-request", "sandbox_mode": "workspace-write"}
    run = host(plugins=[requests(kit, answers=answers)], model=model(ASK, RUN, "done", RUN, "done"), config=settings)
    thread = await (await run.opened()).thread()
    thread.set_request_handler(client)

    await run.turn("go")
    before = len(client.asked)
    client.answer = {"decision": "accept"}
    await run.turn("go on")

    assert before == 1
    assert len(client.asked) - before == questions
    assert answers[1:] == [NETWORK, NETWORK]


@pytest.mark.parametrize(("trust", "output"), [("trusted", "`make it` rejected: no make"), ("untrusted", "ran")])
async def test_only_a_trusted_project_s_rules_count(
    host: Any, model: Any, kit: Any, tmp_path: Path, trust: str, output: str
) -> None:
    rules = tmp_path / "project/.codex/rules"
    rules.mkdir(parents=True)
    (rules / "a.rules").write_text('prefix_rule(["make"], "forbidden", justification="no make")')
    scripted = model(RUN, "done")
    projects = {str(tmp_path / "project"): {"trust_level": trust}}

    await asked(host, scripted, None, commands(kit), approval_policy="never", projects=projects)

    assert scripted.output("c") == output
