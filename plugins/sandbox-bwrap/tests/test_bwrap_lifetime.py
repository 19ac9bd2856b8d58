"""Sandboxes end with their launcher, leave nothing in the workspace and do not disturb each other."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import pytest

from codex_hookspecs.errors import SandboxUnavailable
from codex_hookspecs.sandbox import Launch, LaunchRequest, SandboxPolicy
from codex_sandbox_bwrap.binary import Binary, Features, find_program, probe_binary
from codex_sandbox_bwrap.launcher import BwrapLauncher
from codex_sandbox_bwrap.watchdog import Watchdog
from codex_sandboxing.linux import cleanup
from codex_sandboxing.linux.cleanup import is_placeholder
from codex_sandboxing.linux.placeholders import Placeholders
from codex_sandboxing.protected_paths import PROTECTED

BWRAP = shutil.which("bwrap")
LIMIT = 20.0
WRITE = SandboxPolicy("workspaceWrite", exclude_slash_tmp=True, exclude_tmpdir_env_var=True)
PROGRAM = """
import json, sys
from codex_hookspecs.sandbox import Launch, LaunchRequest, SandboxPolicy
from codex_sandbox_bwrap.binary import probe_binary
from codex_sandbox_bwrap.foreground import run_in_foreground
from codex_sandbox_bwrap.launcher import BwrapLauncher
from codex_sandbox_bwrap.watchdog import Watchdog
bwrap, home, ws, script = sys.argv[1:]
policy = SandboxPolicy("workspaceWrite", exclude_slash_tmp=True, exclude_tmpdir_env_var=True)
request = LaunchRequest(argv=("sh", "-c", script), cwd=ws, env={"PATH": "/usr/bin:/bin"}, policy=policy)
launcher = BwrapLauncher(probe_binary(bwrap, home), Watchdog(), home)
sys.exit(run_in_foreground(launcher.launch(request), ws))
"""
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
MOMENTS, LATEST = 12, 0.6
needs_bwrap = pytest.mark.skipif(BWRAP is None, reason="bwrap is not installed")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "ws"
    folder.mkdir()
    return folder


@pytest.fixture
def launcher(tmp_path: Path) -> BwrapLauncher:
    assert BWRAP is not None
    return BwrapLauncher(probe_binary(BWRAP, str(tmp_path)), Watchdog(), str(tmp_path))


def until(condition: Callable[[], bool]) -> bool:
    """Poll until a condition is true or the limit is reached; return whether it is true."""
    end = time.monotonic() + LIMIT
    looking = threading.Event()
    while not condition() and time.monotonic() < end:
        looking.wait(0.01)
    return condition()


def run(launcher: BwrapLauncher, workspace: Path, script: str) -> subprocess.CompletedProcess[str]:
    request = LaunchRequest(argv=("sh", "-c", script), cwd=str(workspace), env={"PATH": "/usr/bin:/bin"}, policy=WRITE)
    return finished(launcher.launch(request), workspace)


def finished(launch: Launch, workspace: Path) -> subprocess.CompletedProcess[str]:
    with launch:
        return subprocess.run(
            ["bwrap", *launch.argv[1:]],
            executable=launch.argv[0],
            env=launch.env,
            cwd=workspace,
            pass_fds=launch.descriptors,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )


@pytest.fixture
def started(workspace: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A launcher in a process of its own, whose command writes a byte every few milliseconds."""
    script = "echo x > beat; echo up; while :; do echo x >> beat; sleep 0.01; done"
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(BWRAP), str(tmp_path), str(workspace), script],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    yield process
    process.kill()
    process.wait(LIMIT)
    process.stdout.close()


