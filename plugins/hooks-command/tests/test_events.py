"""Events of the host, handled by real scripts."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

import pytest

from codex_hooks_command import plugin
from codex_hookspecs.types import lifecycle as life

pytestmark = pytest.mark.anyio


def say(event: str, **keys: Any) -> str:
    return "echo '" + json.dumps({"hookSpecificOutput": {"hookEventName": event, **keys}}) + "'"


NOTHING_CONFIGURED = """
import sys
from types import SimpleNamespace as Bag
from codex_hooks_command import plugin
class Program:
    features = Bag(enabled=lambda key: True)
    layers = [Bag(folder="/nowhere", file=None, table={})]
    config = Bag(for_directory=lambda cwd, overrides: Bag(layers=Program.layers, get=lambda key: None))
scope = Bag(thread=None, config={})
try:
    plugin.stop(Bag(turn_id="t", cwd="/"), scope, Program()).send(None)
except StopIteration as end:
    print(end.value, *sorted(name for name in sys.modules if name.startswith("codex_hooks_command.")))
"""


async def test_without_hooks_nothing_is_awaited_and_no_other_module_is_imported() -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", NOTHING_CONFIGURED, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await child.communicate()

    assert output.decode().split() == [
        "None",
        "codex_hooks_command.config_probe",
        "codex_hooks_command.plugin",
        "codex_hooks_command.registry_cache",
    ]


async def test_events_are_built_only_for_threads_with_hooks(world: Any) -> None:
    thread = world.scope.thread
    thread.active_turn_id = "turn-1"
    assert plugin.stop.codex_enabled_if(world.program, thread) is False

    world.commands("Stop", "true")
    assert plugin.stop.codex_enabled_if(world.program, thread) is False
    thread.active_turn_id = "turn-2"

    assert plugin.stop.codex_enabled_if(world.program, thread) is True
    assert plugin.stop.codex_enabled_if(world.program, None) is True


async def test_the_feature_disables_all_hooks(world: Any) -> None:
    world.commands("Stop", "echo no >&2; exit 2")
    world.program.features.on = False

    assert await world.fire("Stop") is None


async def test_starts_are_reported_before_ends_and_both_in_configured_order(world: Any) -> None:
    path = world.commands("Stop", "sleep 0.05", "true", statusMessage="checking")

    await world.fire("Stop")

    ids = [f"stop:0:{path}", f"stop:1:{path}"]
    assert [(when, run.id) for when, run in world.scope.reports] == [
        *(("started", one) for one in ids),
        *(("completed", one) for one in ids),
    ]
    prefix = world.scope.reports[0][1]
    assert (prefix.event_name, prefix.handler_type, prefix.execution_mode) == ("stop", "command", "sync")
    assert (prefix.scope, prefix.source, prefix.source_path) == ("turn", "user", str(path))
    assert (prefix.status, prefix.status_message, prefix.completed_at, prefix.duration_ms) == (
        "running",
        "checking",
        None,
        None,
    )
    ended = world.scope.ended[0]
    assert ended.status == "completed"
    assert ended.duration_ms >= 50
    assert ended.completed_at >= ended.started_at


@pytest.mark.parametrize(
    ("event", "scope", "suffix"),
    [
        ("SessionStart", "thread", ""),
        ("SubagentStart", "thread", ""),
        ("UserPromptSubmit", "turn", ""),
        ("PreToolUse", "turn", ":call-1"),
        ("PermissionRequest", "turn", ":call-1"),
        ("PostToolUse", "turn", ":call-1"),
        ("SubagentStop", "turn", ""),
        ("PreCompact", "turn", ""),
        ("PostCompact", "turn", ""),
        ("Interrupt", "turn", ""),
        ("PreModelRequest", "turn", ""),
        ("PostModelRequest", "turn", ""),
    ],
)
async def test_every_event_runs_its_handlers(world: Any, event: str, scope: str, suffix: str) -> None:
    path = world.commands(event, "cat > $CODEX_HOME/seen; exit 7")

    await world.fire(event)

    (run,) = world.scope.ended
    kebab = "".join(f"-{c.lower()}" if c.isupper() else c for c in event).lstrip("-")
    assert run.id == f"{kebab}:0:{path}{suffix}"
    assert (run.event_name, run.scope) == (event[0].lower() + event[1:], scope)
    assert world.scope.texts == [("error", "hook exited with code 7: `cat > $CODEX_HOME/seen; exit 7`")]
    assert json.loads((world.home / "seen").read_text())["hook_event_name"] == event


async def test_session_end_hooks_are_not_reported(world: Any) -> None:
    world.commands("SessionEnd", f"cat > {world.home}/seen")

    await world.fire("SessionEnd")

    assert world.scope.reports == []
    assert json.loads((world.home / "seen").read_text()) == {
        "session_id": "thread-1",
        "transcript_path": "/r.jsonl",
        "cwd": str(world.project),
        "hook_event_name": "SessionEnd",
        "reason": "other",
    }


async def test_contexts_come_in_configured_order(world: Any) -> None:
    world.commands("SessionStart", "sleep 0.05; echo one", say("SessionStart", additionalContext="two"), "echo")

    verdict = await world.fire("SessionStart")

    assert verdict == life.SessionStartVerdict(contexts=("one", "two"))


async def test_a_long_context_is_truncated_for_the_model_and_shown_completely_to_the_user(world: Any) -> None:
    world.commands("UserPromptSubmit", "head -c 1000 /dev/zero | tr '\\0' x", additionalContextLimit=50)

    verdict = await world.fire("UserPromptSubmit")

    (file,) = (world.home / "hook_outputs" / "thread-1").iterdir()
    assert verdict.contexts[0].endswith(f"Full hook output saved to: {file}")
    assert world.scope.texts == [("context", "x" * 1000)]


async def test_a_session_start_can_end_the_turn(world: Any) -> None:
    world.commands("SessionStart", """echo '{"continue":false}'""", """echo '{"continue":false,"stopReason":"x"}'""")

    verdict = await world.fire("SessionStart")

    assert verdict.stop_reason == "x"
    assert [run.status for run in world.scope.ended] == ["stopped", "stopped"]


async def test_a_turn_can_be_ended_without_a_reason(world: Any) -> None:
    world.commands("SessionStart", """echo '{"continue":false}'""")

    assert (await world.fire("SessionStart")).stop_reason == "SessionStart hook stopped execution"


async def test_a_prompt_is_refused_with_the_first_reason_and_contexts_are_kept(world: Any) -> None:
    world.commands("UserPromptSubmit", "echo ctx", "echo first >&2; exit 2", "echo second >&2; exit 2")

    verdict = await world.fire("UserPromptSubmit")

    assert verdict == life.UserPromptVerdict(contexts=("ctx",), block_reason="first")


async def test_a_tool_is_denied_when_any_handler_says_so(world: Any) -> None:
    rewrite = say("PreToolUse", permissionDecision="allow", updatedInput={"command": "x"})
    world.commands("PreToolUse", rewrite, "echo no >&2; exit 2")

    assert await world.fire("PreToolUse") == life.PreToolUseVerdict(deny_reason="no")


async def test_of_two_rewrites_the_last_to_finish_wins(world: Any) -> None:
    late = say("PreToolUse", permissionDecision="allow", updatedInput={"command": "late"})
    early = say("PreToolUse", permissionDecision="allow", updatedInput={"command": "early"})
    os.mkfifo(world.home / "go")
    # The late one continues when the last process of the early one, which keeps the pipe open, has ended.
    world.commands("PreToolUse", f"cat {world.home}/go; {late}; sleep 0.1", f"exec 9> {world.home}/go; {early}")

    assert (await world.fire("PreToolUse")).updated_input == {"command": "late"}


@pytest.mark.parametrize("command", ["exit 1", "echo '{bad'", "no-such-program-at-all"])
@pytest.mark.parametrize("spelling", ["pre_tool_use", "PreToolUse"])
async def test_a_failure_refuses_with_fail_closed(world: Any, command: str, spelling: str) -> None:
    rewrite = say("PreToolUse", permissionDecision="allow", updatedInput={"command": "x"})
    world.commands("PreToolUse", rewrite, command)
    assert (await world.fire("PreToolUse")).deny_reason is None

    world.scope.config["hooks"] = {"fail_closed": [spelling]}

    assert (await world.fire("PreToolUse")).deny_reason.startswith("PreToolUse hook failed: hook ")


UNANSWERED = {
    "no-such-program-at-all": "hook exited with code 127 (a command in it could not be started)",
    "kill -9 $$": "hook exited without a status code (SIGKILL ended it)",
    "sleep 60": "hook timed out after 1s",
    "head -c 9000000 /dev/zero | tr '\\0' x": "hook output exceeds the limit and was truncated",
}


@pytest.mark.parametrize(("command", "fault"), UNANSWERED.items())
async def test_a_person_is_asked_when_a_gate_can_not_answer(world: Any, command: str, fault: str) -> None:
    world.commands("PreToolUse", command, timeout=1)
    prefix = f"PreToolUse hook failed: {fault}: `{command}`"

    verdict = await world.fire("PreToolUse")
    assert (verdict.deny_reason, verdict.ask_reason.splitlines()[0]) == (None, prefix)
    assert [run.status for run in world.scope.ended] == ["failed"]

    world.scope.config["hooks"] = {"fail_open": ["PreToolUse"]}
    verdict = await world.fire("PreToolUse")
    assert (verdict.deny_reason, verdict.ask_reason) == (None, None)


async def test_without_a_local_environment_a_gate_can_not_answer(world: Any) -> None:
    world.program.environments.fault = "no plugin offers an environment"
    world.commands("PreToolUse", "true")

    assert (await world.fire("PreToolUse")).ask_reason == (
        "PreToolUse hook failed: could not start the hook: no plugin offers an environment: `true`"
    )


async def test_an_allowance_is_ignored_when_another_gate_can_not_answer(world: Any) -> None:
    allow = say("PermissionRequest", decision={"behavior": "allow"})
    world.commands("PermissionRequest", allow, "kill -9 $$")

    assert (await world.fire("PermissionRequest")).behavior == "ask"


async def test_a_denial_takes_precedence_over_a_gate_that_can_not_answer(world: Any) -> None:
    world.commands("PreToolUse", "kill -9 $$", "echo no >&2; exit 2")

    assert (await world.fire("PreToolUse")).deny_reason == "no"


@pytest.mark.parametrize(("event", "free"), [("UserPromptSubmit", "block_reason"), ("Stop", "stop_reason")])
async def test_other_hooks_are_skipped_when_they_can_not_answer(world: Any, event: str, free: str) -> None:
    world.commands(event, "kill -9 $$")

    assert getattr(await world.fire(event), free) is None


async def test_a_script_can_ask_a_person_and_change_the_input(world: Any) -> None:
    keys = {"permissionDecision": "ask", "permissionDecisionReason": "sure?", "updatedInput": {"command": "x"}}
    world.commands("PreToolUse", say("PreToolUse", **keys))

    verdict = await world.fire("PreToolUse")

    assert (verdict.ask_reason, verdict.updated_input) == ("sure?", {"command": "x"})
    assert world.scope.texts == [("warning", "a person has to decide: sure?")]


@pytest.mark.parametrize("event", ["PreToolUse", "PermissionRequest"])
@pytest.mark.parametrize(
    "content", ['{"hooks": {"PreToolUse": [', '{"hooks": {"PermissionRequest": 3, "PreToolUse": 3}}']
)
async def test_a_person_is_asked_when_a_file_with_gates_can_not_be_parsed(world: Any, event: str, content: str) -> None:
    path = world.hooks(content)

    verdict = await world.fire(event)

    asked = verdict.message if event == "PermissionRequest" else verdict.ask_reason
    assert asked.startswith(f"{event} hook failed: failed to parse hooks config {path}: ")
    assert world.scope.warnings[0] in asked


async def test_a_hooks_json_that_is_not_a_file_may_contain_gates(world: Any) -> None:
    (world.home / "hooks.json").mkdir()

    assert (await world.fire("PreToolUse")).ask_reason.endswith("is a directory, expected a file")


async def test_an_invalid_file_without_gates_does_not_block_tools(world: Any) -> None:
    world.hooks('{"hooks": {"Stop": [')

    assert await world.fire("PreToolUse") is None
    assert len(world.scope.warnings) == 1


async def test_a_failure_names_the_handler_and_shows_the_end_of_its_standard_error(world: Any) -> None:
    world.commands("Stop", "seq 20 >&2; echo cause >&2; exit 1", "true")

    await world.fire("Stop")

    ((_, text),) = world.scope.texts
    assert text.splitlines() == [
        "hook exited with code 1: `seq 20 >&2; echo cause >&2; exit 1`",
        *map(str, range(14, 21)),
        "cause",
    ]


async def test_any_denial_of_a_permission_wins(world: Any) -> None:
    allow = say("PermissionRequest", decision={"behavior": "allow"})
    world.commands("PermissionRequest", allow, "echo never >&2; exit 2")

    assert await world.fire("PermissionRequest") == life.PermissionVerdict(behavior="deny", message="never")


async def test_one_allowance_is_enough_and_no_output_is_not_an_allowance(world: Any) -> None:
    world.commands("PermissionRequest", "true", say("PermissionRequest", decision={"behavior": "allow"}))
    assert (await world.fire("PermissionRequest")).behavior == "allow"

    world.turn += 1
    world.commands("PermissionRequest", "true")
    assert (await world.fire("PermissionRequest")).behavior is None


async def test_feedback_of_several_handlers_comes_in_order(world: Any) -> None:
    stop = """echo '{"continue":false,"stopReason":"c"}'"""
    world.commands(
        "PostToolUse", "sleep 0.05; echo a >&2; exit 2", """echo '{"decision":"block","reason":"b"}'""", stop
    )

    verdict = await world.fire("PostToolUse")

    assert verdict == life.PostToolUseVerdict(feedback=("a", "b", "c"))
    assert [run.status for run in world.scope.ended] == ["blocked", "blocked", "stopped"]


async def test_the_result_of_an_mcp_tool_is_replaced(world: Any) -> None:
    world.commands("PostToolUse", say("PostToolUse", updatedMCPToolOutput={"a": 1}))

    verdict = await world.fire("PostToolUse", tool_name="mcp__s__t")

    assert verdict.feedback == ('{"a": 1}',)


async def test_each_blocking_stop_hook_sends_one_prompt_with_its_run(world: Any) -> None:
    path = world.commands("Stop", "true", "echo ' cook ' >&2; exit 2", """echo '{"decision":"block","reason":"eat"}'""")

    verdict = await world.fire("Stop")

    assert verdict.prompts == (
        life.ContinuationPrompt("cook", f"stop:1:{path}"),
        life.ContinuationPrompt("eat", f"stop:2:{path}"),
    )


async def test_ending_the_turn_takes_precedence_over_blocks(world: Any) -> None:
    world.commands("Stop", "echo more >&2; exit 2", """echo '{"continue":false,"stopReason":"enough"}'""")

    assert await world.fire("Stop") == life.StopVerdict(stop_reason="enough")


async def test_a_compaction_can_be_stopped(world: Any) -> None:
    world.commands("PreCompact", """echo '{"continue":false}'""")

    assert await world.fire("PreCompact") == life.CompactVerdict(stop_reason="PreCompact hook stopped execution")


@pytest.mark.parametrize(
    ("event", "matcher", "values", "hit"),
    [
        ("SessionStart", "startup", {}, True),
        ("SessionStart", "resume", {}, False),
        ("PreToolUse", "Bash", {}, True),
        ("PreToolUse", "exec_command", {}, False),
        ("PreToolUse", "Write", {"tool_name": "apply_patch"}, True),
        ("PostToolUse", "Edit", {"tool_name": "x", "matcher_aliases": ("Edit",)}, True),
        ("PermissionRequest", "^B", {}, True),
        ("PreCompact", "manual", {}, False),
        ("PostCompact", "auto", {}, True),
        ("SubagentStart", "worker", {}, True),
        ("SubagentStop", "explorer", {}, False),
        ("Stop", "anything", {}, True),
        ("UserPromptSubmit", "anything", {}, True),
    ],
)
async def test_matchers_match_the_subject_of_the_event(
    world: Any, event: str, matcher: str, values: dict[str, Any], hit: bool
) -> None:
    world.hooks({event: [{"matcher": matcher, "hooks": [{"type": "command", "command": "true"}]}]})

    await world.fire(event, **values)

    assert bool(world.scope.ended) is hit


async def test_a_handler_runs_once_for_a_patch_although_two_aliases_match(world: Any) -> None:
    world.hooks({"PreToolUse": [{"matcher": "Edit|Write", "hooks": [{"type": "command", "command": "true"}]}]})

    await world.fire("PreToolUse", tool_name="apply_patch", matcher_aliases=("Write", "Edit"))

    assert len(world.scope.ended) == 1


async def test_scripts_get_the_whole_environment_and_codex_home(world: Any) -> None:
    world.program.environ["FLAVOUR"] = "salt"
    world.commands("UserPromptSubmit", 'echo "$FLAVOUR $CODEX_HOME $PWD"')

    verdict = await world.fire("UserPromptSubmit")

    assert verdict.contexts == (f"salt {world.home} {world.project}",)


async def test_a_changed_file_applies_from_the_next_turn_on(world: Any) -> None:
    path = world.commands("UserPromptSubmit", "echo old")
    assert (await world.fire("UserPromptSubmit")).contexts == ("old",)

    world.commands("UserPromptSubmit", "echo new one")
    os.utime(path, ns=(1, 1))
    assert (await world.fire("UserPromptSubmit")).contexts == ("old",)
    world.turn += 1

    assert (await world.fire("UserPromptSubmit")).contexts == ("new one",)


async def test_the_first_file_applies_from_the_next_turn_on(world: Any) -> None:
    assert await world.fire("UserPromptSubmit") is None
    world.commands("UserPromptSubmit", "echo new")
    world.turn += 1

    assert (await world.fire("UserPromptSubmit")).contexts == ("new",)


async def test_hooks_added_to_config_toml_apply_from_the_next_turn_on(world: Any) -> None:
    assert await world.fire("Stop") is None
    (world.home / "config.toml").write_text(
        '[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ntype = "command"\ncommand = "echo more >&2; exit 2"\n'
    )
    world.turn += 1

    assert [prompt.text for prompt in (await world.fire("Stop")).prompts] == ["more"]


async def test_an_invalid_file_is_a_warning_and_the_turn_continues(world: Any) -> None:
    path = world.hooks("{")

    assert await world.fire("Stop") is None

    assert len(world.scope.warnings) == 1
    assert world.scope.warnings[0].startswith(f"failed to parse hooks config {path}: ")


async def test_an_invalid_configuration_keeps_the_previous_hooks(world: Any) -> None:
    world.commands("PreToolUse", "echo no >&2; exit 2")
    await world.fire("PreToolUse")
    world.turn += 1
    world.program.config.fault = "config.toml is not TOML"

    assert (await world.fire("PreToolUse")).deny_reason == "no"
    assert world.scope.warnings == ["the previous hooks stay in force: config.toml is not TOML"]


async def test_an_unreviewed_hook_of_the_project_is_skipped_with_a_warning_unless_bypassed(world: Any) -> None:
    world.hooks({"Stop": [{"hooks": [{"type": "command", "command": "true"}]}]}, folder=world.project / ".codex")
    world.layer("project", folder=str(world.project / ".codex"))
    await world.fire("Stop")
    assert world.scope.reports == []
    assert "is not run: it is not trusted" in world.scope.warnings[0]

    world.turn += 1
    world.program.config.values["bypass_hook_trust"] = True
    await world.fire("Stop")

    assert len(world.scope.ended) == 1
    assert world.scope.ended[0].source == "project"


async def test_configuration_overrides_of_the_thread_apply(world: Any) -> None:
    world.scope.thread.settings.overrides["hooks.max_stop_blocks"] = 3

    await world.fire("Stop")

    assert world.program.config.asked == [(str(world.project), {"hooks.max_stop_blocks": 3})]


@pytest.mark.parametrize("declared", ["hooks/hooks.json", ".codex-plugin/plugin.json"])
async def test_hooks_of_a_bundle_are_skipped_with_a_warning(world: Any, declared: str) -> None:
    (world.program.config.layers[0]).table["plugins"] = {"demo@mk": {"enabled": True}, "off@mk": {"enabled": False}}
    for name in ("demo", "off", "other"):
        file = world.home / "plugins" / "cache" / "mk" / name / "1.0" / declared
        file.parent.mkdir(parents=True)
        file.write_text('{"hooks": {"Stop": []}}')

    assert await world.fire("Stop") is None

    assert len(world.scope.warnings) == 1
    assert world.scope.warnings[0].startswith("the hooks of the plugin demo@mk are not run: ")


async def test_a_bundle_without_hooks_causes_no_warning(world: Any) -> None:
    (world.program.config.layers[0]).table["plugins"] = {"demo@mk": {}, "../x@mk": {}, "plain": {"enabled": True}}
    (world.home / "plugins" / "cache" / "mk" / "demo" / "1.0").mkdir(parents=True)

    assert plugin.stop.codex_enabled_if(world.program, world.scope.thread) is False


async def test_an_mcp_tool_hook_fails_without_its_server(world: Any) -> None:
    handlers = [{"type": "mcp_tool", "server": "s", "tool": "t"}, {"type": "command", "command": "true"}]
    world.hooks({"Stop": [{"hooks": handlers}]})

    await world.fire("Stop")

    assert [run.status for run in world.scope.ended] == ["failed", "completed"]
    assert world.scope.ended[0].handler_type == "mcpTool"
    assert world.scope.texts == [("error", "unknown MCP server 's': `s/t`")]


async def test_a_detached_handler_is_not_waited_for_and_its_context_comes_later(world: Any) -> None:
    os.mkfifo(world.home / "go")
    world.commands("SessionStart", f"cat {world.home}/go", **{"async": True})

    assert await world.fire("SessionStart") is None
    assert (world.scope.reports, world.scope.contexts) == ([], [])
    await asyncio.to_thread((world.home / "go").write_text, "later")
    await world.scope.hear()

    assert world.scope.contexts == ["later"]
    await world.scope.thread.close()


async def test_a_detached_handler_that_fails_is_a_warning(world: Any) -> None:
    world.commands("SessionStart", "exit 3", **{"async": True})

    await world.fire("SessionStart")
    await world.scope.hear()

    assert world.scope.warnings == ["async SessionStart hook: hook exited with code 3: `exit 3`"]
    await world.scope.thread.close()


async def test_detached_handlers_end_with_their_thread(world: Any) -> None:
    ready, alive = world.home / "ready", world.home / "alive"
    os.mkfifo(ready)
    os.mkfifo(alive)
    reading = asyncio.create_task(asyncio.to_thread(alive.read_bytes))
    world.commands("SessionStart", f"exec 9> {alive}; echo > {ready}; sleep 60", **{"async": True})
    await world.fire("SessionStart")
    await asyncio.to_thread(ready.read_bytes)

    await world.scope.thread.close()

    async with asyncio.timeout(10):
        assert await reading == b""


async def test_the_wizard_tower_sample_works(world: Any) -> None:
    guard = (
        """python3 -c 'import json,sys; d=json.load(sys.stdin); print(json.dumps("""
        """{"systemMessage":"calm"} if d["stop_hook_active"] else """
        """{"systemMessage":"continuing","decision":"block","reason":"%s"}))'"""
    )
    path = world.commands("Stop", """echo '{"systemMessage":"reviewed"}'""", guard % "cook", guard % "eat")

    first = await world.fire("Stop")
    second = await world.fire("Stop", stop_hook_active=True)

    assert [(prompt.text, prompt.run_id) for prompt in first.prompts] == [
        ("cook", f"stop:1:{path}"),
        ("eat", f"stop:2:{path}"),
    ]
    assert second.prompts == ()
    assert world.scope.texts == [
        ("warning", "reviewed"),
        ("warning", "continuing"),
        ("feedback", "cook"),
        ("warning", "continuing"),
        ("feedback", "eat"),
        ("warning", "reviewed"),
        ("warning", "calm"),
        ("warning", "calm"),
    ]
