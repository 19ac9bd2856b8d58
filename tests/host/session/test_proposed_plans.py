"""Messages of plan mode, split into the plan and what is said besides it."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from codex_host.session.proposed_plans import PlanSplitter

GO = [{"type": "text", "text": "go"}]
CASES = {
    "plan only": ("<proposed_plan>\nhello\n</proposed_plan>", "hello\n", ""),
    "between text": ("Intro\n<proposed_plan>\n- a\n- b\n</proposed_plan>\nOutro", "- a\n- b\n", "Intro\nOutro"),
    "in a line": ("no plan <proposed_plan> x", "", "no plan <proposed_plan> x"),
    "not closed": ("<proposed_plan>\nunclosed", "unclosed", ""),
    "indented": ("  <proposed_plan>  \nx\n </proposed_plan>\n", "x\n", ""),
    "no plan": ("just text\n\nmore", "", "just text\n\nmore"),
    "almost": ("<proposed_plans>\n<\n</proposed_plan>\n", "", "<proposed_plans>\n<\n</proposed_plan>\n"),
    "two plans": ("<proposed_plan>\na\n</proposed_plan>\nb\n<proposed_plan>\nc\n</proposed_plan>", "a\nc\n", "b\n"),
    "carriage returns": ("<proposed_plan>\r\na\r\n</proposed_plan>\r\n", "a\r\n", ""),
    "the end of a tag at the end": ("text\n<proposed_plan", "", "text\n<proposed_plan"),
    "empty": ("", "", ""),
}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("name", CASES)
def test_a_message_is_split_the_same_however_it_arrives(name: str, size: int) -> None:
    text, plan, said = CASES[name]
    splitter = PlanSplitter()

    parts = [part for at in range(0, len(text), size) for part in splitter.feed(text[at : at + size])]
    parts += splitter.finish()

    assert "".join(part for inside, part in parts if inside) == plan
    assert "".join(part for inside, part in parts if not inside) == said


@pytest.mark.parametrize("name", ["plan only", "between text", "no plan"])
async def test_clients_get_the_plan_as_an_item_of_its_own(host: Any, model: Any, kit: Any, name: str) -> None:
    text, plan, said = CASES[name]
    scripted = model(text, "end")
    thread = await (await host(model=scripted).opened()).thread()
    watching = kit.Watching(thread)
    mode = {"mode": "plan", "settings": {"model": "m"}}

    turn_id = await thread.submit(GO, settings=attrs.evolve(thread.settings, collaboration_mode=mode))
    await thread.wait_idle()

    items = [each.item for each in watching.of("item/completed")][1:]
    wanted = [("plan", f"{turn_id}-plan", plan)] if plan else []
    assert [(item.TYPE, item.id, item.text) for item in items if item.TYPE == "plan"] == wanted
    assert [item.text for item in items if item.TYPE == "agentMessage"] == ([said] if said else [])
    assert "".join(each.delta for each in watching.of("item/plan/delta")) == plan
    assert [each.item.TYPE for each in watching.of("item/started")] != []
    assert thread.history[-1]["content"][0]["text"] == text  # the model's history has the message as it was


async def test_outside_of_plan_mode_a_plan_is_text(host: Any, model: Any, kit: Any) -> None:
    thread = await (await host(model=model(CASES["plan only"][0])).opened()).thread()
    watching = kit.Watching(thread)

    await thread.submit(GO)
    await thread.wait_idle()

    assert watching.of("item/plan/delta") == []
    assert watching.of("item/completed")[-1].item.text == CASES["plan only"][0]
