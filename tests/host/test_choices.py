"""Who is asked where one answer counts: in an order that is written down, shown, and the user's to change."""

from __future__ import annotations

import json
import re
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


def test_third_parties_come_first_in_order_of_names_unless_the_user_says_otherwise(place: Project) -> None:
    assert launched_by(place) == "alpha"
    assert launched_by(place, "-c", "plugins.alpha.enabled=false") == "zeta"
    assert launched_by(place, "-c", "plugin_order.sandbox_launcher=zeta") == "zeta"
    assert launched_by(place, "-c", 'plugin_order.sandbox_launcher=["sandbox-bwrap", "zeta"]') == ""


def test_a_plugin_that_does_not_run_is_named_where_the_user_wants_it_first(place: Project) -> None:
    ran = place.run(*TURN, "-c", "plugin_order.sandbox_launcher=zeta", "-c", "plugins.zeta.enabled=false", "go")

    (told,) = [event["item"] for event in ran.events() if "plugin_order" in str(event)]
    assert told["message"] == (
        "plugin_order.sandbox_launcher names zeta, which is disabled: switched off in the configuration "
        "(run: codex plugins enable zeta)"
    )


@pytest.mark.parametrize(
    ("answer", "told"),
    [("1 / 0", "raised ZeroDivisionError"), ("'bwrap'", "returned str where a SandboxLauncher belongs")],
)
def test_a_launcher_that_can_not_be_had_is_told_in_the_turn_and_the_next_one_asked(
    place: Project, distributions: Distributions, answer: str, told: str
) -> None:
    source = f"""
        from codex_hookspecs import hookimpl

        @hookimpl
        def sandbox_launcher(policy):
            return {answer}
    """
    distributions.add("aaa", plugin=source, manifest='hooks = ["sandbox_launcher"]')
    place.run("plugins", "trust", "aaa").assert_success()

    ran = place.run(*TURN, "go")

    assert f"plugin aaa (codex-aaa 1.0.0): sandbox_launcher {told}" in ran.stdout
    assert "alpha\\nworks" in ran.stdout


def test_who_waits_for_the_answer_of_another_third_party_is_told(place: Project) -> None:
    told = (
        "plugins alpha and zeta both implement sandbox_launcher, where one answer counts: zeta is asked only when "
        'alpha has none (plugin_order.sandbox_launcher = "zeta" puts it first)'
    )

    unsettled, settled = (
        [event["item"]["message"] for event in place.run(*TURN, *options, "go").events() if "both" in str(event)]
        for options in ((), ("-c", "plugin_order.sandbox_launcher=alpha"))
    )

    assert unsettled == [told]
    assert settled == []


def test_a_project_can_not_choose(place: Project) -> None:
    place.write({
        ".codex/config.toml": "[plugin_order]\nsandbox_launcher = 'zeta'\n",
        "~/config.toml": f"[projects.{str(place.root)!r}]\ntrust_level = 'trusted'\n",
    })  # fmt: skip

    assert launched_by(place) == "alpha"


def test_who_comes_first_and_why_is_shown(place: Project) -> None:
    rows = {line.split()[0]: line for line in place.run("plugins", "list").stdout.splitlines()}
    facts = json.loads(place.run("plugins", "show", "zeta", "--json").stdout)
    bwrap = json.loads(place.run("plugins", "show", "sandbox-bwrap", "--json").stdout)
    chosen = json.loads(
        place.run("-c", "plugin_order.sandbox_launcher=zeta", "plugins", "show", "zeta", "--json").stdout
    )

    assert "enabled, trusted; sandbox_launcher before zeta, sandbox-bwrap, sandbox-landlock" in rows["alpha"]
    assert "enabled, trusted; sandbox_launcher only after alpha" in rows["zeta"]
    assert "only after" not in rows["sandbox-bwrap"]
    assert facts["order"] == {
        "sandbox_launcher": "asked only when alpha has no answer (in order of names); "
        'plugin_order.sandbox_launcher = "zeta" puts it first'
    }
    assert "asked only when alpha, zeta have no answer (third-party plugins come before first-party ones)" in str(
        bwrap["order"]
    )
    assert chosen["order"] == {
        "sandbox_launcher": "asked first, before alpha, sandbox-bwrap, sandbox-landlock "
        "(plugin_order.sandbox_launcher names zeta)"
    }


