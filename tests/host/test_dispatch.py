"""Calling hooks: order, merging, isolation, time limits, quarantine."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import repeat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from codex_hookspecs import (
    PermissionVerdict,
    PostToolUseVerdict,
    PreToolUseVerdict,
    SessionStartVerdict,
    StopVerdict,
    Tool,
    UserPromptVerdict,
    hookimpl,
)
from codex_hookspecs.errors import ConfigError
from codex_hookspecs.markers import enabled_if, reports_runs, time_limit
from codex_hookspecs.types.lifecycle import ContinuationPrompt, SessionEndEvent, StopEvent
from codex_hookspecs.types.notifications import HookRun
from codex_host.plugins import tasks
from codex_host.plugins.dispatch import Dispatcher
from codex_host.plugins.hooks import Hooks
from codex_host.plugins.registry import Registry
from codex_host.plugins.stats_file import StatsFile

HOST = SimpleNamespace(logger=logging.getLogger)
EVENT = StopEvent(session_id="s", turn_id="t", cwd="/")


class Watched:
    """The scope of an event that keeps what it is told."""

    def __init__(self) -> None:
        self.runs: list[HookRun] = []
        self.warnings: list[str] = []
        self.config: dict[str, Any] = {}

    @property
    def told(self) -> list[str]:
        """The warnings without the place in this file that each names."""
        return [_without_place(warning) for warning in self.warnings]

    async def report(self, run: HookRun) -> None:
        self.runs.append(run)

    async def warn(self, text: str) -> None:
        self.warnings.append(text)


def _without_place(text: str) -> str:
    found = re.fullmatch(rf"(.*) \({re.escape(__file__)}:\d+\)(.*)", text)
    assert found, text
    return found[1] + found[2]


class Bench:
    """A dispatcher over plugins that are given as functions."""

    def __init__(self, *, stats_file: StatsFile | None = None, fail_closed: tuple[str, ...] = ()) -> None:
        self.registry = Registry()
        self.stats_file = stats_file or StatsFile()
        self.scope = Watched()
        self.scope.config = {"hooks": {"fail_closed": fail_closed}}
        self.dispatcher = Dispatcher(self.registry, self.stats_file, host=HOST)
        self.hooks = Hooks(self.dispatcher)

    def plug(self, name: str, **functions: Callable[..., Any]) -> None:
        marked = {hook: hookimpl(function) for hook, function in functions.items()}
        self.registry.register(SimpleNamespace(**marked), name)
        status = self.registry.status(name)
        status.version, status.distribution = "1.0", f"codex-{name}"

    async def ask(self, hook: str = "stop") -> Any:
        return await getattr(self.hooks, hook)(EVENT, self.scope)

    def stops(self, *functions: Callable[..., Any]) -> None:
        for index, function in enumerate(functions):
            self.plug(f"p{index}", stop=function)


def answering(answer: Any) -> Callable[..., Any]:
    """Return an implementation that answers one thing."""

    async def implementation(event: Any) -> Any:
        return answer

    return implementation


def raising(error: BaseException) -> Callable[..., Any]:
    """Return an implementation that raises one thing."""

    async def implementation(event: Any) -> Any:
        raise error

    return implementation


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_nobody_to_ask_means_no_opinion(bench: Bench) -> None:
    assert await bench.ask() == StopVerdict()
    assert not bench.hooks.stop.enabled()


async def test_plugins_are_asked_in_order_of_registration_unless_marked(bench: Bench) -> None:
    asked: list[str] = []

    def noting(name: str, **options: bool) -> None:
        async def stop(event: Any) -> None:
            asked.append(name)

        bench.registry.register(SimpleNamespace(stop=hookimpl(stop, **options)), name)

    noting("last", trylast=True)
    noting("a")
    noting("b")
    noting("first", tryfirst=True)

    await bench.ask()

    assert asked == ["first", "a", "b", "last"]


async def test_an_implementation_gets_exactly_what_it_asks_for(bench: Bench) -> None:
    got: list[Any] = []

    async def all_of_it(host: Any, scope: Any, event: Any) -> None:
        got.extend((host, scope, event))

    async def nothing() -> None:
        got.append("nothing")

    bench.stops(all_of_it, nothing)

    await bench.ask()

    assert got == [HOST, bench.scope, EVENT, "nothing"]


async def test_every_block_of_a_stop_is_kept_in_order(bench: Bench) -> None:
    bench.stops(answering(StopVerdict.block("one")), answering(None), answering(StopVerdict.block("two")))

    verdict = await bench.ask()

    assert [prompt.text for prompt in verdict.prompts] == ["one", "two"]
    assert [prompt.run_id.partition(":/")[0] for prompt in verdict.prompts] == ["stop:0", "stop:2"]


async def test_contexts_are_joined_and_the_first_stop_reason_counts(bench: Bench) -> None:
    answers = [
        SessionStartVerdict(contexts=("one", "two")),
        SessionStartVerdict(contexts=("three",), stop_reason="first"),
        SessionStartVerdict(stop_reason="second"),
    ]
    for index, answer in enumerate(answers):
        bench.plug(f"p{index}", session_start=answering(answer))

    verdict = await bench.ask("session_start")

    assert verdict == SessionStartVerdict(contexts=("one", "two", "three"), stop_reason="first")


async def test_any_block_of_a_prompt_wins(bench: Bench) -> None:
    bench.plug("a", user_prompt_submit=answering(UserPromptVerdict(contexts=("c",))))
    bench.plug("b", user_prompt_submit=answering(UserPromptVerdict(block_reason="no")))

    verdict = await bench.ask("user_prompt_submit")

    assert verdict == UserPromptVerdict(contexts=("c",), block_reason="no")


async def test_of_several_rewritten_inputs_the_first_counts(bench: Bench) -> None:
    bench.plug("a", pre_tool_use=answering(PreToolUseVerdict(updated_input={"command": "a"})))
    bench.plug("b", pre_tool_use=answering(PreToolUseVerdict(updated_input={"command": "b"})))

    verdict = await bench.ask("pre_tool_use")

    assert verdict.updated_input == {"command": "a"}


async def test_feedback_on_a_tool_is_collected(bench: Bench) -> None:
    bench.plug("a", post_tool_use=answering(PostToolUseVerdict.block("one")))
    bench.plug("b", post_tool_use=answering(PostToolUseVerdict.block("two")))

    verdict = await bench.ask("post_tool_use")

    assert verdict.feedback == ("one", "two")


@pytest.mark.parametrize(
    ("words", "outcome"),
    [(["allow", None], "allow"), (["allow", "deny"], "deny"), ([None, None], None), (["deny", "allow"], "deny")],
)
async def test_any_denial_of_a_permission_wins_then_any_consent(
    bench: Bench, words: list[Any], outcome: str | None
) -> None:
    for index, word in enumerate(words):
        bench.plug(f"p{index}", permission_request=answering(PermissionVerdict(behavior=word)))

    assert (await bench.ask("permission_request")).behavior == outcome


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("no luck"), "stop raised ValueError: no luck"),
        (SystemExit(3), "stop raised SystemExit: 3"),
        (asyncio.CancelledError(), "stop raised CancelledError"),
        (TimeoutError("their own"), "stop raised TimeoutError: their own"),
        (ExceptionGroup("two", [ValueError()]), "stop raised ExceptionGroup: two (1 sub-exception)"),
    ],
)
async def test_a_plugin_that_raises_is_named_and_does_not_reach_the_others(
    bench: Bench, error: BaseException, told: str
) -> None:
    bench.stops(raising(error), answering(StopVerdict.block("go on")))

    verdict = await bench.ask()

    assert [prompt.text for prompt in verdict.prompts] == ["go on"]
    assert bench.scope.told == [f"plugin p0 (codex-p0 1.0): {told}"]
    assert [run.status for run in bench.scope.runs] == ["failed", "blocked"]


async def test_a_plugin_that_calls_exit_while_it_waits_is_contained(bench: Bench) -> None:
    async def stop(event: Any) -> None:
        await asyncio.sleep(0)
        sys.exit("bye")

    bench.stops(stop)

    assert await bench.ask() == StopVerdict()
    assert bench.scope.told == ["plugin p0 (codex-p0 1.0): stop raised SystemExit: bye"]


async def test_a_task_that_a_hook_cancels_itself_is_no_interruption(bench: Bench) -> None:
    async def stop(event: Any) -> None:
        own = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        own.cancel()
        await own

    bench.stops(stop)

    assert await bench.ask() == StopVerdict()
    assert bench.scope.told == ["plugin p0 (codex-p0 1.0): stop raised CancelledError"]


@pytest.mark.parametrize("answer", [True, "text", {"decision": "block"}, UserPromptVerdict(block_reason="no")])
async def test_an_answer_of_another_type_is_refused(bench: Bench, answer: Any) -> None:
    bench.stops(answering(answer))

    assert await bench.ask() == StopVerdict()
    assert bench.scope.told == [
        f"plugin p0 (codex-p0 1.0): stop returned {type(answer).__name__}, not StopVerdict or None"
    ]


async def test_an_answer_of_too_many_parts_is_refused(bench: Bench) -> None:
    bench.stops(answering(StopVerdict(prompts=(ContinuationPrompt("go on"),) * 10_001)))

    assert await bench.ask() == StopVerdict()
    assert bench.scope.told == ["plugin p0 (codex-p0 1.0): stop returned more than 10000 prompts"]


async def test_a_slow_implementation_is_cut_off_at_its_own_limit(bench: Bench) -> None:
    ended: list[str] = []

    @time_limit(0.02)
    async def stop(event: Any) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cleaned up")

    bench.stops(stop, answering(StopVerdict.block("go on")))

    verdict = await bench.ask()

    assert len(verdict.prompts) == 1
    assert bench.scope.told == ["plugin p0 (codex-p0 1.0): stop took longer than 0.02 s"]
    assert ended == ["cleaned up"]


async def test_an_implementation_may_clean_up_for_a_moment(bench: Bench) -> None:
    ended: list[str] = []

    @time_limit(0.02)
    async def stop(event: Any) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.02)
            ended.append("cleaned up")

    bench.stops(stop)

    await bench.ask()

    assert ended == ["cleaned up"]
    assert bench.scope.told == ["plugin p0 (codex-p0 1.0): stop took longer than 0.02 s"]


@pytest.mark.parametrize("stubbornness", [1, 2, 50])
async def test_an_implementation_that_ignores_its_end_is_left_behind(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, stubbornness: int
) -> None:
    monkeypatch.setattr(tasks, "GRACE", 0.02)
    over = asyncio.Event()

    @time_limit(0.02)
    async def stop(event: Any) -> None:
        for _ in range(stubbornness):
            with suppress(asyncio.CancelledError):
                await over.wait()

    bench.stops(stop, answering(StopVerdict.block("go on")))

    async with asyncio.timeout(2):
        verdict = await bench.ask()

    over.set()
    assert len(verdict.prompts) == 1
    [warning] = bench.scope.warnings
    assert ("did not end when it was cancelled: it is left behind" in warning) is (stubbornness > 1)
    current = asyncio.current_task()
    assert current is not None
    assert current.cancelling() == 0


async def interrupted(bench: Bench) -> None:
    """Ask, interrupt once the hook waits, and see the interruption arrive."""
    task = asyncio.create_task(bench.ask())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(2):
            await task


async def test_an_interruption_passes_through_and_is_no_failure(bench: Bench) -> None:
    async def stop(event: Any) -> None:
        await asyncio.sleep(60)

    bench.stops(stop)

    await interrupted(bench)

    assert bench.scope.warnings == []
    assert bench.stats_file.stats("p0").failures == {}


async def test_an_interruption_that_a_hook_keeps_to_itself_arrives_nevertheless(bench: Bench) -> None:
    async def stop(event: Any) -> StopVerdict | None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return None
        return None

    bench.stops(stop)

    await interrupted(bench)


async def test_an_interruption_does_not_wait_for_a_hook_that_goes_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "GRACE", 0.02)
    over = asyncio.Event()

    async def stop(event: Any) -> None:
        while not over.is_set():
            with suppress(asyncio.CancelledError):
                await over.wait()

    bench.stops(stop)

    await interrupted(bench)

    over.set()
    [warning] = bench.scope.warnings
    line = stop.__code__.co_firstlineno + 3
    assert warning == (
        f"plugin p0 (codex-p0 1.0): stop did not end when it was cancelled and is left behind ({__file__}:{line})"
    )


async def test_a_hook_may_be_marked_to_fail_closed_by_the_user() -> None:
    bench = Bench(fail_closed=("pre_tool_use", "user_prompt_submit", "permission_request"))
    for hook in ("pre_tool_use", "user_prompt_submit", "permission_request"):
        bench.plug(hook.replace("_", "-"), **{hook: raising(ValueError("broken"))})

    denied = await bench.ask("pre_tool_use")
    blocked = await bench.ask("user_prompt_submit")
    refused = await bench.ask("permission_request")

    assert _without_place(denied.deny_reason).endswith("pre_tool_use raised ValueError: broken")
    assert _without_place(blocked.block_reason).endswith("raised ValueError: broken")
    assert refused.behavior == "deny"


async def test_a_plugin_is_quarantined_after_three_failures_in_a_row(bench: Bench, tmp_path: Path) -> None:
    bench.stats_file._path = tmp_path / "ledger.json"
    bench.stops(raising(ValueError("broken")))

    for _ in range(5):
        await bench.ask()
    bench.stats_file.save()

    assert len(bench.scope.warnings) == 3
    assert bench.scope.warnings[-1].endswith("; it is not called any more (run: codex plugins enable p0)")
    assert bench.registry.status("p0").quarantined == {"stop": "stop raised ValueError 3x"}
    assert not bench.hooks.stop.enabled()
    assert StatsFile(tmp_path / "ledger.json").stats("p0").quarantined == {"stop": "stop raised ValueError 3x"}


async def test_a_success_in_between_is_a_new_beginning(bench: Bench) -> None:
    outcomes = [True, True, False, True, True, False]

    async def stop(event: Any) -> None:
        if outcomes.pop(0):
            raise ValueError

    bench.stops(stop)

    for _ in range(6):
        await bench.ask()

    assert bench.stats_file.stats("p0").quarantined == {}


def test_offers_that_work_again_are_a_new_beginning(bench: Bench) -> None:
    outcomes = [True, True, False, True, True, False]

    def tools(thread: Any) -> list[Tool]:
        if outcomes.pop(0):
            raise ValueError
        return []

    bench.plug("a", tools=tools)

    for _ in range(6):
        bench.hooks.tools(None)

    assert bench.stats_file.stats("a").quarantined == {}


async def test_runs_of_python_hooks_are_reported_unless_they_are_marked_to_do_it_themselves(bench: Bench) -> None:
    @reports_runs
    async def reporting(event: Any, scope: Any) -> StopVerdict:
        return StopVerdict.block("mine")

    bench.stops(answering(StopVerdict.block("more")), reporting, answering(None))

    await bench.ask()

    [run] = bench.scope.runs
    assert (run.status, run.event_name, run.status_message) == ("blocked", "stop", "p0")
    assert run.id.startswith("stop:0:")
    assert [(entry.kind, entry.text) for entry in run.entries] == [("feedback", "more")]


@pytest.mark.parametrize("broken", [False, True])
async def test_runs_are_reported_whatever_parameters_an_implementation_takes(bench: Bench, broken: bool) -> None:
    def work() -> StopVerdict:
        if broken:
            raise ValueError("broken")
        return StopVerdict.block("more")

    async def with_all(event: Any, scope: Any, host: Any) -> StopVerdict:
        return work()

    async def with_none() -> StopVerdict:
        return work()

    bench.stops(with_all, with_none)

    await bench.ask()

    assert [run.status for run in bench.scope.runs] == ["failed" if broken else "blocked"] * 2


@pytest.mark.parametrize("broken", [False, True])
async def test_a_run_is_as_long_as_its_hook_took(bench: Bench, broken: bool) -> None:
    async def slow(event: Any) -> StopVerdict:
        await asyncio.sleep(1.1)
        if broken:
            raise ValueError("broken")
        return StopVerdict.block("more")

    bench.stops(slow)

    await bench.ask()

    [run] = bench.scope.runs
    assert run.duration_ms is not None
    assert run.duration_ms >= 1000
    assert run.completed_at is not None
    assert run.completed_at > run.started_at


async def test_costs_are_accounted(bench: Bench) -> None:
    async def stop(event: Any) -> None:
        await asyncio.sleep(0.01)

    bench.stops(stop)

    await bench.ask()
    await bench.ask()

    assert bench.stats_file.stats("p0").calls == 2
    assert bench.stats_file.stats("p0").total_ms >= 20


async def test_observers_run_side_by_side_and_fail_alone(bench: Bench) -> None:
    meeting = asyncio.Barrier(2)
    met: list[str] = []

    def meeting_as(name: str) -> Callable[..., Any]:
        async def session_end(event: Any) -> None:
            await meeting.wait()
            met.append(name)

        return session_end

    bench.plug("a", session_end=meeting_as("a"))
    bench.plug("b", session_end=raising(ValueError("broken")))
    bench.plug("c", session_end=meeting_as("c"))

    async with asyncio.timeout(2):
        await bench.hooks.session_end(SessionEndEvent(session_id="s", cwd="/"), bench.scope)

    assert sorted(met) == ["a", "c"]
    assert bench.scope.told == ["plugin b (codex-b 1.0): session_end raised ValueError: broken"]


async def test_what_observers_return_is_ignored(bench: Bench) -> None:
    bench.plug("a", session_end=answering("nonsense"))

    await bench.hooks.session_end(SessionEndEvent(session_id="s", cwd="/"), bench.scope)

    assert bench.scope.warnings == []


async def test_an_implementation_with_nothing_to_do_does_not_make_the_event(bench: Bench) -> None:
    here: Any = SimpleNamespace(config={})
    there: Any = SimpleNamespace(config={})

    @enabled_if(lambda host, thread: thread is here)
    async def stop(event: Any) -> None: ...

    bench.stops(stop)

    assert bench.hooks.stop.enabled(here)
    assert not bench.hooks.stop.enabled(there)


def test_a_predicate_that_raises_counts_as_nothing_to_do(bench: Bench) -> None:
    @enabled_if(lambda host, thread: thread.nonsense)
    async def stop(event: Any) -> None: ...

    bench.stops(stop)

    assert not bench.hooks.stop.enabled()
    assert "plugin p0 (codex-p0 1.0): stop raised AttributeError" in bench.dispatcher.warnings[0]


def roll() -> int:
    """Roll a die."""
    return 4


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (5, "returned int, not a list of Tool"),
        ("abc", "returned str where a Tool belongs"),
        ([roll], "returned function where a Tool belongs"),
        ([None], "returned NoneType where a Tool belongs"),
        (repeat(roll), "returned more than 10000 parts, each a Tool"),
    ],
)
def test_offers_of_another_type_are_refused(bench: Bench, answer: Any, told: str) -> None:
    bench.plug("a", tools=lambda thread: answer)
    bench.plug("b", tools=lambda thread: [Tool.from_function(roll)])

    offered = bench.hooks.tools(None)

    assert list(offered) == ["roll"]
    assert [_without_place(text) for text in bench.dispatcher.warnings] == [f"plugin a (codex-a 1.0): tools {told}"]


def test_an_offer_may_be_made_piece_by_piece(bench: Bench) -> None:
    def tools(thread: Any) -> Any:
        yield Tool.from_function(roll)

    def failing(thread: Any) -> Any:
        yield Tool.from_function(roll, name="other")
        raise ValueError("in the middle")

    bench.plug("a", tools=tools)
    bench.plug("b", tools=failing)

    assert list(bench.hooks.tools(None)) == ["roll"]
    assert [_without_place(text) for text in bench.dispatcher.warnings] == [
        "plugin b (codex-b 1.0): tools raised ValueError: in the middle"
    ]


def test_of_two_tools_with_one_name_the_hosts_own_is_kept(bench: Bench) -> None:
    first, second, third = (Tool.from_function(roll) for _ in range(3))
    bench.plug("a", tools=lambda thread: [first])
    bench.plug("b", tools=lambda thread: [second])
    bench.plug("c", tools=lambda thread: [third])
    bench.registry.status("b").first_party = True

    offered = bench.hooks.tools(None)

    assert offered["roll"] is second
    assert bench.dispatcher.warnings == [
        'Tool roll of plugin a is left out: plugin b offers one of that name (plugin_order.tools = "a" puts a first)',
        'Tool roll of plugin c is left out: plugin b offers one of that name (plugin_order.tools = "c" puts c first)',
    ]


def test_one_warning_is_kept_once(bench: Bench) -> None:
    bench.plug("a", tools=lambda thread: 5)

    bench.hooks.tools(None)
    bench.hooks.tools(None)

    assert len(bench.dispatcher.warnings) == 1


def test_the_first_choice_wins_and_a_broken_one_is_passed_over(bench: Bench) -> None:
    provider = SimpleNamespace(stream=None, aclose=None)

    def broken(name: str) -> Any:
        sys.exit(1)

    bench.plug("a", model_provider=lambda name, config: None)
    bench.plug("b", model_provider=broken)
    bench.plug("c", model_provider=lambda name: "not a provider")
    bench.plug("d", model_provider=lambda name: provider)
    bench.plug("e", model_provider=lambda name: SimpleNamespace(stream=None, aclose=None))

    assert bench.hooks.model_provider("x", {}) == (provider, "d")
    *failures, unused = bench.dispatcher.warnings
    assert [_without_place(text) for text in failures] == [
        "plugin b (codex-b 1.0): model_provider raised SystemExit: 1",
        "plugin c (codex-c 1.0): model_provider returned str where a ModelProvider belongs",
    ]
    assert unused.startswith("plugins d and e both answer model_provider for 'x', where one answer counts: ")


def test_a_plugin_after_the_one_that_answers_is_not_imported(bench: Bench) -> None:
    provider = SimpleNamespace(stream=None, aclose=None)
    imported: list[str] = []

    def importing(name: str, answer: Any) -> Callable[[], None]:
        def load() -> None:
            imported.append(name)
            bench.plug(name, model_provider=lambda: answer)

        return load

    bench.plug("b", model_provider=lambda: None)
    for name, answer in (("d", provider), ("c", provider), ("a", None)):
        bench.registry.deferred[name] = (frozenset(("model_provider",)), importing(name, answer))

    assert bench.hooks.model_provider("x", {}) == (provider, "c")
    assert imported == ["a", "c"]
    assert list(bench.registry.deferred) == ["d"]


def test_wrong_configuration_is_told_by_who_knows_it(bench: Bench) -> None:
    def model_provider(name: str) -> Any:
        raise ConfigError("base_url = 5, allowed is text", source="model_providers.x")

    bench.plug("a", model_provider=model_provider)

    with pytest.raises(ConfigError, match="base_url = 5"):
        bench.hooks.model_provider("x", {})


async def test_lists_of_an_event_are_joined_and_a_wrong_one_is_left_out(bench: Bench) -> None:
    told: list[str] = []
    fragment = SimpleNamespace(key="k", place="user", text="t", order=1)

    async def warn(text: str) -> None:
        told.append(text)

    bench.plug("a", instruction_fragments=lambda_async([fragment]))
    bench.plug("b", instruction_fragments=lambda_async("abc"))
    bench.plug("c", instruction_fragments=lambda_async(None))

    joined = await bench.hooks.instruction_fragments(None, None, warn=warn)

    assert joined == [fragment]
    assert [_without_place(text) for text in told] == [
        "plugin b (codex-b 1.0): instruction_fragments returned str where a Fragment belongs"
    ]


def lambda_async(answer: Any) -> Callable[..., Any]:
    """Return an implementation of ``instruction_fragments``."""

    async def implementation(thread: Any) -> Any:
        await asyncio.sleep(0)
        return answer

    return implementation


async def in_a_task_group() -> str:
    results: list[int] = []

    async def work(number: int) -> None:
        await anyio.lowlevel.checkpoint()
        results.append(number)

    async with anyio.create_task_group() as group:
        group.start_soon(work, 1)
        group.start_soon(work, 2)
    return str(sorted(results))


async def under_own_time_limit() -> str:
    try:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(60)
    except TimeoutError:
        return "timed out"
    return "late"


async def in_nested_cancel_scopes() -> str:
    with anyio.move_on_after(60) as outer:
        with anyio.move_on_after(0.01) as inner:
            await anyio.sleep(60)
        with anyio.CancelScope() as third:
            third.cancel()
            await anyio.sleep(60)
    return f"{outer.cancelled_caught} {inner.cancelled_caught} {third.cancelled_caught}"


async def failing_after() -> str:
    try:
        with anyio.fail_after(0.01):
            await anyio.sleep(60)
    except TimeoutError:
        return "failed"
    return "late"


async def in_a_thread() -> str:
    return await anyio.to_thread.run_sync(lambda: "from a thread")


async def yielding_bare() -> str:
    for _ in range(5):
        await asyncio.sleep(0)
    return "yielded"


async def with_a_cancelled_group() -> str:
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 60)
        await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    return "group over"


async def asyncio_task_group_failing() -> str:
    async def fail() -> None:
        raise LookupError

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            await asyncio.sleep(60)
    except* LookupError:
        pass
    return "one failed"


@pytest.mark.parametrize(
    ("work", "result"),
    [
        (in_a_task_group, "[1, 2]"),
        (under_own_time_limit, "timed out"),
        (in_nested_cancel_scopes, "False True True"),
        (failing_after, "failed"),
        (in_a_thread, "from a thread"),
        (yielding_bare, "yielded"),
        (with_a_cancelled_group, "group over"),
        (asyncio_task_group_failing, "one failed"),
    ],
)
async def test_hooks_use_the_event_loop_as_any_coroutine_does(
    bench: Bench, work: Callable[..., Any], result: str
) -> None:
    async def stop(event: Any) -> StopVerdict:
        return StopVerdict.block(await work())

    bench.stops(stop)

    verdict = await bench.ask()

    assert bench.scope.warnings == []
    assert verdict.prompts[0].text == result
    current = asyncio.current_task()
    assert current is not None
    assert current.cancelling() == 0


async def test_context_variables_of_the_turn_are_seen_in_a_hook(bench: Bench) -> None:
    from contextvars import ContextVar

    variable: ContextVar[str] = ContextVar("variable")
    variable.set("of the turn")

    async def stop(event: Any) -> StopVerdict:
        await asyncio.sleep(0)
        return StopVerdict.block(variable.get())

    bench.stops(stop)

    assert (await bench.ask()).prompts[0].text == "of the turn"
