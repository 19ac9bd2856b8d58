"""Any first-party part is replaced by an installed plugin: by its kind, by its manifest, or by the user's setting."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from codex_testkit import Project
    from tests.host.conftest import Distributions

PAGE = Path(__file__).parents[2] / "docs/replacing-parts.md"
TURN = (
    "exec", "--json", "--skip-git-repo-check", "--sandbox", "danger-full-access",
    "-c", "model_provider=scripted", "-c", "model_providers.scripted.script=script.json",
)  # fmt: skip
STORE = """
    from codex_hookspecs import hookimpl
    from codex_testkit import MemoryThreadStore

    @hookimpl
    def thread_store():
        return MemoryThreadStore()
"""
PROVIDER = """
    from codex_hookspecs import hookimpl
    from codex_testkit import ScriptedModel

    @hookimpl
    def model_provider(name, config):
        return ScriptedModel("from elsewhere") if name == "scripted" else None
"""
TOOL = """
    from codex_hookspecs import Tool, hookimpl

    def exec_command(cmd: str) -> str:
        "Run a command."
        return f"not run: {cmd}"

    @hookimpl
    def tools():
        return [Tool.from_function(exec_command)]
"""
COMMAND = """
    from codex_hookspecs import CliCommand, hookimpl

    async def run(arguments, host):
        print("mine:", *arguments)
        return 0

    @hookimpl
    def cli_commands():
        return [CliCommand(name="exec", help="Mine.", run=run)]
"""
METHOD = """
    from codex_hookspecs import RpcMethod, hookimpl

    async def answer(params, context):
        return {"data": ["mine"], "nextCursor": None}

    @hookimpl
    def rpc_methods():
        return [RpcMethod(name="thread/loaded/list", params=None, handle=answer)]
"""
MACHINE = """
    from codex_hookspecs import ExecError, hookimpl

    class Nowhere:
        id = "local"
        default = True

        async def open(self):
            raise ExecError("nothing runs here")

    @hookimpl
    def environments():
        return [Nowhere()]
