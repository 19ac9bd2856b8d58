"""Slips of an author are told at once, with the place and the fix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.host.conftest import Codex, Distributions

MARK = "from codex_hookspecs import hookimpl\n\n"
STOP = MARK + "@hookimpl\nasync def stop(event): ...\n"
MOO = """
    from codex_hookspecs import CliCommand, hookimpl

    async def moo(arguments, host):
        print(*host.startup_warnings(), sep="\\n")
        return 0

    @hookimpl
    def cli_commands():
        return [CliCommand(name="moo", help="Moo.", run=moo)]
"""
TOLD = {
    "listed, not implemented": (
        STOP,
        'hooks = ["stop", "tools"]',
        "codex-plugin.toml lists the hook tools, which it does not implement; take it off the list",
    ),
    "implemented, not listed": (
        STOP + "@hookimpl\ndef tools(): ...\n",
        'hooks = ["tools"]',
        "it implements the hook stop, which codex-plugin.toml does not list; add it to hooks there",
    ),
    "listed as there is none": (
        STOP,
        'hooks = ["stop", "tool"]',
        "codex-plugin.toml lists the hook tool: there is no hook 'tool'; did you mean 'tools'?",
    ),
    "not marked": (
        MARK + "async def stop(event): ...\n",
        "",
        "the function stop (FOLDER/plugin.py:3) has the name of a hook but is not marked as one; "
        "write @hookimpl above it, or begin its name with _",
    ),
    "not marked in an object": (
        MARK + "class Plugin:\n    def tools(self): ...\n\nplugin = Plugin()\n",
        'hooks = ["tools"]',
        "the function tools (FOLDER/plugin.py:4) has the name of a hook but is not marked as one; "
        "write @hookimpl above it, or begin its name with _",
    ),
}
REFUSED = {
    "everything by name": (
        MARK + "@hookimpl\nasync def stop(**facts): ...\n",
        "found *args or **kwargs, which are never filled; take by name what you need of: event, scope, host",
    ),
    "everything in order": (MARK + "@hookimpl\nasync def stop(*facts): ...\n", "found *args or **kwargs"),
    "a generator": (
        MARK + "@hookimpl\nasync def stop(event):\n    yield None\n",
        "found a generator, write an async def that returns its answer: without yield",
    ),
}


def told(distributions: Distributions, codex: Codex, source: str, manifest: str = "", value: str = "plugin") -> str:
    """Return the warnings of a start with a trusted plugin of this source."""
    distributions.add("cow", plugin=MOO, manifest='[commands]\nmoo = "Moo."\n')
    points = f"[codex.plugins]\nnoisy = third_codex_noisy.{value}\n"
    distributions.add("noisy", plugin=source, manifest=manifest, points=points)
    for name in ("cow", "noisy"):
        codex("plugins", "trust", name)
    return codex("moo").out


def examined(codex: Codex, name: str) -> str:
    """Return what the doctor says of a plugin, without how long it took, which is the machine's affair."""
    lines = codex("plugins", "doctor", name).out.splitlines(keepends=True)
    return "".join(line for line in lines if ": remark: takes " not in line)


@pytest.mark.parametrize("slip", TOLD)
def test_what_a_plugin_says_of_itself_is_compared_with_what_it_does(
    distributions: Distributions, codex: Codex, slip: str
) -> None:
    source, manifest, text = TOLD[slip]
    text = text.replace("FOLDER", str(distributions.folder / "third_codex_noisy"))
    value = "plugin:plugin" if "object" in slip else "plugin"

    assert told(distributions, codex, source, manifest, value) == f"plugin noisy: {text}\n"
    assert examined(codex, "noisy") == f"noisy: {text}\n"
    assert codex("plugins", "doctor", "noisy").status == 1


@pytest.mark.parametrize(
    "source",
    [
        STOP,
        MARK + "@hookimpl(specname='stop')\nasync def tools(event): ...\n",
        STOP + "from json import loads as tools\nfrom codex_hookspecs import Tool as environments\n",
        STOP + "def _tools(): ...\ntools = [_tools]\n",
        STOP + "class Other:\n    def tools(self): ...\n",
    ],
)
def test_a_plugin_without_slips_is_told_nothing(distributions: Distributions, codex: Codex, source: str) -> None:
    assert told(distributions, codex, source, 'hooks = ["stop"]') == "\n"
    assert examined(codex, "noisy") == "noisy: ok\n"


def test_a_hook_that_is_not_called_yet_is_told_and_is_no_fault(distributions: Distributions, codex: Codex) -> None:
    source = MARK + "@hookimpl\nasync def subagent_stop(event): ...\n"
    text = "it implements the hook subagent_stop, which this version of the host does not call yet"

    assert told(distributions, codex, source, "") == f"plugin noisy: {text}\n"
    assert examined(codex, "noisy") == "noisy: ok\n"


@pytest.mark.parametrize("slip", REFUSED)
def test_what_can_never_be_filled_is_refused(distributions: Distributions, codex: Codex, slip: str) -> None:
    source, text = REFUSED[slip]

    assert f"plugin noisy is failed: plugin 'noisy', hook 'stop': {text}" in told(distributions, codex, source)


def test_the_doctor_tells_what_only_it_looks_for(distributions: Distributions, codex: Codex) -> None:
    source = MOO.replace('"moo"', '"mow"')
    told(distributions, codex, "x = 1\n")
    distributions.add("sheep", plugin=source, manifest='version = "2"\n[commands]\nbaa = "Baa."\n')
    codex("plugins", "trust", "sheep")

    assert examined(codex, "noisy") == ("noisy: it implements no hook; write @hookimpl above the functions that do\n")
    assert examined(codex, "sheep") == (
        "sheep: it offers the command mow, which codex-plugin.toml does not list\n"
        "  codex-plugin.toml lists the command baa, which it does not offer\n"
        "  codex-plugin.toml says version 2, its distribution has 1.0.0\n"
    )
