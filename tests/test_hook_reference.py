"""Hooks and public names are documented where they are declared, and the pages printed from that are current."""

from __future__ import annotations

import builtins
import inspect
import re
import textwrap
from pathlib import Path

import attrs
import hook_reference
import pluggy
import public_names
import pytest
import reference_entries

import codex_hookspecs
from codex_hookspecs.markers import PROJECT
from codex_hookspecs.specs import AREAS
from codex_hookspecs.wire._names import snake

HOOKS = [pytest.param(area, name, spec, id=name) for area in AREAS for name, spec, _ in hook_reference.hooks_of(area)]


PUBLIC = [pytest.param(name, page, id=f"{page}.{name.name}") for name, page in public_names.homes().items()]


def test_the_pages_are_what_the_contracts_say() -> None:
    rendered = hook_reference.pages()
    written = {path.relative_to(hook_reference.ROOT).as_posix() for path in hook_reference.ROOT.glob("reference/*")}

    assert written | {"hooks.md"} == set(rendered)
    assert [path for path, page in rendered.items() if (hook_reference.ROOT / path).read_text() != page] == []


@pytest.mark.parametrize(("name", "page"), PUBLIC)
def test_the_import_line_of_a_documented_name_works(name, page) -> None:
    line = re.search(r"`(from \S+ import \w+)`", reference_entries.entry(name, page))
    found: dict[str, object] = {}

    exec(line[1], found)

    assert found[name.name] is name.value


@pytest.mark.parametrize(("name", "page"), PUBLIC)
def test_what_a_documented_name_mentions_is_documented(name, page) -> None:
    mentioned = [
        each for text in public_names.annotations_of(name) for each in public_names.named_in(text, name.module)
    ]

    assert [each for each in mentioned if each not in public_names.homes()] == []


@pytest.mark.parametrize(("name", "page"), [each for each in PUBLIC if each.values[1] != "protocol"])
def test_every_field_of_a_value_and_of_an_error_is_explained(name, page) -> None:
    value = name.value
    fields: list[str] = []
    if inspect.isclass(value) and attrs.has(value):
        fields = [field.name for field in attrs.fields(value) if not field.inherited]
    elif inspect.isclass(value) and issubclass(value, Exception) and "__init__" in vars(value):
        fields = list(inspect.signature(value).parameters)
    elif hasattr(value, "_fields"):
        fields = list(value._fields)

    assert [field for field in fields if field not in hook_reference.documentation(value)[1]] == []


@pytest.mark.parametrize(("area", "name", "spec"), HOOKS)
def test_what_a_hook_is_given_and_answers_is_documented(area, name, spec) -> None:
    texts = spec.__annotations__.values()
    mentioned = [each for text in texts for each in public_names.named_in(text, area.__name__)]

    assert mentioned
    assert [each for each in mentioned if each not in public_names.homes()] == []


@pytest.mark.parametrize(("name", "page"), PUBLIC)
def test_a_documented_class_or_function_says_what_it_is_and_errors_it_can_raise_are_documented(name, page) -> None:
    text = reference_entries.entry(name, page)
    raised = set(re.findall(r"raises `(\w+)`", text))
    documented = {each.name for each in public_names.homes()}

    assert inspect.getdoc(name.value) or reference_entries.kind_of(name) in {"alias", "constant", "mark"}
    assert [each for each in raised if each not in documented and not hasattr(builtins, each)] == []


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
    text = (hook_reference.ROOT / "hook-scripts.md").read_text(encoding="utf-8")
    rows = [line for line in text.partition("| event | when |")[2].partition("\n\n")[0].splitlines() if "`" in line]
    marked = {
        snake(name) for row in rows if "not called yet" in row for name in re.findall(r"`(\w+)`", row.split("|")[1])
    }

    policies = [(name, policy) for area in AREAS for name, _, policy in hook_reference.hooks_of(area)]
    assert marked == {name for name, policy in policies if policy.kind == "event" and policy.not_called_yet}


def test_every_module_that_exports_names_has_a_page() -> None:
    source = Path(codex_hookspecs.__file__).parent
    files = [*source.glob("*.py"), *source.glob("*/__init__.py")]
    exporting = {
        path.stem if path.parent == source else path.parent.name for path in files if "__all__" in path.read_text()
    }

    assert {name for name in exporting if not name.startswith("_")} == set(public_names.PAGES) - {"markers"}