"""


@pytest.fixture
def place(project: Project) -> Project:
    return project.write({"script.json": '[[{"sh": "echo from the shell"}], [{"say": "all done"}]]'})


def install(distributions: Distributions, place: Project, source: str, manifest: str) -> None:
    """Install and trust the plugin ``zeta``, which comes last by its name."""
    distributions.add("zeta", plugin=source, manifest=manifest)
    place.run("plugins", "trust", "zeta").assert_success()


def turn(place: Project, *options: str) -> str:
    """Run a turn and return its events as text."""
    ran = place.run(*TURN, *options, "go")
    assert "Traceback" not in ran.stdout + ran.stderr
    return ran.stdout


def rollouts(place: Project) -> int:
    return len([*Path(place.home).rglob("rollout-*.jsonl")])


def test_threads_are_kept_where_an_installed_store_keeps_them(distributions: Distributions, place: Project) -> None:
    install(distributions, place, STORE, 'hooks = ["thread_store"]')

    assert "all done" in turn(place)
    assert rollouts(place) == 0

    turn(place, "-c", "plugin_order.thread_store=thread-store")
    assert rollouts(place) == 1


def test_a_replacement_that_is_not_trusted_replaces_nothing(distributions: Distributions, place: Project) -> None:
    distributions.add("zeta", plugin=STORE, manifest='hooks = ["thread_store"]')

    told = turn(place, "-c", "plugin_order.thread_store=zeta")

    assert "plugin_order.thread_store names zeta, which is untrusted: not trusted yet" in told
    assert rollouts(place) == 1


def test_an_installed_provider_answers_for_a_name_that_a_first_party_has(
    distributions: Distributions, place: Project
) -> None:
    install(distributions, place, PROVIDER, 'hooks = ["model_provider"]')

    assert "from elsewhere" in turn(place)
    assert "all done" in turn(place, "-c", "plugin_order.model_provider=model-scripted")


def test_the_doctor_finds_a_provider_that_answers_for_any_name(distributions: Distributions, place: Project) -> None:
    source = PROVIDER.replace(' if name == "scripted" else None', "")
    install(distributions, place, source, 'hooks = ["model_provider"]')

    ran = place.run("plugins", "doctor", "zeta")

    assert ran.status == 1
    assert ran.stdout == (
        "zeta: model_provider answers for a name that it can't know, so plugins after it are never asked; "
        "return None for other names\n"
    )


def test_a_tool_of_a_first_party_name_counts_when_the_user_says_so(
    distributions: Distributions, place: Project
) -> None:
    install(distributions, place, TOOL, 'hooks = ["tools"]')

    shadowed = turn(place)
    shown = place.run("plugins", "show", "zeta").stdout
    replaced = turn(place, "-c", "plugin_order.tools=zeta")

    assert "Tool exec_command of plugin zeta is left out" in shadowed
    assert any("not run: echo from the shell" in file.read_text() for file in Path(place.home).rglob("rollout-*.jsonl"))
    assert "is left out" not in replaced
    assert "command_execution" in shadowed
    assert "command_execution" not in replaced
    assert "tools: exec_command is shadowed by that of tool-exec (first-party names are kept)" in shown


def test_a_plugin_can_say_itself_that_it_comes_before_another(distributions: Distributions, place: Project) -> None:
    distributions.add("zeta", plugin=TOOL, manifest='hooks = ["tools"]\nbefore = ["tool-exec"]')
    place.run("plugins", "trust", "zeta").assert_success()

    ran = turn(place)

    assert "command_execution" not in ran
    assert "is left out" not in ran
    assert "zeta, tool-exec" in place.run("plugins", "hooks").stdout
    assert "exec_command shadows that of tool-exec (codex-plugin.toml of zeta: before)" in (
        place.run("plugins", "show", "zeta").stdout
    )


def test_a_command_of_a_first_party_name_is_run_when_the_user_says_so(
    distributions: Distributions, place: Project
) -> None:
    install(distributions, place, COMMAND, 'hooks = ["cli_commands"]\n[commands]\nexec = "Mine."')
    place.write({"~/config.toml": '[plugin_order]\ncli_commands = "zeta"\n'})

    assert place.run("exec", "a", "b").stdout == "mine: a b\n"


def test_a_method_of_a_first_party_name_answers_when_the_user_says_so(
    distributions: Distributions, place: Project
) -> None:
    install(distributions, place, METHOD, 'hooks = ["rpc_methods"]')
    messages = [
        {"id": 1, "method": "initialize", "params": {"clientInfo": {"name": "test", "version": "0"}}},
        {"method": "initialized"},
        {"id": 2, "method": "thread/loaded/list", "params": {}},
    ]
    sent = "".join(f"{json.dumps(message)}\n" for message in messages)

    def data(*options: str) -> list[str]:
        ran = place.run(*options, "app-server", stdin=sent)
        (answer,) = [json.loads(line) for line in ran.stdout.splitlines() if json.loads(line).get("id") == 2]
        found: list[str] = answer["result"]["data"]
        return found

    assert data() == []
    assert data("-c", "plugin_order.rpc_methods=zeta") == ["mine"]


def test_a_machine_of_a_first_party_name_is_used_when_the_user_says_so(
    distributions: Distributions, place: Project
) -> None:
    install(distributions, place, MACHINE, 'hooks = ["environments"]')

    assert "nothing runs here" not in turn(place)
    assert "nothing runs here" in turn(place, "-c", "plugin_order.environments=zeta")


def test_the_example_of_the_documentation_replaces_what_it_says(distributions: Distributions, place: Project) -> None:
    page = PAGE.read_text()
    (plugin,) = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    manifests = re.findall(r'^```toml\nname = "plan-file"\n(.*?)^```', page, re.DOTALL | re.MULTILINE)
    call = {"call": "update_plan", "args": {"plan": "1. think"}, "call_id": "plan"}
    place.write({"script.json": json.dumps([[call], [{"say": "planned"}]])})
    lines = [textwrap.dedent(manifest).replace("api = 1\n", "").split("\n", 1)[1] for manifest in manifests]
    told = re.search(r"^warning: (Tool update_plan .*)$", page, re.MULTILINE)
    assert told is not None

    distributions.add("plan-file", plugin=plugin, manifest=lines[0])
    place.run("plugins", "trust", "plan-file").assert_success()
    assert json.dumps(told[1]) in turn(place)
    assert not (place.root / "PLAN.md").exists()
    turn(place, "-c", "plugin_order.tools=plan-file")
    assert (place.root / "PLAN.md").read_text() == "1. think"

    (place.root / "PLAN.md").unlink()
    distributions.add("plan-file", plugin=plugin, manifest=lines[1])
    place.run("plugins", "trust", "plan-file").assert_success()
    turn(place)
    assert (place.root / "PLAN.md").read_text() == "1. think"
