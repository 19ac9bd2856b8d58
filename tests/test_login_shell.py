"""The profile of a login shell is run once for a thread, and held as its commands are."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codex_exec_local import plugin as exec_local
from codex_exec_remote import plugin as exec_remote
from codex_sandbox_bwrap import plugin as sandbox_bwrap
from codex_sandbox_landlock import plugin as sandbox_landlock
from codex_testkit.servers.exec_client import exec_server
from codex_tool_exec import plugin as tool_exec
from codex_tool_exec import profile as profiles

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.usefixtures("this_machine"),
    pytest.mark.skipif(not Path("/bin/bash").exists(), reason="needs /bin/bash"),
]
FREE = {"sandbox": "danger-full-access", "approval_policy": "never"}
HELD = {"sandbox": "workspace-write", "approval_policy": "never"}
PROFILE = """
echo Welcome; echo run >> "$LOG"; cd /; umask 077
export FROM_PROFILE="two
lines" TERM=fancy PATH="/opt/mine:$PATH"
unset DROPPED
alias greet='echo hello'
"""


@pytest.fixture
def person(tmp_path: Path) -> Path:
    """Home of a person with a profile that says, does and takes something."""
    home = tmp_path / "person"
    home.mkdir()
    (home / ".bash_profile").write_text(PROFILE)
    (home / ".bashrc").write_text('export FROM_RC=yes; echo noise; echo rc >> "$LOG"\n')
    return home


@pytest.fixture
def run(host: Any, model: Any, person: Path, tmp_path: Path) -> Callable[..., Any]:
    """Run commands, one after the other, and return what each wrote, its last line apart."""

    async def ran(*commands: str, params: Any = FREE, environ: Any = None, **config: Any) -> list[str]:
        rounds = [[{"sh": {"cmd": cmd, "shell": "/bin/bash"}}] for cmd in commands]
        scripted = model(*rounds, "done")
        variables = {
            "PATH": os.environ["PATH"], "HOME": str(person), "LOG": str(tmp_path / "log"), "DROPPED": "x",
            **(environ or {}),
        }  # fmt: skip
        plugins = (exec_local, exec_remote, tool_exec, sandbox_bwrap, sandbox_landlock)
        await host(plugins=plugins, model=scripted, environ=variables, params=params, config=config).turn("go")
        outputs = [item["output"] for item in scripted.requests[-1].input if item.get("type") == "function_call_output"]
        return [output.partition("Output:\n")[2] for output in outputs]

    return ran


def log(tmp_path: Path) -> list[str]:
    path = tmp_path / "log"
    return path.read_text().split() if path.exists() else []


async def test_commands_get_its_variables_and_nothing_else_of_it(run: Any, tmp_path: Path) -> None:
    show = 'echo "$FROM_PROFILE|$FROM_RC|$TERM|${PATH%%:*}|${DROPPED-gone}|$(umask)"; pwd; echo $SHLVL'

    outputs = await run(show, "pwd")

    assert outputs == [
        f"two\nlines|yes|fancy|/opt/mine|gone|{_umask()}\n{tmp_path}/project\n1\n",
        f"{tmp_path}/project\n",
    ]
    assert log(tmp_path) == ["run", "rc"]


async def test_commands_that_follow_share_one_run(run: Any, tmp_path: Path) -> None:
    assert len(await run("pwd", "pwd", "pwd")) == 3
    assert log(tmp_path) == ["run", "rc"]


async def test_it_is_held_by_the_sandbox_and_tells_nothing_of_it_to_commands(run: Any, tmp_path: Path) -> None:
    (tmp_path / "person/.bash_profile").write_text(
        'touch /work-made-by-profile 2>/dev/null || export KEPT=out; export WAS="$CODEX_SANDBOX_NETWORK_DISABLED"\n'
    )

    outputs = await run('echo "$KEPT $WAS $CODEX_SANDBOX_NETWORK_DISABLED"', params=HELD)

    assert outputs == ["out 1 1\n"]


async def test_what_the_configuration_sets_goes_before_what_it_sets(run: Any) -> None:
    policy = {"set": {"FROM_PROFILE": "mine", "DROPPED": "kept"}}

    assert await run('echo "$FROM_PROFILE $DROPPED"', shell_environment_policy=policy) == ["mine kept\n"]


@pytest.mark.parametrize("config", [{"allow_login_shell": False}, {"features": {"shell_snapshot": False}}])
async def test_it_can_be_switched_off(run: Any, tmp_path: Path, config: Any) -> None:
    await run("true", "true", **config)

    assert log(tmp_path) == ([] if "allow_login_shell" in config else ["run", "run"])


@pytest.mark.parametrize(
    "text", ["exit 3", "exec true", "export X=1; head -c 2000000 /dev/zero", 'while [ -z "$SECOND" ]; do sleep 1; done']
)
async def test_one_that_can_not_be_run_to_its_end_leaves_commands_to_run_it(
    run: Any, person: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(profiles, "LIMIT_SECONDS", 1.0)
    guard = 'case "$(tr "\\\\0" " " </proc/$$/cmdline)" in *env*) ;; *) return 0;; esac\n'
    (person / ".bash_profile").write_text(guard + text)

    assert await run("echo ran") == ["ran\n"]


async def test_on_another_machine_it_is_that_machine_s(run: Any, person: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (there / ".bash_profile").write_text('echo Welcome; cd /; echo there >> "$LOG"; export FROM_PROFILE=there\n')
    variables = {"HOME": str(there), "LOG": str(tmp_path / "log"), "PATH": os.environ["PATH"], "SHELL": "/bin/bash"}
    async with exec_server(env=variables) as server:
        outputs = await run('echo "$FROM_PROFILE $HOME"; pwd', "pwd", environ={"CODEX_EXEC_SERVER_URL": server.url})

    assert outputs == [f"there {there}\n{tmp_path}/project\n", f"{tmp_path}/project\n"]
    assert log(tmp_path) == ["there"]


def _umask() -> str:
    mask = os.umask(0)
    os.umask(mask)
    return f"{mask:04o}"
