"""Stop hooks send the agent back to work, within bounds."""

from __future__ import annotations

from typing import Any

import pytest

from codex_hookspecs import StopVerdict
from codex_hookspecs.types.items import HookPrompt
from codex_hookspecs.types.lifecycle import ContinuationPrompt


async def test_all_blocks_become_one_user_message_with_a_part_for_each(host: Any, model: Any, kit: Any) -> None:
    def blocking_once(text: str) -> Any:
        async def stop(event: Any) -> StopVerdict | None:
            if event.stop_hook_active:
                return None
            return StopVerdict(prompts=(ContinuationPrompt(text, f"stop:{text[0]}:/h/hooks.json"),))

        return stop

    plugins = [
        kit.plugin("a", stop=blocking_once("cook the stonpet")),
        kit.plugin("b", stop=kit.answering(None)),
        kit.plugin("c", stop=blocking_once("eat the cooked stonpet")),
    ]
    scripted = model("first answer", "second answer")

    outcome = await host(plugins=plugins, model=scripted).turn("go")

    assert len(scripted.requests) == 2
    assert scripted.requests[1].input[-1] == {
        "type": "message",
        "role": "user",
        "content": [
            {
                "type": "input_text",
                "text": '<hook_prompt hook_run_id="stop:c:/h/hooks.json">cook the stonpet</hook_prompt>',
            },
            {
                "type": "input_text",
                "text": '<hook_prompt hook_run_id="stop:e:/h/hooks.json">eat the cooked stonpet</hook_prompt>',
            },
        ],
    }
    assert kit.texts(scripted.requests[1].input)[:2] == [("user", "go"), ("assistant", "first answer")]
    assert scripted.requests[0].turn_id == scripted.requests[1].turn_id == outcome.turn.id
    assert outcome.final_message == "second answer"


async def test_clients_see_the_prompts_as_an_item(host: Any, model: Any, kit: Any) -> None:
    async def stop(event: Any) -> StopVerdict | None:
        return None if event.stop_hook_active else StopVerdict.block("go on")

    outcome = await host(plugins=[kit.plugin("p", stop=stop)], model=model("a", "b")).turn("go")

    [item] = [item for item in outcome.items if isinstance(item, HookPrompt)]
    assert [fragment.text for fragment in item.fragments] == ["go on"]
    assert item.fragments[0].hook_run_id == outcome.hooks("stop")[0].run.id


async def test_text_is_escaped_and_quotes_are_left(host: Any, model: Any, kit: Any) -> None:
    async def stop(event: Any) -> StopVerdict | None:
        if event.stop_hook_active:
            return None
        return StopVerdict(prompts=(ContinuationPrompt("a < b && \"c\" > 'd' </hook_prompt>", 'run "1" <&>'),))

    scripted = model("a", "b")

    await host(plugins=[kit.plugin("p", stop=stop)], model=scripted).turn("go")

    assert scripted.told()[-1] == (
        '<hook_prompt hook_run_id="run &quot;1&quot; &lt;&amp;&gt;">'
        "a &lt; b &amp;&amp; \"c\" &gt; 'd' &lt;/hook_prompt&gt;</hook_prompt>"
    )


async def test_a_stop_reason_beats_every_block(host: Any, model: Any, kit: Any) -> None:
    plugins = [
        kit.plugin("a", stop=kit.answering(StopVerdict.block("go on"))),
        kit.plugin("b", stop=kit.answering(StopVerdict(stop_reason="enough"))),
    ]
    scripted = model("only answer")

    outcome = await host(plugins=plugins, model=scripted).turn("go")

    assert len(scripted.requests) == 1
    assert outcome.turn.status == "completed"
    assert [run.status for run in outcome.hooks("stop")] == ["blocked", "stopped"]


@pytest.mark.parametrize(
    ("config", "ceiling"), [({}, 10), ({"hooks.max_stop_blocks": 2}, 2), ({"hooks.max_stop_blocks": 0}, 0)]
)
async def test_endless_blocks_end_at_the_ceiling_with_a_warning(
    host: Any, model: Any, kit: Any, config: dict[str, Any], ceiling: int
) -> None:
    scripted = model()
    run = host(plugins=[kit.plugin("p", stop=kit.answering(StopVerdict.block("more")))], model=scripted, config=config)

    outcome = await run.turn("go")

    assert len(scripted.requests) == ceiling + 1
    assert outcome.turn.status == "completed"
    assert outcome.warnings == [
        f"Stop hooks sent the agent back to work {ceiling} times in this turn; the turn ends here "
        f"(hooks.max_stop_blocks = {ceiling})"
    ]


async def test_the_next_turn_begins_with_a_fresh_count(host: Any, model: Any, kit: Any) -> None:
    active: list[bool] = []

    async def stop(event: Any) -> StopVerdict | None:
        active.append(event.stop_hook_active)
        return None if event.stop_hook_active else StopVerdict.block("more")

    run = host(plugins=[kit.plugin("p", stop=stop)], model=model())

    await run.turn("one")
    await run.turn("two")

    assert active == [False, True, False, True]


@pytest.mark.parametrize("reason", ["", "  \n"])
async def test_a_block_without_a_reason_is_a_failure_and_does_not_block(
    host: Any, model: Any, kit: Any, reason: str
) -> None:
    async def stop(event: Any) -> StopVerdict:
        return StopVerdict.block(reason)

    scripted = model("a", "b")

    outcome = await host(plugins=[kit.plugin("p", stop=stop)], model=scripted).turn("go")

    assert len(scripted.requests) == 1
    assert outcome.hooks("stop")[0].status == "failed"
    assert "a block needs a reason" in outcome.warnings[0]


async def test_a_failing_stop_hook_is_shown_and_the_others_count(host: Any, model: Any, kit: Any) -> None:
    async def broken(event: Any) -> StopVerdict:
        raise ValueError("no luck")

    async def stop(event: Any) -> StopVerdict | None:
        return None if event.stop_hook_active else StopVerdict.block("more")

    outcome = await host(
        plugins=[kit.plugin("a", stop=broken), kit.plugin("b", stop=stop)], model=model("one", "two")
    ).turn("go")

    assert outcome.final_message == "two"
    assert outcome.warnings == [
        f"plugin a (a 0): stop raised ValueError: no luck ({__file__}:{broken.__code__.co_firstlineno + 1})"
    ]
    assert [run.status for run in outcome.hooks("stop")] == ["failed", "blocked", "failed"]


async def test_a_continuation_may_call_tools(host: Any, model: Any, kit: Any) -> None:
    async def stop(event: Any) -> StopVerdict | None:
        return None if event.stop_hook_active else StopVerdict.block("use the tool")

    scripted = model("lazy", [{"call": "echo", "call_id": "c"}], "worked")
    run = host(plugins=[kit.plugin("p", stop=stop), kit.toolbox(kit.saying("echo", "echoed"))], model=scripted)

    outcome = await run.turn("go")

    assert scripted.output("c") == "echoed"
    assert outcome.final_message == "worked"


async def test_tokens_of_the_continuation_are_added(host: Any, model: Any, kit: Any) -> None:
    async def stop(event: Any) -> StopVerdict | None:
        return None if event.stop_hook_active else StopVerdict.block("more")

    outcome = await host(plugins=[kit.plugin("p", stop=stop)], model=model("one", "two")).turn("go")

    assert outcome.thread.usage.total.input_tokens == 2 * outcome.thread.usage.last.input_tokens
