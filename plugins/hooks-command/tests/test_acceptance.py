"""Accepted hooks whose scripts have changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from codex_hooks_command import plugin

pytestmark = pytest.mark.anyio


class Project:
    """A project with one accepted gate, whose script denies."""

    def __init__(self, world: Any, script: str) -> None:
        self._world = world
        self.script: Path = world.project / script
        self.script.parent.mkdir(exist_ok=True)
        self.write("echo old >&2; exit 2")
        group = {"hooks": [{"type": "command", "command": f"sh {script}"}]}
        self.file = world.hooks({"PreToolUse": [group]}, folder=world.project / ".codex")
        world.layer("project", folder=str(world.project / ".codex"))

    def write(self, text: str) -> None:
        self.script.write_text(text)

    async def trust(self) -> None:
        (command,) = plugin.cli_commands()
        await command.run(["trust", "--all", "-C", str(self._world.project)], self._world.program)
        self.mark()

    def mark(self) -> None:
        """Put the mark of a review where Codex itself puts it, too."""
        registry = plugin.registry_cache_of(self._world.program).discover(self._world.program.config, bypass=False)
        from codex_hooks_command.trust import hash_of

        (one,) = registry.handlers
        text = f'[hooks.state."{one.key}"]\ntrusted_hash = "{hash_of(one.handler)}"\n'
        (self._world.home / "config.toml").write_text(text)
        self._world.turn += 1

    async def ask(self) -> Any:
        self._world.scope.reports.clear()
        return await self._world.fire("PreToolUse")


@pytest.fixture
def project(world: Any) -> Project:
    return Project(world, "tools/guard.sh")


async def test_an_accepted_script_runs_and_a_changed_one_does_not(world: Any, project: Project) -> None:
    await project.trust()
    assert (await project.ask()).deny_reason == "old"

    project.write("touch $CODEX_HOME/ran")
    verdict = await project.ask()

    assert verdict.deny_reason is None
    assert verdict.ask_reason.startswith(
        f"PreToolUse hook failed: the hook is not run: {project.script} has changed since the hook was accepted "
        f"(look at it, then run: codex hooks trust '{project.file}:pre_tool_use:0:0')"
    )
    assert [run.status for run in world.scope.ended] == ["failed"]
    assert not (world.home / "ran").exists()

    await project.trust()
    await project.ask()
    assert (world.home / "ran").exists()


async def test_the_list_shows_that_a_script_has_changed(
    world: Any, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    (command,) = plugin.cli_commands()
    await project.trust()
    await command.run(["list", "-C", str(world.project)], world.program)
    assert capsys.readouterr().out.splitlines()[-1].endswith("  runs")

    project.write("exit 0")
    await command.run(["list", "-C", str(world.project)], world.program)

    lines = capsys.readouterr().out.splitlines()
    assert lines[1].endswith("not run: script changed since trusted")
    assert lines[-1].endswith("run: codex hooks trust 0")


async def test_a_script_changed_within_the_turn_is_noticed(project: Project) -> None:
    await project.trust()
    project.write("exit 0")

    assert (await project.ask()).ask_reason is not None


async def test_scripts_of_a_hook_accepted_elsewhere_are_recorded_when_first_found(project: Project) -> None:
    project.mark()
    assert (await project.ask()).deny_reason == "old"

    project.write("exit 0")

    assert (await project.ask()).ask_reason is not None


async def test_a_script_created_after_the_hook_was_accepted_counts_as_changed(project: Project) -> None:
    project.script.unlink()
    await project.trust()
    project.write("exit 0")

    assert (await project.ask()).ask_reason is not None


async def test_a_script_in_another_directory_counts_as_changed(world: Any, project: Project) -> None:
    await project.trust()
    other = world.project / "sub" / "tools"
    other.mkdir(parents=True)
    (other / "guard.sh").write_text("exit 0")

    verdict = await world.fire("PreToolUse", cwd=str(world.project / "sub"))

    assert str(other / "guard.sh") in verdict.ask_reason


async def test_a_script_where_no_sandboxed_command_writes_may_change(world: Any) -> None:
    project = Project(world, ".codex/guard.sh")
    await project.trust()
    project.write("echo new >&2; exit 2")

    assert (await project.ask()).deny_reason == "new"


async def test_bypassing_the_review_runs_changed_scripts(world: Any, project: Project) -> None:
    await project.trust()
    project.write("echo new >&2; exit 2")
    world.program.config.values["bypass_hook_trust"] = True

    assert (await project.ask()).deny_reason == "new"


async def test_scripts_of_the_users_own_hooks_are_not_checked(world: Any) -> None:
    script = world.project / "guard.sh"
    script.write_text("echo old >&2; exit 2")
    world.commands("PreToolUse", "sh guard.sh")
    assert (await world.fire("PreToolUse")).deny_reason == "old"

    script.write_text("echo new >&2; exit 2")

    assert (await world.fire("PreToolUse")).deny_reason == "new"


@pytest.mark.parametrize("content", ["{", "[]", '{"k": 1}', "[" * 100_000])
async def test_an_unreadable_hash_file_is_replaced(world: Any, project: Project, content: str) -> None:
    (world.home / "hook_scripts.json").write_text(content)
    await project.trust()

    assert (await project.ask()).deny_reason == "old"
    assert len(json.loads((world.home / "hook_scripts.json").read_text())) >= 1


@pytest.mark.parametrize("form", ["PATH", "relative PATH", "BASH_ENV"])
async def test_a_script_named_by_a_variable_is_checked_too(
    world: Any, project: Project, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = world.project / "tools"
    variables = {
        "PATH": {"PATH": f"{tools}:/usr/bin:/bin"},
        "relative PATH": {"PATH": "tools:/usr/bin:/bin"},
        "BASH_ENV": {"BASH_ENV": str(tools / "guard.sh")},
    }
    world.program.environ = {**world.program.environ, **variables[form]}
    group = {"hooks": [{"type": "command", "command": "true" if form == "BASH_ENV" else "guard.sh"}]}
    project.file = world.hooks({"PreToolUse": [group]}, folder=world.project / ".codex")
    project.write("#!/bin/sh\necho old >&2; exit 2")
    project.script.chmod(0o755)
    await project.trust()
    assert (await project.ask()).deny_reason == "old"

    project.write("#!/bin/sh\ntouch $CODEX_HOME/ran")
    verdict = await project.ask()

    assert verdict.ask_reason.startswith("PreToolUse hook failed: the hook is not run:")
    assert not (world.home / "ran").exists()
