"""A plugin whose import takes the program down is named at the next start and left out until it is enabled."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from codex_host.plugins.loading import HANG_SECONDS

if TYPE_CHECKING:
    from codex_testkit import Project
    from tests.host.conftest import Distributions

DEATHS = {
    "exits": "import os\nos._exit(3)\n",
    "crashes": "import ctypes\nctypes.string_at(0)\n",
    "is killed": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n",
}
TOLD = "plugin noisy is failed: the program ended while it was imported (run: codex plugins enable noisy)"
TURN = (
    "exec", "--skip-git-repo-check", "--sandbox", "danger-full-access",
    "-c", "model_provider=scripted", "-c", "model_providers.scripted.script=script.json", "go",
)  # fmt: skip


@pytest.fixture
def place(project: Project) -> Project:
    return project.write({"script.json": '[[{"say": "all done"}]]'})


def install(distributions: Distributions, place: Project, source: str) -> None:
    for name, code in (("calm", "x = 1\n"), ("noisy", source), ("zealous", "x = 1\n")):
        distributions.add(name, plugin=code)
        place.run("plugins", "trust", name).assert_success()


def marks(place: Project) -> list[str]:
    return [path.name for path in (place.home / "plugins").glob("importing-*")]


@pytest.mark.parametrize("how", DEATHS)
def test_the_next_start_leaves_out_what_took_the_program_down(
    distributions: Distributions, place: Project, how: str
) -> None:
    install(distributions, place, DEATHS[how])

    first, second, third = (place.run(*TURN) for _ in range(3))

    assert first.status != 0
    for later in (second, third):
        assert (later.status, later.stdout) == (0, "all done\n")
        assert TOLD in later.stderr
    assert marks(place) == []


def test_it_is_tried_again_when_it_is_enabled_changed_or_another_version(
    distributions: Distributions, place: Project
) -> None:
    install(distributions, place, DEATHS["exits"])
    for again in (
        lambda: place.run("plugins", "enable", "noisy").assert_success(),
        lambda: place.run("plugins", "trust", "noisy").assert_success(),
        lambda: place.write({"~/plugins/ledger.json": ""}),
    ):
        assert place.run(*TURN).status == 3
        assert place.run(*TURN).status == 0
        again()
    distributions.add("noisy", plugin="x = 1\n")
    place.run("plugins", "trust", "noisy").assert_success()

    assert TOLD not in place.run(*TURN).stderr


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_hang_that_is_ended_hard_is_remembered(
    distributions: Distributions, place: Project, number: signal.Signals
) -> None:
    install(distributions, place, "import time\nwhile True: time.sleep(1)\n")
    program = str(Path(sys.executable).with_name("codex"))
    environ = {**os.environ, "CODEX_HOME": str(place.home), "HOME": str(place.home)}
    hanging = subprocess.Popen(
        [program, *TURN], cwd=place.root, env=environ, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + 20
    while "noisy" not in "".join(path.read_text() for path in (place.home / "plugins").glob("importing-*")):
        assert time.monotonic() < end
        time.sleep(0.02)

    listed = json.loads(place.run("plugins", "show", "noisy", "--json").stdout)
    if number == signal.SIGTERM:  # which quick ones blame nobody for
        time.sleep(HANG_SECONDS + 0.2)
    hanging.send_signal(number)
    hanging.wait(20)

    assert listed["status"] == "enabled"  # who is still at it is not dead
    assert TOLD in place.run(*TURN).stderr


def test_an_interruption_that_a_plugin_makes_up_ends_nothing(distributions: Distributions, place: Project) -> None:
    install(distributions, place, "raise KeyboardInterrupt")

    ran = place.run(*TURN)

    assert (ran.status, ran.stdout) == (0, "all done\n")
    assert "plugin noisy is failed: KeyboardInterrupt (" in ran.stderr


def test_a_quick_interruption_blames_nobody(distributions: Distributions, place: Project) -> None:
    install(distributions, place, "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)\n")

    assert place.run(*TURN).status == 130
    assert marks(place) == []
    assert json.loads(place.run("plugins", "show", "noisy", "--json").stdout)["status"] == "enabled"


def test_the_commands_work_with_any_broken_plugin_and_import_none(distributions: Distributions, place: Project) -> None:
    install(distributions, place, DEATHS["crashes"])
    place.run(*TURN)

    for words in (["list"], ["show", "noisy"], ["disable", "noisy"], ["enable", "noisy"], ["distrust", "noisy"]):
        ran = place.run("plugins", *words)
        ran.assert_success()
        assert "Traceback" not in ran.stderr
    doctor = place.run("plugins", "doctor", "noisy")
    place.run("plugins", "trust", "noisy").assert_success()
    examined = place.run("plugins", "doctor", "noisy")

    assert "not examined, not trusted yet" in doctor.stdout
    assert "noisy: the process ended with status -" in examined.stdout


def test_what_is_no_mark_is_no_trap(distributions: Distributions, place: Project) -> None:
    install(distributions, place, "print('loaded')\n")
    (place.home / "plugins" / "importing-1").mkdir()
    for number, text in enumerate(("", "[" * 100_000, "[1]", "5", '["absent", "1"]', "\0"), 2):
        (place.home / "plugins" / f"importing-{number}").write_text(text)
    os.mkfifo(place.home / "plugins" / "importing-10")
    (place.home / "plugins" / "importing-11").symlink_to("trust.json")

    ran = place.run(*TURN)

    assert "loaded" in ran.stderr
    assert ran.stdout == "all done\n"
