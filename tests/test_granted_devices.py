"""Devices that the user has named can be used inside of a sandbox, and nothing else below ``/dev``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

CODEX = str(Path(sys.executable).with_name("codex"))
ZERO = (1, 5)

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="needs Linux, and root to make devices"
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of devices, as graphics cards have one."""
    made = Path("/dev") / f"test-{uuid.uuid4()}"
    try:
        made.mkdir()
        os.mknod(made / "card0", 0o020666, os.makedev(*ZERO))
    except OSError as error:
        pytest.skip(f"devices can't be made here: {error}")
    yield made
    shutil.rmtree(made)


def run(tmp_path: Path, launcher: str, devices: list[str], command: str, *options: str) -> str:
    search = os.environ["PATH"]
    if launcher == "landlock":
        programs = tmp_path / "programs"
        programs.mkdir()
        for name in ("sh", "head", "ls"):
            (programs / name).symlink_to(str(shutil.which(name)))
        search = str(programs)
    elif shutil.which("bwrap") is None:
        pytest.skip("needs bwrap")
    (tmp_path / "home").mkdir()
    done = subprocess.run(
        [
            CODEX, "sandbox", "linux", *(options or ("--full-auto",)),
            "-c", f"sandbox_workspace_write.devices={json.dumps(devices)}", "--", "sh", "-c", command,
        ],
        cwd=tmp_path,
        env={**os.environ, "PATH": search, "CODEX_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.mark.parametrize("launcher", ["bwrap", "landlock"])
@pytest.mark.parametrize("named", ["{}", "{}/card0", "{}/card*"])
def test_they_can_be_read_and_written_and_nothing_be_made_beside_them(
    tmp_path: Path, folder: Path, launcher: str, named: str
) -> None:
    card = folder / "card0"
    command = (
        f"head -c 3 {card} >/dev/null && echo read; echo x > {card} && echo written; "
        f"echo x 2>/dev/null > {folder}/made; ls {folder}"
    )

    told = run(tmp_path, launcher, [named.format(folder)], command)

    assert told.replace("made\n", "").startswith("read\nwritten\n")
    assert [each.name for each in folder.iterdir()] == ["card0"]


@pytest.mark.parametrize("launcher", ["bwrap", "landlock"])
@pytest.mark.parametrize(
    ("devices", "options"), [(["/dev/none"], ()), ([], ()), (["{}"], ("-c", "sandbox_mode=read-only"))]
)
def test_others_are_not_there(
    tmp_path: Path, folder: Path, launcher: str, devices: list[str], options: tuple[str, ...]
) -> None:
    named = [each.format(folder) for each in devices]

    assert run(tmp_path, launcher, named, f"[ -e {folder} ] || echo none", *options) == "none\n"


@pytest.mark.parametrize("wrong", ["/etc", "/dev", "/dev/../etc", "dev/null", "/dev//x"])
def test_only_what_lies_below_dev_can_be_named(tmp_path: Path, wrong: str) -> None:
    assert "allowed is a list of paths below /dev" in run(tmp_path, "bwrap", [wrong], "true")


def test_a_link_out_of_dev_is_not_followed(tmp_path: Path, folder: Path) -> None:
    (folder / "out").symlink_to("/etc")

    assert run(tmp_path, "bwrap", [f"{folder}/out"], f"[ -e {folder}/out/passwd ] || echo none") == "none\n"


def test_a_project_can_name_none(tmp_path: Path, folder: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".codex").mkdir()
    (tmp_path / ".codex/config.toml").write_text(f'[sandbox_workspace_write]\ndevices = ["{folder}"]\n')
    trust = f'projects={{"{tmp_path}"={{trust_level="trusted"}}}}'

    (tmp_path / "home").mkdir()
    done = subprocess.run(
        [CODEX, "sandbox", "linux", "--full-auto", "-c", trust, "--", "sh", "-c", f"[ -e {folder} ] || echo none"],
        cwd=tmp_path, env={**os.environ, "CODEX_HOME": str(tmp_path / "home")}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip

    assert done.stdout == "none\n"