def named(word: str) -> list[str]:
    """Return the command lines that contain a word, of all processes."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = file.read_text()
            if word in line:
                found.append(line)
    return found


def beats(workspace: Path) -> int:
    return (workspace / "beat").stat().st_size


def stopped(workspace: Path) -> bool:
    before = beats(workspace)
    threading.Event().wait(0.2)
    return beats(workspace) == before


@needs_bwrap
@pytest.mark.parametrize("number", SIGNALS)
def test_a_command_ends_with_its_launcher_and_nothing_stays(
    number: signal.Signals, started: subprocess.Popen[str], workspace: Path
) -> None:
    assert (workspace / ".codex").is_dir()

    os.kill(started.pid, number)

    assert started.wait(LIMIT) != 0
    assert until(lambda: stopped(workspace))
    assert until(lambda: os.listdir(workspace) == ["beat"])


@needs_bwrap
@pytest.mark.parametrize("number", SIGNALS)
def test_nothing_stays_of_launchers_terminated_at_any_moment(number: signal.Signals, tmp_path: Path) -> None:
    probe_binary(str(BWRAP), str(tmp_path))

    def told_at(part: int) -> list[str]:
        folder = tmp_path / f"ws{part}"
        folder.mkdir()
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(BWRAP), str(tmp_path), str(folder), f"sleep 600; : {folder}"],
            stderr=subprocess.DEVNULL,
        )
        threading.Event().wait(LATEST * part / MOMENTS)
        for _ in range(5):  # While the interpreter starts, an interrupt can get lost in it.
            process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(LIMIT / 5)
        until(lambda: not (named(str(folder)) or os.listdir(folder)))
        return [*named(str(folder)), *os.listdir(folder)]

    with ThreadPoolExecutor(4) as pool:
        stayed = list(pool.map(told_at, range(MOMENTS)))

    assert stayed == [[]] * MOMENTS


@needs_bwrap
def test_background_processes_of_a_command_create_nothing_after_its_end(
    launcher: BwrapLauncher, workspace: Path
) -> None:
    code = "import os\nwhile 1:\n  for n in ('.git', '.codex'):\n    try: os.mkdir(n)\n    except OSError: pass"
    script = f'for i in 1 2 3 4 5 6; do setsid {sys.executable} -I -S -c "{code}" >/dev/null 2>&1 & done; sleep 0.1'

    for _ in range(10):
        run(launcher, workspace, script)

        assert os.listdir(workspace) == []


@needs_bwrap
def test_parallel_commands_in_a_fresh_workspace_all_run_and_leave_nothing(
    launcher: BwrapLauncher, workspace: Path
) -> None:
    script = "mkdir .git 2>/dev/null; mkdir .codex/x 2>/dev/null; echo $$ > f && cat f"

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: run(launcher, workspace, script), range(32)))

    assert [each.returncode for each in done] == [0] * 32
    assert os.listdir(workspace) == ["f"]


@needs_bwrap
def test_a_command_stays_protected_while_others_come_and_go(launcher: BwrapLauncher, workspace: Path) -> None:
    attack = "for i in $(seq 400); do mkdir .git/hooks .codex/x .aws/y 2>/dev/null && echo BREACH; done; true"

    with ThreadPoolExecutor(4) as pool:
        attacks = [pool.submit(run, launcher, workspace, attack) for _ in range(2)]
        others = [pool.submit(run, launcher, workspace, "true") for _ in range(20)]
        output = [each.result().stdout for each in (*attacks, *others)]

    assert "".join(output) == ""
    assert os.listdir(workspace) == []


@needs_bwrap
def test_a_hundred_writable_roots_are_all_protected_without_a_read_only_mount_for_each_name(
    launcher: BwrapLauncher, workspace: Path, tmp_path: Path
) -> None:
    roots = [tmp_path / f"root{number}" for number in range(100)]
    for root in roots:
        root.mkdir()
    policy = attrs.evolve(WRITE, writable_roots=tuple(map(str, roots)))
    script = f'for r in {tmp_path}/root*; do touch "$r/f" && mkdir "$r/.git/hooks" "$r/.codex/x"; done 2>/dev/null'

    launch = launcher.launch(
        LaunchRequest(argv=("sh", "-c", script), cwd=str(workspace), env={"PATH": "/usr/bin:/bin"}, policy=policy)
    )
    done = finished(launch, workspace)

    assert done.returncode == 1
    assert launch.argv.count("--ro-bind") < 80
    assert {tuple(os.listdir(root)) for root in roots} == {("f",)}


def test_what_users_put_into_a_placeholder_stays(workspace: Path) -> None:
    path = workspace / ".git"
    placeholders = Placeholders([str(path)])
    (path / "config").write_text("mine")

    placeholders.release()

    assert (path / "config").read_text() == "mine"


def test_a_placeholder_stays_until_the_last_sandbox_releases_it(workspace: Path) -> None:
    paths = [str(workspace / name) for name in PROTECTED]
    first, second = Placeholders(paths), Placeholders(paths)

    first.release()
    while_held = sorted(os.listdir(workspace))
    second.release()

    assert while_held == sorted(PROTECTED)
    assert os.listdir(workspace) == []


def test_a_directory_of_the_user_is_no_placeholder(workspace: Path) -> None:
    path = workspace / ".codex"
    path.mkdir()

    Placeholders([str(path)]).release()

    assert path.is_dir()
    assert not is_placeholder(str(path))


def test_placeholders_of_a_killed_launcher_are_removed_by_the_next_one(workspace: Path) -> None:
    path = workspace / ".aws"
    path.mkdir(0o1755)

    Placeholders([str(path)]).release()

    assert not path.exists()


def test_clean_up_waits_for_a_launcher_that_is_still_about_to_end(workspace: Path) -> None:
    path = workspace / ".git"
    path.mkdir(cleanup.MARKED)
    held = os.open(path, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_SH)
    words = ":".join(os.fsencode(word).hex() for word in (str(workspace), ".git"))
    reader, writer = os.pipe()
    os.close(writer)  # No process of a sandbox is left.
    command = [sys.executable, "-I", "-S", cleanup.__file__, words]

    pid = os.posix_spawn(command[0], command, {}, file_actions=[(os.POSIX_SPAWN_DUP2, reader, 3)])
    os.close(reader)
    threading.Event().wait(0.3)
    os.close(held)
    os.waitpid(pid, 0)

    assert os.listdir(workspace) == []


def test_a_bwrap_in_the_workspace_is_not_used(workspace: Path, tmp_path: Path) -> None:
    for folder in (workspace, tmp_path / "other"):
        folder.mkdir(exist_ok=True)
        (folder / "bwrap").write_text("#!/bin/sh\n")
        (folder / "bwrap").chmod(0o755)
    (tmp_path / "link").symlink_to(workspace)

    found = find_program(f"{workspace}:{tmp_path}/link:.:{tmp_path}/other", str(workspace))

    assert found == f"{tmp_path}/other/bwrap"
    assert find_program(str(workspace), str(workspace)) is None


@pytest.mark.parametrize("kind", ["elsewhere in the repository", "in a writable root"])
def test_a_bwrap_that_commands_may_have_written_is_not_used(workspace: Path, tmp_path: Path, kind: str) -> None:
    inner, tools = workspace / "inner", tmp_path / "tools"
    inner.mkdir()
    if kind == "elsewhere in the repository":
        (workspace / ".git").mkdir()
        (workspace / ".git" / "HEAD").touch()
        tools = workspace / "node_modules" / ".bin"
    tools.mkdir(parents=True)
    (tools / "bwrap").write_text("#!/bin/sh\n")
    (tools / "bwrap").chmod(0o755)

    assert find_program(str(tools), str(inner), [str(tmp_path / "tools")]) is None


def fake_bwrap(folder: Path, log: Path, *, says: str, works: bool = True) -> str:
    """Write a bwrap that notes its arguments."""
    path = folder / "bwrap"
    options = "--cap-drop --die-with-parent --info-fd --perms --ro-bind-data --seccomp --sync-fd"
    path.write_text(
        f'#!/bin/sh\necho "$1" >> {log}\ncase "$1" in --help) echo "{options} {says}";; '
        f"*) {'exit 0' if works else 'echo bwrap: setting up uid map: Permission denied >&2; exit 1'};; esac\n"
    )
    path.chmod(0o755)
    return str(path)


def test_bwrap_is_probed_once_until_it_changes(tmp_path: Path) -> None:
    log = tmp_path / "log"
    path = fake_bwrap(tmp_path, log, says="")

    first = probe_binary(path, str(tmp_path))
    again = probe_binary(path, str(tmp_path))
    asked = log.read_text().count("--help")
    fake_bwrap(tmp_path, log, says="--argv0")
    changed = probe_binary(path, str(tmp_path))

    assert first == again == Binary(path, Features(argv0=False, proc=True))
    assert asked == 1
    assert changed.features.argv0


def test_a_bwrap_that_does_not_work_refuses_in_one_line(tmp_path: Path, workspace: Path) -> None:
    path = fake_bwrap(tmp_path, tmp_path / "log", says="", works=False)
    binary = probe_binary(path, str(tmp_path))

    with pytest.raises(SandboxUnavailable) as caught:
        run(BwrapLauncher(binary, Watchdog(), str(tmp_path)), workspace, "echo ran")

    assert str(caught.value) == (
        f"the command was not run: bwrap cannot enforce the sandbox policy workspace-write: {path}: bwrap: "
        "setting up uid map: Permission denied; allow user namespaces or install a newer bubblewrap, or run with "
        "--sandbox danger-full-access"
    )


def test_a_damaged_cache_is_replaced(tmp_path: Path) -> None:
    path = fake_bwrap(tmp_path, tmp_path / "log", says="")
    cache = tmp_path / "cache" / "sandbox-bwrap.list"
    cache.parent.mkdir()
    cache.write_text("1 1 half")

    probe_binary(path, str(tmp_path))

    assert path in cache.read_text()
    assert probe_binary(path, str(tmp_path)) == Binary(path, Features(argv0=False, proc=True))