def test_the_order_of_one_hook_is_shown_with_what_changes_it(place: Project) -> None:
    place.run("plugins", "distrust", "zeta").assert_success()

    ran = place.run("plugins", "hooks", "sandbox_launcher")
    rows = [re.split("  +", line) for line in ran.stdout.splitlines()[3:]]

    assert rows[:3] == [
        ["1", "alpha", "enabled, trusted"],
        ["2", "sandbox-bwrap", "third-party plugins come before first-party ones", "enabled"],
        ["3", "sandbox-landlock", "codex-plugin.toml of sandbox-landlock: after", "enabled"],
    ]
    assert ["-", "zeta", "not trusted (run: codex plugins trust zeta)"] in rows
    assert ran.stdout.endswith('  [plugin_order]\n  sandbox_launcher = "sandbox-bwrap"\n')


def test_all_hooks_are_listed_with_who_implements_them(place: Project) -> None:
    ran = place.run("plugins", "hooks")
    facts = {each["hook"]: each for each in json.loads(place.run("plugins", "hooks", "--json").stdout)}
    unknown = place.run("plugins", "hooks", "sandbox_launchr")

    rows = {line.split()[0]: line.split(maxsplit=2)[1:] for line in ran.stdout.splitlines()}
    assert rows["sandbox_launcher"] == ["choose", "alpha, zeta, sandbox-bwrap, sandbox-landlock"]
    assert rows["pre_compact"] == ["event", "not called yet"]
    assert [each["name"] for each in facts["thread_store"]["plugins"]] == ["thread-store"]
    assert unknown.status == 1
    assert "there is no hook 'sandbox_launchr'; did you mean 'sandbox_launcher'?" in unknown.stderr


def test_a_command_that_rests_on_a_choice_is_not_run_by_its_shortcut_once_a_third_party_makes_one(
    distributions: Distributions, project: Project
) -> None:
    shortcut = project.home / "plugins" / "shortcut-sandbox"
    command = ("sandbox", "linux", "--", "echo", "works")
    assert project.run(*command).stdout == "works\n"
    assert shortcut.exists()

    distributions.add("zeta", plugin=LAUNCHER.replace("NAME", "zeta"), manifest='hooks = ["sandbox_launcher"]')
    project.run("plugins", "trust", "zeta").assert_success()

    assert [project.run(*command).stdout for _ in range(2)] == ["zeta\nworks\n"] * 2
    assert not shortcut.exists()


FAILING = """
    from codex_hookspecs import hookimpl

    @hookimpl
    def sandbox_launcher():
        1 / 0
"""


def test_a_failing_launcher_is_told_where_a_command_is_sandboxed_and_where_it_is_the_only_one(
    distributions: Distributions, project: Project
) -> None:
    distributions.add("fence", plugin=FAILING, manifest='hooks = ["sandbox_launcher"]')
    project.run("plugins", "trust", "fence").assert_success()
    told = r"plugin fence \(codex-fence 1\.0\.0\): sandbox_launcher raised ZeroDivisionError: .*plugin\.py:6\)"
    alone = ("-c", "plugins.sandbox-bwrap.enabled=false", "-c", "plugins.sandbox-landlock.enabled=false")
    project.write({"script.json": '[[{"sh": "echo works"}], [{"say": "done"}]]'})

    sandboxed = project.run("sandbox", "linux", "true")
    refused = project.run(*alone, *TURN, "go")  # It is called twice, for the third time in all then.
    quarantined = project.run("sandbox", "linux", "true")
    later = project.run(*alone, *TURN, "go")

    assert len(re.findall(f"warning: {told}", sandboxed.stderr)) == 1
    assert re.search(rf"no sandbox launcher on linux can enforce the policy read-only \(.*{told}", refused.stdout)
    assert "it is not called any more (run: codex plugins enable fence)" in refused.stdout
    quarantine = "plugin fence is quarantined: sandbox_launcher raised ZeroDivisionError 3x"
    assert quarantined.stderr.count(quarantine) == 1
    items = [event["item"] for event in later.events() if event["type"] == "item.completed"]
    assert [quarantine in str(item) for item in items if item["type"] == "command_execution"] == [True]
    assert [quarantine in str(item) for item in items if item["type"] == "error"].count(True) == 1
