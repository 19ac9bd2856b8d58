"""The text output, line by line."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from codex_exec_cli.human import HumanReporter, duration, sandbox_summary
from codex_exec_cli.style import Style, wants_color
from codex_hookspecs.protocol import (
    AgentMessage,
    CommandExecution,
    DynamicToolCall,
    ErrorNotice,
    FileChange,
    FileUpdateChange,
    HookCompleted,
    HookEntry,
    HookRun,
    HookStarted,
    PlanStep,
    PlanUpdated,
    Reasoning,
    Thread,
    ThreadStartResponse,
    TurnDiffUpdated,
    TurnError,
    WarningNotice,
    WebSearch,
)

COMMAND: dict[str, Any] = {"id": "c", "command": "/bin/bash -lc 'cmd'", "cwd": "/w"}


def reporter(out: Any, err: Any, *, color: bool = False, **options: Any) -> HumanReporter:
    return HumanReporter(out, err, Style(enabled=color), title="codex-host v1", **options)


def opened() -> ThreadStartResponse:
    thread = Thread(
        id="the-id", session_id="the-id", model_provider="mock", created_at=1, updated_at=1, status={"type": "idle"},
        cwd="/w", cli_version="1", source="exec",
    )  # fmt: skip
    return ThreadStartResponse(
        thread=thread, cwd="/w", model="mock-model", model_provider="mock", approval_policy="never",
        approvals_reviewer="user", sandbox={"type": "dangerFullAccess"},
    )  # fmt: skip


def hook(status: Any, *entries: tuple[Any, str], message: str | None = None) -> HookRun:
    return HookRun(
        id="stop:0:/h", event_name="stop", source_path="/h", display_order=0, status=status, started_at=1,
        status_message=message, entries=tuple(HookEntry(kind, text) for kind, text in entries),
    )  # fmt: skip


def test_the_header_names_the_session_and_echoes_the_prompt(out, err) -> None:
    reporter(out, err).begin(opened(), "hello\nthere")

    assert err.text == (
        "codex-host v1\n--------\nworkdir: /w\nmodel: mock-model\nprovider: mock\napproval: never\n"
        "sandbox: danger-full-access\nreasoning effort: none\nreasoning summaries: none\nsession id: the-id\n"
        "--------\nuser\nhello\nthere\n"
    )
    assert out.text == ""


def test_colours_are_those_of_codex(out, err, make) -> None:
    shown = reporter(out, err, color=True)
    shown.begin(opened(), "hi")
    shown.show(make.completed(AgentMessage(id="m", text="hello")))
    shown.show(make.used(1200, 20, 12))
    shown.end("hello", completed=True)

    assert "\x1b[1mworkdir:\x1b[0m /w\n" in err.text
    assert "\x1b[36muser\x1b[0m\nhi\n\x1b[35m\x1b[3mcodex\x1b[0m\x1b[0m\nhello\n" in err.text
    assert err.text.endswith("\x1b[2mtokens used\x1b[0m\n1,192\n")
    assert out.text == "hello\n"


def test_a_command_is_shown_with_its_result_and_output(out, err, make) -> None:
    shown = reporter(out, err)
    shown.show(make.started(CommandExecution(**COMMAND, status="inProgress")))
    shown.show(
        make.completed(
            CommandExecution(**COMMAND, status="failed", aggregated_output="hi\ne\n", exit_code=3, duration_ms=750)
        )
    )
    shown.show(
        make.completed(
            CommandExecution(**COMMAND, status="completed", aggregated_output="", exit_code=0, duration_ms=558)
        )
    )
    shown.show(make.completed(CommandExecution(**COMMAND, status="declined")))

    assert err.text == (
        "exec\n/bin/bash -lc 'cmd' in /w\n exited 3 in 750ms:\nhi\ne\n\n succeeded in 558ms:\n declined\n"
    )


def test_a_patch_lists_its_files_in_order(out, err, make) -> None:
    changes = tuple(FileUpdateChange(path, {"type": "add"}, diff="") for path in ("/w/n", "/w/m"))
    shown = reporter(out, err)
    shown.show(make.started(FileChange(id="p", changes=changes, status="inProgress")))
    shown.show(make.completed(FileChange(id="p", changes=changes, status="completed")))
    shown.show(TurnDiffUpdated(thread_id="t", turn_id="u", diff="diff --git a/n b/n\n+a\n"))

    assert err.text == "apply patch\npatch: completed\n/w/m\n/w/n\ndiff --git a/n b/n\n+a\n\n"


def test_plans_searches_and_tools_have_a_line_each(out, err, make) -> None:
    shown = reporter(out, err)
    steps = (PlanStep("a", "completed"), PlanStep("b", "inProgress"), PlanStep("c", "pending"))
    shown.show(PlanUpdated(thread_id="t", turn_id="u", plan=steps))
    shown.show(make.started(WebSearch(id="w", query="cats")))
    shown.show(make.completed(DynamicToolCall(id="d", tool="dice", status="completed")))

    assert err.text == "  ✓ a\n  → b\n  • c\nweb search: cats\ntool: dice (completed)\n"


def test_reasoning_is_shown_unless_it_is_hidden(out, err, make) -> None:
    thought = make.completed(Reasoning(id="r", summary=("**Look**\n\nthinking",), content=("raw",)))

    reporter(out, err).show(thought)
    reporter(out, err, hide_reasoning=True).show(thought)
    reporter(out, err, raw_reasoning=True).show(thought)

    assert err.text == "**Look**\n\nthinking\nraw\n"


def test_hooks_are_shown_with_their_entries(out, err) -> None:
    shown = reporter(out, err)
    running = hook("running", message="sacking the guards")
    blocked = hook(
        "blocked", ("warning", "continuing"), ("feedback", "cook the stonpet"), ("context", "one\ntwo"), ("error", "x")
    )
    shown.show(HookStarted(thread_id="t", turn_id="u", run=running))
    shown.show(HookStarted(thread_id="t", turn_id="u", run=hook("running")))
    shown.show(HookCompleted(thread_id="t", turn_id="u", run=blocked))

    assert err.text == (
        "• Running Stop hook: sacking the guards\n• Running Stop hook\nStop hook (blocked)\n  warning: continuing\n"
        "  feedback: cook the stonpet\n  hook context: one\n    two\n  error: x\n"
    )


def test_errors_warnings_and_interruptions_are_shown(out, err, make) -> None:
    shown = reporter(out, err)
    error = TurnError("no luck", additional_details="because")
    shown.show(ErrorNotice(error=error, will_retry=False, thread_id="t", turn_id="u"))
    shown.show(make.ended("failed", error))
    shown.show(WarningNotice(message="mind"))
    shown.show(make.ended("interrupted"))

    assert err.text == "ERROR: no luck\nwarning: mind\nturn interrupted\n"


def test_the_final_message_goes_to_standard_output_unless_both_streams_are_terminals(err, out, make) -> None:
    out.terminal = True
    reporter(out, err).end("piped stderr", completed=True)
    err.terminal = True
    reporter(out, err).end("seen already", completed=True)
    reporter(out, err).end(None, completed=False)

    assert out.text == "piped stderr\n"


@pytest.mark.parametrize(
    ("milliseconds", "text"), [(0, "0ms"), (999, "999ms"), (1250, "1.25s"), (59_999, "60.00s"), (125_000, "2m 05s")]
)
def test_durations_are_short(milliseconds: int, text: str) -> None:
    assert duration(milliseconds) == text


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        ({"type": "readOnly", "networkAccess": False}, "read-only"),
        ({"type": "readOnly", "networkAccess": True}, "read-only (network access enabled)"),
        ({"type": "externalSandbox", "networkAccess": "enabled"}, "external-sandbox (network access enabled)"),
        ({"type": "workspaceWrite", "writableRoots": ["/a"]}, "workspace-write [workdir, /tmp, $TMPDIR, /a]"),
        (
            {"type": "workspaceWrite", "excludeSlashTmp": True, "excludeTmpdirEnvVar": True, "networkAccess": True},
            "workspace-write [workdir] (network access enabled)",
        ),
    ],
)
def test_a_sandbox_policy_is_summarised(policy: dict[str, Any], text: str) -> None:
    assert sandbox_summary(policy) == text


def test_colour_follows_the_choice_and_the_terminal() -> None:
    assert wants_color("always", terminal=False, environ={"NO_COLOR": "1"})
    assert not wants_color("never", terminal=True, environ={})
    assert wants_color("auto", terminal=True, environ={"TERM": "xterm"})
    assert not wants_color("auto", terminal=True, environ={"NO_COLOR": "1"})
    assert not wants_color("auto", terminal=False, environ={})


def test_control_characters_in_foreign_text_are_escaped(out, err, make) -> None:
    evil = "\x1b]0;title\x07\x1b[2J"
    shown = reporter(out, err)
    shown.begin(attrs.evolve(opened(), cwd=f"/w{evil}"), f"prompt{evil}")
    shown.show(make.completed(AgentMessage(id="1", text=f"said{evil}")))
    shown.show(make.started(CommandExecution(id="2", command=f"run{evil}", cwd=f"/w{evil}", status="inProgress")))
    shown.show(HookCompleted(thread_id="t", turn_id="u", run=hook("completed", ("context", f"told{evil}"))))
    shown.show(make.ended("failed", TurnError(f"broke{evil}")))
    shown.warn(f"beware{evil}")
    shown.end(None, completed=False)

    assert "\x1b" not in err.text
    assert "\x07" not in err.text
    assert err.text.count("^[]0;title^G^[[2J") == 8


def test_the_final_message_is_unchanged_for_programs_and_escaped_on_a_terminal(out, err) -> None:
    for stream, expected in ((out, "a\x1b[2J\n"), (type(out)(terminal=True), "a^[[2J\n")):
        reporter(stream, err).end("a\x1b[2J", completed=True)

        assert stream.text == expected
