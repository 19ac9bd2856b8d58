"""``codex hooks`` and ``hooks/list``."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from codex_hooks_command import plugin
from codex_hookspecs.errors import ConfigError
from codex_hookspecs.wire import check

pytestmark = pytest.mark.anyio


@pytest.fixture
def hooks(world: Any, capsys: pytest.CaptureFixture[str]) -> Any:
    (command,) = plugin.cli_commands()
    assert command.name == "hooks"

    async def run(*arguments: str) -> str:
        status = await command.run([*arguments, "-C", str(world.project)], world.program)
        assert status == 0
        return capsys.readouterr().out

    return run


@pytest.fixture
def keys(world: Any) -> list[str]:
    """Two hooks of the user and two of the project; returns their keys."""
    one = {"hooks": [{"type": "command", "command": "./check.sh"}]}
    user = world.hooks({"PreToolUse": [{"matcher": "Bash", **one}], "Stop": [one]})
    project = world.hooks({"SessionStart": [one], "Stop": [one]}, folder=world.project / ".codex")
    world.layer("project", folder=str(world.project / ".codex"))
    return [f"{user}:pre_tool_use:0:0", f"{user}:stop:0:0", f"{project}:session_start:0:0", f"{project}:stop:0:0"]


async def test_the_list_is_readable(world: Any, hooks: Any, keys: list[str]) -> None:
    lines = (await hooks("list")).splitlines()

    project = str(world.project).replace(str(world.program.environ["HOME"]), "~")
    assert lines[0].split() == ["#", "EVENT", "MATCHER", "COMMAND", "FROM", "STATUS"]
    assert lines[1].split() == ["0", "PreToolUse", "Bash", "./check.sh", "~/home/hooks.json", "runs"]
    assert lines[3].split() == [
        *["2", "SessionStart", "-", "./check.sh", f"{project}/.codex/hooks.json"],
        *["not", "run:", "not", "trusted"],
    ]
    assert lines[-1] == "2 hooks wait for your review. If you want what they do, run: codex hooks trust 2 3"


async def test_the_list_says_that_the_feature_is_off(world: Any, hooks: Any, keys: list[str]) -> None:
    world.program.features.on = False

    assert (await hooks("list")).endswith("No hook runs: the feature is off (run: codex features enable hooks)\n")


async def test_an_empty_list_says_so(hooks: Any) -> None:
    assert await hooks("list") == "No hooks are configured here.\n"


async def test_the_list_shows_errors_in_files(world: Any, hooks: Any) -> None:
    path = world.hooks({"Stpo": [], "Stop": [{"hooks": [{"type": "prompt"}]}]})

    assert (await hooks("list")).splitlines() == [
        "No hooks are configured here.",
        "",
        f'warning: unknown event "Stpo" in {path} is ignored (did you mean Stop?)',
        f"warning: skipping prompt hook in {path}: prompt hooks are not supported yet",
    ]


async def test_json_has_the_format_of_the_protocol(world: Any, hooks: Any, keys: list[str]) -> None:
    listed = json.loads(await hooks("list", "--json"))

    first = listed["hooks"][0]
    assert [hook["key"] for hook in listed["hooks"]] == keys
    assert {key: value for key, value in first.items() if key != "currentHash"} == {
        "key": keys[0],
        "eventName": "preToolUse",
        "handlerType": "command",
        "command": "./check.sh",
        "async": False,
        "matcher": "Bash",
        "timeoutSec": 600,
        "statusMessage": None,
        "additionalContextLimit": None,
        "sourcePath": str(world.user_file),
        "source": "user",
        "pluginId": None,
        "environmentId": None,
        "displayOrder": 0,
        "enabled": True,
        "isManaged": False,
        "trustStatus": "trusted",
        "skipped": None,
    }
    assert first["currentHash"].startswith("sha256:")
    assert [hook["trustStatus"] for hook in listed["hooks"]] == ["trusted", "trusted", "untrusted", "untrusted"]


async def test_hooks_are_trusted_by_number_or_key(world: Any, hooks: Any, keys: list[str]) -> None:
    listed = json.loads(await hooks("list", "--json"))["hooks"]

    printed = await hooks("trust", "2", keys[3])

    assert world.program.config.written == {
        f'hooks.state."{hook["key"]}".trusted_hash': hook["currentHash"] for hook in listed[2:]
    }
    assert printed.splitlines() == [
        f"Trusted SessionStart hook in {listed[2]['sourcePath']}:",
        "    ./check.sh",
        f"Trusted Stop hook in {listed[3]['sourcePath']}:",
        "    ./check.sh",
    ]


LONG = "python3 -c 'import sys; sys.exit(0)' " + "--option=value " * 6 + "&& rm -rf --no-preserve-root /" + "x" * 60


async def test_a_long_command_is_shown_completely_before_it_is_accepted(world: Any, hooks: Any) -> None:
    command = f"{LONG}\n\x1b[2Jsecond line"
    group = {"matcher": "Bash", "hooks": [{"type": "command", "command": command}]}
    path = world.hooks({"PreToolUse": [group]}, folder=world.project / ".codex")
    world.layer("project", folder=str(world.project / ".codex"))

    first, *rest = (await hooks("list")).splitlines()[1:]
    trusted = await hooks("trust", "0")

    column = first.index("python3")
    lines = [first, *(line for line in rest if line.startswith(" "))]
    shown = "".join(line[column : column + 48].replace(" ", "") for line in lines)
    assert shown == f"{LONG}^[[2Jsecond line".replace(" ", "")
    assert trusted == f"Trusted PreToolUse hook for Bash in {path}:\n    {LONG}\n    ^[[2Jsecond line\n"


async def test_all_means_all_hooks_of_the_project(world: Any, hooks: Any, keys: list[str]) -> None:
    await hooks("trust", "--all")

    assert list(world.program.config.written) == [f'hooks.state."{key}".trusted_hash' for key in keys[2:]]


async def test_untrust_revokes_trust_and_disables_own_hooks(world: Any, hooks: Any, keys: list[str]) -> None:
    printed = await hooks("untrust", "1", "3")

    assert world.program.config.written == {
        f'hooks.state."{keys[1]}".enabled': False,
        f'hooks.state."{keys[3]}"': None,
    }
    assert [line.split(":")[0] for line in printed.splitlines()[::2]] == ["Switched off", "No longer trusted"]


async def test_trusting_enables_a_hook_again(world: Any, hooks: Any, keys: list[str]) -> None:
    (world.home / "config.toml").write_text(f'[hooks.state."{keys[1]}"]\nenabled = false\n')
    assert "To switch on again what is switched off, run: codex hooks trust 1" in await hooks("list")

    await hooks("trust", "1")

    assert world.program.config.written[f'hooks.state."{keys[1]}".enabled'] is True


async def test_hooks_of_an_untrusted_project_can_not_be_trusted_one_by_one(world: Any, hooks: Any) -> None:
    world.hooks({"Stop": [{"hooks": [{"type": "command", "command": "x"}]}]}, folder=world.project / ".codex")
    world.layer("project", folder=str(world.project / ".codex"), disabled_reason="/p is not trusted (say so)")

    assert "not run: project not trusted" in await hooks("list")
    with pytest.raises(ConfigError, match=r"/p is not trusted \(say so\)"):
        await hooks("trust", "--all")
    assert world.program.config.written == {}


async def test_a_project_is_trusted_together_with_its_hooks(world: Any, hooks: Any) -> None:
    path = world.hooks({"Stop": [{"hooks": [{"type": "command", "command": "x"}]}]}, folder=world.project / ".codex")
    world.layer("project", folder=str(world.project / ".codex"), disabled_reason="/p is not trusted")

    printed = await hooks("trust", "--project", "--all")

    assert printed.splitlines() == [f"Trusted project {world.project}", f"Trusted Stop hook in {path}:", "    x"]
    assert list(world.program.config.written) == [
        f'projects."{world.project}".trust_level',
        f'hooks.state."{path}:stop:0:0".trusted_hash',
    ]


async def test_placeholders_of_a_sandbox_do_not_make_a_folder_a_project(world: Any, hooks: Any) -> None:
    world.hooks({"Stop": [{"hooks": [{"type": "command", "command": "x"}]}]}, folder=world.project / ".codex")
    world.layer("project", folder=str(world.project / ".codex"), disabled_reason="/p is not trusted")
    (world.project.parent / ".git").mkdir(mode=0o1755)

    printed = await hooks("trust", "--project", "--all")

    assert printed.splitlines()[0] == f"Trusted project {world.project}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trust"], "name hooks by key or number, or say --all"),
        (["trust", "9"], "there is no hook '9' here"),
        (["trust", "--all", "1"], "give either keys or --all"),
        (["untrust", "--all"], "the project has no hooks"),
    ],
)
async def test_an_invalid_command_line_is_an_error(world: Any, hooks: Any, arguments: list[str], message: str) -> None:
    world.commands("Stop", "true")

    with pytest.raises(ConfigError, match=message):
        await hooks(*arguments)


async def test_an_unknown_action_exits_with_status_2(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (command,) = plugin.cli_commands()

    assert await command.run(["burn"], world.program) == 2
    assert "invalid choice: 'burn'" in capsys.readouterr().err


async def test_a_missing_directory_is_told(world: Any) -> None:
    (command,) = plugin.cli_commands()

    with pytest.raises(ConfigError, match="there is no such directory"):
        await command.run(["list", "-C", "/no/such/place"], world.program)


async def test_clients_list_hooks_by_directory(world: Any, keys: list[str]) -> None:
    (method,) = plugin.rpc_methods()
    context = SimpleNamespace(host=world.program)

    answer = await method.handle(method.params(cwds=(str(world.project), "/elsewhere")), context)

    assert method.name == "hooks/list"
    assert [entry["cwd"] for entry in answer["data"]] == [str(world.project), "/elsewhere"]
    assert [hook["key"] for hook in answer["data"][0]["hooks"]] == keys
    assert [text.partition(" is not run")[0].partition(" in ")[0] for text in answer["data"][0]["warnings"]] == [
        "SessionStart hook `./check.sh`",
        "Stop hook `./check.sh`",
    ]
    assert answer["data"][0]["errors"] == []
    check(method.result(), answer)
