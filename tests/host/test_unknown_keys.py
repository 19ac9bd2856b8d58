"""Keys that nobody knows: a slip is told with the key that was meant, ``--strict-config`` refuses all."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from codex_host.config.known_keys import unknown_keys
from codex_host.config.project_keys import USER_ONLY_KEYS
from codex_host.config.schema import RULES
from codex_testkit.project import Project, RunOutcome


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def run(project: Project, *options: str) -> RunOutcome:
    project.write({"~/script.json": json.dumps([[{"say": "done"}]])})
    script = {"CODEX_MODEL_SCRIPT": str(project.home / "script.json")}
    command = (*options, "-c", "model_provider=scripted", "exec", "--skip-git-repo-check", "hello")
    return project.run(*command, environ=script)


@pytest.mark.parametrize(
    ("text", "key", "near"),
    [
        ('sandbox_mod = "read-only"', "sandbox_mod", "sandbox_mode"),
        ('aproval_policy = "never"', "aproval_policy", "approval_policy"),
        ('model_providers.x.baseurl = "http://x"', "model_providers.x.baseurl", "model_providers.x.base_url"),
        ('model_providers."a.b".env_keys = "X"', 'model_providers."a.b".env_keys', 'model_providers."a.b".env_key'),
        ("[profiles.p]\nmodell = 'm'", "profiles.p.modell", "profiles.p.model"),
        ("features.undoo = true", "features.undoo", "features.undo"),
        ("sandbox_workspace_write.network_acces = true", "sandbox_workspace_write.network_acces", None),
        ('projects."/x".trust_leve = "trusted"', "projects./x.trust_leve", "projects./x.trust_level"),
    ],
)  # fmt: skip
def test_a_slip_is_told_with_the_key_that_was_meant(project: Project, text: str, key: str, near: str | None) -> None:
    project.write({"~/config.toml": text})

    ran = run(project)

    near = near or "sandbox_workspace_write.network_access"
    assert ran.status == 0
    assert f"{project.home}/config.toml: unknown key {key} is ignored; did you mean {near}?" in ran.stderr


def test_a_slip_of_the_command_line_is_told(project: Project) -> None:
    assert "command line: unknown key sandbox_mod is ignored" in run(project, "-c", "sandbox_mod=read-only").stderr


@pytest.mark.parametrize(
    "text", ["entirely_different = 1", "[tui]\ntheme = 'x'", "notice.x = 1", "plugins.x.anything = 1", "otel.x = 1"]
)
def test_keys_of_other_programs_and_releases_are_no_slips(project: Project, text: str) -> None:
    project.write({"~/config.toml": text})

    assert "unknown key" not in run(project).stderr


@pytest.mark.parametrize("name", sorted({*RULES, *USER_ONLY_KEYS} - {"features.*"}))
def test_every_key_that_is_read_is_known(name: str) -> None:
    table: object = 1
    for part in reversed(name.replace("*", "x").split(".")):
        table = {part: table}

    assert isinstance(table, dict)
    assert [found.key for found in unknown_keys(table) if found.key != "profiles.x"] == []


def test_strict_configuration_refuses_what_nobody_knows(project: Project) -> None:
    project.write({"~/config.toml": "entirely_different = 1"})

    refused, features = run(project, "--strict-config"), project.run("--strict-config", "features", "list")

    told = f"Error: {project.home}/config.toml: unknown key entirely_different (refused because of --strict-config)\n"
    assert (refused.status, refused.stderr.endswith(told)) == (1, True)
    assert (features.status, features.stderr) == (1, told)
    assert run(project, "--strict-config", "-c", "sandbox_mod=x").status == 1


def test_strict_configuration_takes_what_is_known(project: Project) -> None:
    project.write({"~/config.toml": 'model_reasoning_summary = "none"\n[features]\nundo = true\n[tui]\ntheme = "x"\n'})

    run(project, "--strict-config").assert_success()


def test_a_table_of_a_provider_that_nobody_serves_is_told_with_what_it_lacks(project: Project) -> None:
    project.write({"~/config.toml": '[model_providers.corp]\nname = "Corp"\nbaseurl = "http://x/v1"\n'})

    ran = project.run("-c", "model_provider=corp", "exec", "--skip-git-repo-check", "hello")

    assert ran.status == 1
    assert "no plugin serves its table [model_providers.corp], which has baseurl, name" in ran.stderr
    assert "needs base_url" in ran.stderr


def test_a_file_of_very_many_unknown_keys_takes_no_time() -> None:
    began = time.monotonic()

    found = list(unknown_keys({f"sandbox_mode{number}": 1 for number in range(100_000)}))

    assert len(found) == 100_000
    assert found[0].near == "sandbox_mode"
    assert time.monotonic() - began < 5
