"""What the host calls is what specifications declare: no hook is forgotten, none is called in another way."""

from __future__ import annotations

import ast
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import hook_reference
import pytest

import codex_host
from codex_hookspecs.markers import HookPolicy
from codex_hookspecs.specs import AREAS, lifecycle, surface
from codex_host.plugins.dispatch import Dispatcher
from codex_host.plugins.hooks import ChoiceHook, Hooks, ObserverHook, OfferHook, VerdictHook
from codex_host.plugins.registry import Registry
from codex_host.plugins.stats_file import StatsFile

SPECS = {name: (spec, policy) for area in AREAS for name, spec, policy in hook_reference.hooks_of(area)}
CALLED = {name for name, (_, policy) in SPECS.items() if not policy.not_called_yet}


def dispatcher() -> Dispatcher:
    return Dispatcher(Registry(), StatsFile(), host=None)  # type: ignore[arg-type]


def test_each_hook_is_a_method_unless_it_is_marked_as_not_called_yet() -> None:
    assert set(vars(Hooks(dispatcher()))) == CALLED
    assert {name for name, hook in vars(Hooks(dispatcher())).items() if hook.name != name} == set()


def test_each_method_is_called_somewhere() -> None:
    assert set(calls_in(Path(codex_host.__file__).parent)) == CALLED


def calls_in(folder: Path) -> set[str]:
    """Return which methods of an object named ``hooks`` are called in the modules of a folder."""
    trees = (ast.parse(file.read_text(encoding="utf-8")) for file in folder.rglob("*.py"))
    called = (node.func for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {
        function.attr
        for function in called
        if isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Attribute)
        and function.value.attr == "hooks"
    }


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        (VerdictHook, lifecycle.session_end),
        (ObserverHook, lifecycle.stop),
        (OfferHook, surface.app_server),
        (ChoiceHook, surface.rpc_methods),
    ],
)
def test_a_method_that_calls_in_another_way_than_its_specification_says_is_refused(
    kind: Callable[..., Any], spec: Callable[..., Any]
) -> None:
    with pytest.raises(TypeError, match=f"{spec.__name__} is no "):
        kind(dispatcher(), spec)


@pytest.mark.parametrize("name", [name for name, (_, policy) in SPECS.items() if policy.requires])
def test_what_is_required_of_a_contribution_is_part_of_its_class(name: str) -> None:
    spec, policy = SPECS[name]

    assert set(policy.requires) <= members(result_class(spec, policy))


@pytest.mark.parametrize("name", [name for name, (_, policy) in SPECS.items() if policy.result])
def test_what_a_specification_returns_is_a_class_of_the_contracts(name: str) -> None:
    assert isinstance(result_class(*SPECS[name]), type)


def result_class(spec: Callable[..., Any], policy: HookPolicy) -> Any:
    """Return the class that a specification names, from where its module imports it."""
    tree = ast.parse(Path(spec.__code__.co_filename).read_text(encoding="utf-8"))
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    [module] = {node.module for node in imports if policy.result in {alias.name for alias in node.names}}
    return getattr(import_module(module or ""), policy.result)


def members(kind: type) -> set[str]:
    return {name for base in kind.__mro__ for name in (*vars(base), *vars(base).get("__annotations__", {}))}
