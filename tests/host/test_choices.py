"""Who is asked where one answer counts: in an order that is written down, shown, and the user's to change."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from codex_testkit import Project
    from tests.host.conftest import Distributions

pytestmark = [
    pytest.mark.usefixtures("this_machine"),
    pytest.mark.skipif(sys.platform != "linux" or shutil.which("bwrap") is None, reason="needs bubblewrap"),
]
LAUNCHER = """
    from codex_hookspecs import hookimpl
    from codex_hookspecs.types.sandbox import Launch

    class Launcher:
        name = "mine"

        def launch(self, request):
            return Launch(argv=("sh", "-c", 'echo NAME; exec "$@"', "sh", *request.argv), env=request.env)

    @hookimpl
    def sandbox_launcher(policy, platform):
        return Launcher()
"""
TURN = (
    "exec", "--json", "--skip-git-repo-check", "--sandbox", "read-only",
    "-c", "model_provider=scripted", "-c", "model_providers.scripted.script=script.json",
)  # fmt: skip


@pytest.fixture
def place(distributions: Distributions, project: Project) -> Project:
    for name in ("alpha", "zeta"):
        distributions.add(name, plugin=LAUNCHER.replace("NAME", name), manifest='hooks = ["sandbox_launcher"]')
        project.run("plugins", "trust", name).assert_success()
    return project.write({"script.json": '[[{"sh": "echo works"}], [{"say": "done"}]]'})


def launched_by(place: Project, *options: str) -> str:
    """Return what the launcher of a command has said before it."""
    ran = place.run(*TURN, *options, "go")
    ran.assert_success()
    items = [event["item"] for event in ran.events() if event["type"] == "item.completed"]
    (output,) = [item["aggregated_output"] for item in items if item["type"] == "command_execution"]
    return output.removesuffix("works\n").strip()


def test_marks_decide_then_names_but_the_user_before_both(place: Project) -> None:
    assert launched_by(place) == ""  # bwrap is marked to be asked first
    assert launched_by(place, "-c", "plugins.sandbox-bwrap.enabled=false") == "alpha"
    assert launched_by(place, "-c", "plugins.zeta.first=true") == "zeta"
    assert launched_by(place, "-c", "plugins.zeta.first=true", "-c", "plugins.alpha.first=true") == "alpha"
    assert launched_by(place, "-c", "plugins.zeta.first=true", "-c", "plugins.zeta.enabled=false") == ""


def test_a_project_can_not_choose(place: Project) -> None:
    place.write({
        ".codex/config.toml": "[plugins.zeta]\nfirst = true\n",
        "~/config.toml": f"[projects.{str(place.root)!r}]\ntrust_level = 'trusted'\n",
    })  # fmt: skip

    assert launched_by(place) == ""


def test_who_shares_a_choice_is_shown(place: Project) -> None:
    rows = {line.split()[0]: line for line in place.run("plugins", "list").stdout.splitlines()}
    first = place.run("-c", "plugins.zeta.first=true", "plugins", "list").stdout
    facts = json.loads(place.run("plugins", "show", "zeta", "--json").stdout)

    shared = "sandbox_launcher shared with alpha, sandbox-bwrap, sandbox-landlock"
    assert f"enabled, trusted; {shared}" in rows["zeta"]
    assert "shared with" not in rows["sandbox-bwrap"]
    assert "sandbox_launcher asked before alpha, sandbox-bwrap, sandbox-landlock" in first
    assert facts["asked"]["sandbox_launcher"].startswith(
        "shared with alpha, sandbox-bwrap, sandbox-landlock: the first"
    )
    assert "(plugins.zeta.first = true has this one asked before all)" in place.run("plugins", "show", "zeta").stdout
