"""The program ``apply_patch`` that commands of a model find: which spellings work, and what guards it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from codex_testkit.servers.responses import ResponsesServer

pytestmark = pytest.mark.usefixtures("this_machine")
CODEX = str(Path(sys.executable).with_name("codex"))
LIMIT = 120
MODE = 'approval_policy = "never"\nsandbox_mode = "workspace-write"\n'
PROGRAM = [sys.executable, "-I", "-m", "codex_tool_apply_patch"]


def patch(name: str) -> str:
    return f"*** Begin Patch\n*** Add File: {name}\n+a\n*** End Patch"


def here(name: str, end: str = "'EOF'") -> str:
    """Return a here-document that holds a patch."""
    return f"<<{end}\n{patch(name)}\n{end.strip(chr(39))}"


SCRIPTS = {
    "argument": f"apply_patch '{patch('argument')}'",
    "double quotes": f'apply_patch "{patch("double quotes")}"',
    "pipe": f"cat <<'EOF' | apply_patch\n{patch('pipe')}\nEOF",
    "pipe of printf": f"printf '%s\\n' '{patch('pipe of printf')}' | apply_patch",
    "and": f"apply_patch <<'EOF' && echo done\n{patch('and')}\nEOF",
    "then ls": f"apply_patch {here('then ls')}\nls",
    "cd": f"cd sub; apply_patch {here('../cd')}",
    "set -e": f"set -e\napply_patch {here('set -e')}",
    "subshell": f"(apply_patch {here('subshell')}\n)",
    "file": f"printf '%s' '{patch('file')}' > p.txt; apply_patch < p.txt",
    "substitution": f'apply_patch "$(cat {here("substitution")}\n)"',
    "variable": f"p='{patch('variable')}'; apply_patch \"$p\"",
    "condition": f"if apply_patch {here('condition')}\nthen echo ok; fi",
    "env": f"env apply_patch '{patch('env')}'",
    "other shell": f"sh -c 'apply_patch \"{patch('other shell')}\"'",
    "comment": f"# add a file\napply_patch {here('comment')}",
    "other name": f"true; applypatch '{patch('other name')}'",
}
TOOL_SCRIPTS = {
    "here-document": f"apply_patch {here('here-document')}",
    "here-document of another end": f"apply_patch {here('here-document of another end', 'PATCH')}",
    "dash": f"apply_patch - {here('dash')}",
    "applypatch": f"applypatch {here('applypatch')}",
    "carriage returns": f"apply_patch {here('carriage returns')}".replace("\n", "\r\n"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("home", "ws/sub"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def run(folder: Path, scripts: list[str], *, config: str = MODE, home: str = "home", login: bool = True) -> list[str]:
    """Have a model run scripts; return what it reads of each."""
    calls = [{"sh": {"cmd": script, "login": login, "yield_time_ms": 30_000}} for script in scripts]
    with ResponsesServer() as server:
        server.play([*([call] for call in calls), [{"say": "x"}]])
        provider = f'[model_providers.m]\nname = "m"\nbase_url = "{server.url}"\nwire_api = "responses"\n'
        (folder / home / "config.toml").write_text(f'model_provider = "m"\nmodel = "m"\n{config}{provider}')
        path = os.environ.get("PATH", os.defpath)
        env = {"PATH": path, "HOME": str(folder), "CODEX_HOME": str(folder / home), "LANG": "C.UTF-8"}
        subprocess.run(
            [CODEX, "exec", "--json", "--skip-git-repo-check", "go"],
            cwd=folder / "ws", env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT, check=True,
        )  # fmt: skip
        found = server.turns[-1].body["input"]
    return [item["output"] for item in found if item["type"].endswith("_output")]


@pytest.mark.parametrize("login", [True, False], ids=["login shell", "plain shell"])
def test_a_patch_is_applied_however_a_script_spells_it(folder: Path, login: bool) -> None:
    scripts = SCRIPTS | TOOL_SCRIPTS

    outputs = dict(zip(scripts, run(folder, list(scripts.values()), login=login), strict=True))

    assert {name: output for name, output in outputs.items() if "Success. Updated" not in output} == {}
    assert {name for name in scripts if not (folder / "ws" / name).is_file()} == set()


def test_the_program_is_held_to_the_sandbox_and_its_folder_is_closed(folder: Path) -> None:
    outside = folder / "outside"
    outside.mkdir()
    script = f"apply_patch '{patch(str(outside / 'x'))}'; echo status $?"
    plant = 'd=$(dirname "$(command -v apply_patch)"); touch "$d/ls"; echo x > "$d/apply_patch"; echo still "$d"'
    config = f"{MODE}[sandbox_workspace_write]\nexclude_slash_tmp = true\nexclude_tmpdir_env_var = true\n"

    refused, planted = run(folder, [script, plant], config=config)

    assert "Failed to write file" in refused
    assert "status 1" in refused
    assert list(outside.iterdir()) == []
    assert planted.count("Read-only file system") + planted.count("Permission denied") == 2
    assert sorted(path.name for path in (folder / "home/programs").glob("*/*")) == ["apply_patch", "applypatch"]


def test_commands_that_can_write_the_folder_are_not_led_to_it(folder: Path) -> None:
    (folder / "ws/.home").mkdir()

    [output] = run(
        folder, ["command -v apply_patch; echo status $?"], home="ws/.home",
        config=f'{MODE}[sandbox_workspace_write]\nwritable_roots = ["{folder}/ws/.home"]\n',
    )  # fmt: skip

    assert "status 1" in output or "status 127" in output


@pytest.mark.parametrize(
    ("arguments", "stdin", "status", "told"),
    [
        ([], b"", 2, "Usage: apply_patch 'PATCH'\n       echo 'PATCH' | apply_patch\n"),
        (["a", "b"], b"", 2, "Error: apply_patch accepts exactly one argument.\n"),
        ([b"\xff"], b"", 1, "Error: apply_patch requires a UTF-8 PATCH argument.\n"),
        ([], b"hi\n", 1, "Invalid patch: The first line of the patch must be '*** Begin Patch'\n"),
        (["*** Begin Patch\n*** End Patch"], b"", 1, "No files were modified.\n"),
        (
            ["*** Begin Patch\n*** Nope\n*** End Patch"], b"", 1,
            "Invalid patch hunk on line 2: '*** Nope' is not a valid hunk header. Valid hunk headers: "
            "'*** Add File: {path}', '*** Delete File: {path}', '*** Update File: {path}'\n",
        ),
        (
            ["*** Begin Patch\n*** Update File: f\n@@\n-zz\n+y\n*** End Patch"], b"", 1,
            "Failed to find expected lines in WORK/f:\nzz\n",
        ),
        (
            ["*** Begin Patch\n*** Add File: new\n+1\n*** Update File: none\n@@\n-x\n+y\n*** End Patch"], b"", 1,
            "Failed to read file to update WORK/none: No such file or directory (os error 2)\n",
        ),
    ],
)  # fmt: skip
def test_wrong_patches_change_nothing_and_say_why(
    tmp_path: Path, arguments: list[str], stdin: bytes, status: int, told: str
) -> None:
    (tmp_path / "f").write_text("x\n")

    done = subprocess.run(
        [*PROGRAM, *arguments], cwd=tmp_path, input=stdin, capture_output=True, timeout=LIMIT, check=False
    )

    assert (done.returncode, done.stdout) == (status, b"")
    assert done.stderr.decode().replace(str(tmp_path.resolve()), "WORK") == told
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_the_program_keeps_modes_links_and_what_a_name_leads_to(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x\ny\n")
    (tmp_path / "f").chmod(0o755)
    (tmp_path / "hard").hardlink_to(tmp_path / "f")
    (tmp_path / "soft").symlink_to("f")
    body = "*** Begin Patch\n*** Update File: soft\n@@\n-x\n+z\n*** End Patch\n"

    done = subprocess.run(PROGRAM, cwd=tmp_path, input=body.encode(), capture_output=True, timeout=LIMIT, check=False)

    assert done.stdout == b"Success. Updated the following files:\nM soft\n"
    assert (tmp_path / "hard").read_text() == "z\ny\n"
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "soft").is_symlink()


def test_nothing_of_the_working_directory_is_imported(tmp_path: Path) -> None:
    for name in ("json", "asyncio", "attr", "codex_tool_apply_patch", "codex_hookspecs"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('trapped')")
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}

    done = subprocess.run(
        [*PROGRAM, patch("new")], cwd=tmp_path, env=env, capture_output=True, timeout=LIMIT, check=False
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert json.dumps((tmp_path / "new").read_text()) == '"a\\n"'
