"""Every hook is documented where it is declared, its example works, and the page printed from it is current."""

from __future__ import annotations

import inspect
import re
import textwrap

import hook_reference
import pluggy
import pytest

from codex_hookspecs.markers import PROJECT
from codex_hookspecs.specs import AREAS
from codex_hookspecs.wire._names import snake

HOOKS = [pytest.param(area, name, spec, id=name) for area in AREAS for name, spec, _ in hook_reference.hooks_of(area)]


def test_the_page_is_what_the_specifications_say() -> None:
    assert hook_reference.PAGE.read_text(encoding="utf-8") == hook_reference.render()


@pytest.mark.parametrize(("area", "name", "spec"), HOOKS)
def test_a_hook_says_what_it_is_given_and_what_it_may_answer(area, name, spec) -> None:
    text, fields = hook_reference.documentation(spec)
    expected = set(inspect.signature(spec).parameters)
    if inspect.signature(spec).return_annotation != "None":
        expected.add("return")

    assert set(fields) - {"raises"} == expected
    assert "``None``" in fields.get("return", "``None``")
    assert "fail" in text or "raises" in text or "none, " in text


@pytest.mark.parametrize(("area", "name", "spec"), HOOKS)
def test_the_example_of_a_hook_is_accepted(area, name, spec) -> None:
    example = textwrap.dedent((inspect.getdoc(spec) or "").partition("Example::\n")[2])
    plugin: dict[str, object] = {}
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(area)

    exec(compile(example, f"example of {name}", "exec"), plugin)
    manager.register(type("Example", (), {key: staticmethod(v) for key, v in plugin.items() if inspect.isfunction(v)}))

    assert [caller.name for caller in manager.hook.__dict__.values() if caller.get_hookimpls()] == [name]
    manager.check_pending()


def test_the_page_about_scripts_says_which_events_are_not_called_yet() -> None:
    text = (hook_reference.PAGE.parent / "hook-scripts.md").read_text(encoding="utf-8")
    rows = [line for line in text.partition("| event | when |")[2].partition("\n\n")[0].splitlines() if "`" in line]
    marked = {
        snake(name) for row in rows if "not called yet" in row for name in re.findall(r"`(\w+)`", row.split("|")[1])
    }

    policies = [(name, policy) for area in AREAS for name, _, policy in hook_reference.hooks_of(area)]
    assert marked == {name for name, policy in policies if policy.kind == "event" and policy.not_called_yet}
