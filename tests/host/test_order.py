"""The order of plugins that share a hook, and what is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from codex_hookspecs.tools import Tool, ToolOutput
from codex_host.plugins.order import Candidate, in_order, preferred
from codex_host.plugins.order_checks import order_faults, shadow_warnings
from codex_host.plugins.order_report import OrderReport
from codex_host.plugins.registry import PluginStatus, Registry
from codex_host.plugins.stats_file import StatsFile

if TYPE_CHECKING:
    from codex_hookspecs.markers import Kind

OURS = Candidate("ours", first_party=True)


def names(kind: Kind, *plugins: Candidate, wanted: tuple[str, ...] = ()) -> list[str]:
    return [plugin.name for plugin in in_order(kind, plugins, wanted)]


def test_a_third_party_s_choice_comes_first_and_a_first_party_name_is_kept() -> None:
    a, z = Candidate("a"), Candidate("z")

    assert names("choose", OURS, z, a) == ["a", "z", "ours"]
    assert names("offer", z, OURS, a) == ["ours", "a", "z"]
    assert names("event", z, OURS, a) == ["a", "ours", "z"]


def test_marks_go_before_whose_it_is_but_take_no_name_from_ours() -> None:
    first, last = Candidate("z", mark="tryfirst"), Candidate("a", mark="trylast")

    assert names("choose", OURS, first, last) == ["z", "ours", "a"]
    assert names("event", OURS, first, last) == ["z", "ours", "a"]
    assert names("offer", OURS, first, last) == ["ours", "z", "a"]


def test_a_plugin_moves_up_to_the_one_that_it_comes_before_and_the_others_stay() -> None:
    ours = [Candidate(name, first_party=True) for name in ("exec", "patch", "plan")]

    assert names("offer", *ours, Candidate("z", before=("patch",))) == ["exec", "z", "patch", "plan"]


def test_a_plugin_waits_for_the_one_that_it_comes_after_and_the_others_stay() -> None:
    assert names("choose", Candidate("a", after=("c",)), *map(Candidate, "bcd")) == ["b", "c", "a", "d"]


def test_what_manifests_say_holds_over_several_plugins() -> None:
    chain = (Candidate("a", after=("b",)), Candidate("b", after=("c",)), Candidate("c"), Candidate("z", before=("a",)))

    assert names("event", *chain) == ["z", "c", "b", "a"]


def test_a_circle_ends_with_every_plugin_in_the_order_once() -> None:
    circle = (Candidate("a", before=("b",)), Candidate("b", before=("a",)), Candidate("c", after=("c", "nobody")))

    assert sorted(names("event", *circle)) == ["a", "b", "c"]


def test_the_user_s_order_goes_before_everything() -> None:
    plugins = (OURS, Candidate("a", before=("ours",), mark="tryfirst"), Candidate("z"))

    assert names("choose", *plugins, wanted=("z", "missing", "ours")) == ["z", "ours", "a"]


def test_the_setting_names_one_plugin_or_several() -> None:
    assert preferred({"tools": "a", "stop": ["b", "c"]}) == {"tools": ("a",), "stop": ("b", "c")}
    assert preferred({}) == {}


def faults(*statuses: PluginStatus, **setting: tuple[str, ...]) -> list[str]:
    return order_faults({status.name: status for status in statuses}, setting, Registry().policies)


def test_what_can_not_be_meant_is_told() -> None:
    off = PluginStatus(name="off", state="disabled", detail="switched off", remedy="codex plugins enable off")
    other = PluginStatus(name="other", hooks=("tools",))

    assert faults(off, other, thread_stor=("off",), stop=("none", "off", "other")) == [
        "plugin_order.thread_stor: there is no hook 'thread_stor'; did you mean 'thread_store'?",
        "plugin_order.stop names none, which is not installed",
        "plugin_order.stop names off, which is disabled: switched off (run: codex plugins enable off)",
        "plugin_order.stop names other, which does not implement it",
    ]


def test_many_unknown_names_in_a_manifest_are_one_warning() -> None:
    a = PluginStatus(name="a", before=("x", "b", "y", "z"))

    assert faults(a, PluginStatus(name="b")) == [
        "plugin a: codex-plugin.toml has before = 'x', which is not installed (nor are 2 others)"
    ]


def test_unknown_names_and_circles_in_manifests_are_told_once() -> None:
    a = PluginStatus(name="a", before=("b",), after=("nobody",))
    b = PluginStatus(name="b", before=("a",))

    unknown, circle = faults(a, b)

    assert unknown == "plugin a: codex-plugin.toml has after = 'nobody', which is not installed"
    assert circle.startswith("plugins ask to come before each other in codex-plugin.toml: ")
    assert {"a before b before a", "b before a before b"} & {circle.partition(": ")[2].partition(";")[0]}


@pytest.fixture
def report() -> OrderReport:
    """Return what is told of four plugins, of which one has been in use and one does not run."""
    stats_file = StatsFile()
    stats_file.record_load("late", 1.0, {"thread_store": "trylast"})
    stats_file.record_shadowed("mine", "tools", {"roll": "ours"})
    statuses = (
        PluginStatus(name="ours", first_party=True, hooks=("thread_store", "tools")),
        PluginStatus(name="mine", hooks=("stop", "thread_store", "tools"), after=("late",)),
        PluginStatus(name="late", hooks=("stop", "thread_store")),
        PluginStatus(name="gone", state="untrusted", hooks=("thread_store", "tools")),
    )
    return OrderReport({status.name: status for status in statuses}, stats_file, {})


def test_who_comes_before_and_after_is_told_of_each_hook(report: OrderReport) -> None:
    assert report.of_plugin("ours") == {
        "thread_store": "asked first, before late, mine (late is marked trylast)",
        "tools": "roll shadows that of mine (first-party names are kept)",
    }
    assert report.of_plugin("mine") == {
        "stop": "called after late",
        "thread_store": "asked only when ours, late have no answer (codex-plugin.toml of mine: after); "
        'plugin_order.thread_store = "mine" puts it first',
        "tools": "roll is shadowed by that of ours (first-party names are kept); "
        'plugin_order.tools = "mine" puts it first',
    }
    assert report.of_plugin("gone") == {}


def _tool(name: str, *, of_client: bool = False) -> Tool:
    async def run(*_: object) -> ToolOutput:
        return ToolOutput(output="")

    return Tool(name=name, spec={}, run=run, of_client=of_client)


def test_who_shadows_whom_follows_the_setting_before_the_next_run(report: OrderReport) -> None:
    report._preferred = {"tools": ("mine",)}

    assert report.of_plugin("mine")["tools"] == "roll shadows that of ours (plugin_order.tools names mine)"
    assert report.facts("tools")["shadowed"] == [
        {"name": "roll", "plugin": "ours", "by": "mine", "why": "plugin_order.tools names mine"}
    ]


def test_a_plugin_that_offers_two_of_one_name_is_told_so() -> None:
    assert shadow_warnings(Registry(), "tools", _tool("dice"), "mine", "mine") == [
        "Tool dice of plugin mine is left out: the plugin offers two of that name"
    ]


def test_the_tool_of_a_client_is_called_that_and_no_order_is_advised() -> None:
    assert shadow_warnings(Registry(), "tools", _tool("dice", of_client=True), "mine", "app-server") == [
        "the client's tool dice is left out: plugin mine offers one of that name"
    ]


def test_a_command_that_nothing_decides_about_is_told_as_one_that_can_not_be_used() -> None:
    statuses = {name: PluginStatus(name=name, hooks=("cli_commands",), commands={"tally": ""}) for name in ("a", "b")}
    report = OrderReport(statuses, StatsFile(), {})

    assert list(report.shadowed("cli_commands")) == []
    assert report.facts("cli_commands")["refused"] == [{"name": "tally", "plugins": ["a", "b"]}]
    assert report.of_plugin("a") == {
        "cli_commands": "tally can't be used, since it is also offered by b; "
        'plugin_order.cli_commands = "a" puts it first'
    }
    assert report.summary("b") == "; tally can't be used beside a"

    report._preferred = {"cli_commands": ("b",)}

    assert list(report.refused("cli_commands")) == []
    assert report.of_plugin("b") == {"cli_commands": "tally shadows that of a (plugin_order.cli_commands names b)"}


def test_a_plugin_that_stands_before_a_first_party_one_stands_there_by_its_manifest() -> None:
    statuses = (
        PluginStatus(name="exec", first_party=True, hooks=("tools",)),
        PluginStatus(name="patch", first_party=True, hooks=("tools",)),
        PluginStatus(name="seating", hooks=("tools",), before=("patch",)),
    )
    report = OrderReport({status.name: status for status in statuses}, StatsFile(), {})

    assert [report.place("tools", at) for at in range(3)] == [
        "",
        "codex-plugin.toml of seating: before",
        "codex-plugin.toml of seating: before",
    ]
