"""Settings of plugins that no plugin has are told, and refused where the configuration is strict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from codex_testkit import Project
    from tests.host.conftest import Distributions

TURN = ("exec", "--skip-git-repo-check", "go")
MODEL = (
    'sandbox_mode = "danger-full-access"\nmodel_provider = "scripted"\n'
    '[model_providers.scripted]\nscript = "script.json"\n'
)


@pytest.fixture
def place(distributions: Distributions, project: Project) -> Project:
    """Return a project beside a plugin with one setting."""
    distributions.add("quiet-hours", manifest='[settings]\nguarded = "what is guarded"\n')
    project.write({"~/script.json": '[[{"say": "done"}]]'})
    project.run("plugins", "trust", "quiet-hours").assert_success()
    return project


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (
            '[plugins.quiet-hours]\ngaurded = ["rm"]\n',
            "plugins.quiet-hours.gaurded is ignored: plugin quiet-hours has no such setting; "
            "did you mean plugins.quiet-hours.guarded?",
        ),
        (
            "[plugins.quiet-hours]\ncolour = 1\n",
            "plugins.quiet-hours.colour is ignored: plugin quiet-hours has no such setting; it has: enabled, guarded",
        ),
        (
            "[plugins.quiet-hour]\nguarded = []\n",
            "plugins.quiet-hour is ignored: no plugin has that name; did you mean plugins.quiet-hours?",
        ),
        (
            "[profiles.night.plugins.quiet-hours]\ngaurded = []\n",
            "profiles.night.plugins.quiet-hours.gaurded is ignored: plugin quiet-hours has no such setting; "
            "did you mean profiles.night.plugins.quiet-hours.guarded?",
        ),
    ],
)
def test_a_setting_that_no_plugin_has_is_told_and_refused(place: Project, table: str, told: str) -> None:
    file = place.home / "config.toml"
    place.write({"~/config.toml": MODEL + table})

    ran, refused = place.run(*TURN), place.run("--strict-config", *TURN)

    ran.assert_success()
    assert f"{file}: {told}" in ran.stderr
    assert refused.status == 1
    assert f"Error: {file}: {told} (refused because of --strict-config)" in refused.stderr


@pytest.mark.parametrize(
    "table",
    [
        '[plugins.quiet-hours]\nguarded = ["rm"]\nenabled = true\n',
        '[plugins."quiet-hour@market"]\nenabled = true\n',
        "[plugins.tool-exec]\nanything = 1\n",
    ],
)
def test_settings_that_are_known_or_others_are_taken(place: Project, table: str) -> None:
    place.write({"~/config.toml": MODEL + table})

    ran = place.run("--strict-config", *TURN)

    ran.assert_success()
    assert "ignored" not in ran.stderr


def test_a_plugin_that_is_not_installed_is_refused_where_the_configuration_is_strict(place: Project) -> None:
    place.write({"~/config.toml": MODEL})
    option = ("-c", "plugins.entirely-different.x=1")

    ran, refused = place.run(*option, *TURN), place.run("--strict-config", *option, *TURN)

    assert "entirely-different" not in ran.stderr
    assert "command line: plugins.entirely-different is ignored: no plugin has that name (refused" in refused.stderr
