"""Commands run under a policy can do what it allows and nothing else, as root and as other users."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from codex_hookspecs.errors import SandboxUnavailable
from codex_hookspecs.sandbox import (
    CWD,
    ROOT,
    FileSystemEntry,
    FileSystemPolicy,
    Launch,
    LaunchRequest,
    Permissions,
    SandboxPolicy,
)
from codex_sandbox_landlock.kernel import APPLY, Kernel, kernel
from codex_sandbox_landlock.launcher import LandlockLauncher
from ordinary_user import ORDINARY, as_ordinary_user

READ_ONLY = SandboxPolicy("readOnly")
WORKSPACE = SandboxPolicy("workspaceWrite", exclude_slash_tmp=True, exclude_tmpdir_env_var=True)
USERS = [None, ORDINARY] if os.geteuid() == 0 else [None]
PYTHON = os.path.realpath(sys.executable)

Outcome = subprocess.CompletedProcess[str]
Run = Callable[..., Outcome]
needs_landlock = pytest.mark.skipif(kernel().abi == 0, reason="this kernel has no Landlock")
needs_namespaces = pytest.mark.skipif(bool(kernel().no_namespaces), reason=f"no namespaces: {kernel().no_namespaces}")


@pytest.fixture
def workspace() -> Iterator[Path]:
    base = Path(tempfile.mkdtemp(prefix="landlock-")).resolve()
    base.chmod(0o777)
    folder = base / "w s'ü\n"
    folder.mkdir()
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(base)


def wrapped(command: str, cwd: Path, policy: SandboxPolicy, permissions: Permissions | None = None, **more) -> Launch:
    request = LaunchRequest(
        argv=("/bin/sh", "-c", command), cwd=str(cwd), env=dict(os.environ), policy=policy, permissions=permissions
    )
    return LandlockLauncher(**more).launch(request)


def finish(launch: Launch, cwd: Path, *, user: int | None = None, **more) -> Outcome:
    with launch:
        return subprocess.run(
            launch.argv if user is None else as_ordinary_user(launch.argv, user),
            env=launch.env,
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            **more,
        )


@pytest.fixture(params=USERS, ids=lambda user: "self" if user is None else f"uid {user}")
def run(request: pytest.FixtureRequest, workspace: Path) -> Run:
    def start(
        command: str, policy: SandboxPolicy = WORKSPACE, permissions: Permissions | None = None, **more
    ) -> Outcome:
        return finish(wrapped(command, workspace, policy, permissions, **more), workspace, user=request.param)

    return start


@needs_landlock
@needs_namespaces
class TestWithNamespaces:
    def test_the_workspace_can_be_written_and_nothing_else(self, run: Run, workspace: Path) -> None:
        outcome = run("echo a > inside && mkdir -p d/e && mv inside d/e/f; echo b > ../outside")

        assert (workspace / "d/e/f").read_text() == "a\n"
        assert not (workspace.parent / "outside").exists()
        assert "Read-only file system" in outcome.stderr

    def test_protected_paths_can_not_be_changed_whether_they_exist_or_not(self, run: Run, workspace: Path) -> None:
        (workspace / ".git").mkdir()
        (workspace / ".git/config").write_text("old")
        (workspace / ".git").chmod(0o777)

        run("echo new > .git/config; rm -rf .git; mv .git x; mkdir .codex; echo x > .codex/a; ln -s / .agents")

        assert sorted(os.listdir(workspace)) == [".git"]
        assert (workspace / ".git/config").read_text() == "old"

    def test_a_read_only_policy_lets_nothing_be_changed(self, run: Run, workspace: Path) -> None:
        (workspace / "a").write_text("old")

        outcome = run("cat a; echo new > a; chmod 700 a; touch b; echo fine > /dev/null && echo $?", READ_ONLY)

        assert outcome.stdout == "old0\n"
        assert (workspace / "a").read_text() == "old"

    def test_the_network_is_out_of_reach(self, run: Run) -> None:
        script = "import socket; socket.create_connection(('127.0.0.1', 9))"

        assert "Operation not permitted" in run(f'{PYTHON} -I -S -c "{script}"').stderr

    def test_connected_pairs_pipes_and_terminals_work(self, run: Run) -> None:
        script = (
            "import os, socket, pty; a, b = socket.socketpair(); a.send(b'x'); print(b.recv(1), len(pty.openpty()))"
        )

        assert run(f'{PYTHON} -I -S -c "{script}" | cat').stdout == "b'x' 2\n"

    def test_no_capability_is_left(self, run: Run) -> None:
        assert run("grep Cap /proc/self/status").stdout.split()[1::2] == ["0" * 16] * 5

    def test_other_processes_are_not_seen(self, run: Run) -> None:
        assert run(f"kill -0 {os.getpid()}").returncode != 0

    def test_an_inherited_descriptor_is_closed(self, workspace: Path) -> None:
        launch = wrapped("ls /proc/self/fd", workspace, READ_ONLY)
        with open(workspace.parent / "open", "w") as file:
            outcome = finish(launch, workspace, pass_fds=[file.fileno()])

        assert str(file.fileno() if not file.closed else 99) not in outcome.stdout.split()
        assert len(outcome.stdout.split()) == 4

    def test_the_exit_status_is_passed_on_with_closed_outputs(self, workspace: Path) -> None:
        launch = wrapped("exit 3", workspace, READ_ONLY)
        closed = Launch(
            argv=("/bin/sh", "-c", 'exec 1>&- 2>&-; exec "$@"', "sh", *launch.argv),
            env=launch.env,
            on_ended=launch.on_ended,
        )

        assert finish(closed, workspace).returncode == 3

    def test_mounts_can_not_be_undone(self, run: Run, workspace: Path) -> None:
        (workspace / ".git").mkdir()
        (workspace / ".git").chmod(0o777)

        run("umount .git; mount -o remount,rw /; unshare -Urm umount .git; echo x > .git/a")

        assert os.listdir(workspace / ".git") == []

    def test_exit_codes_and_signals_pass_through(self, run: Run) -> None:
        assert run("exit 7").returncode == 7
        assert run("kill -9 $$").returncode == 137

    def test_a_missing_program_is_reported_in_one_line(self, workspace: Path) -> None:
        request = LaunchRequest(argv=("no-such-program",), cwd=str(workspace), env={"PATH": "/bin"}, policy=READ_ONLY)

        outcome = finish(LandlockLauncher().launch(request), workspace)

        assert (outcome.returncode, outcome.stderr) == (127, "codex: command not found: no-such-program\n")

    def test_the_environment_is_passed_on_unchanged(self, workspace: Path) -> None:
        env = {"LC_ALL": "C", "X": "a b", "PYTHONHOME": "/nowhere"}
        request = LaunchRequest(argv=("/usr/bin/env",), cwd=str(workspace), env=env, policy=READ_ONLY)

        lines = finish(LandlockLauncher().launch(request), workspace).stdout.splitlines()

        assert sorted(lines) == sorted([f"{k}={v}" for k, v in env.items()] + ["CODEX_SANDBOX_NETWORK_DISABLED=1"])

    def test_a_denied_directory_and_a_denied_file_can_not_be_read(self, run: Run, workspace: Path) -> None:
        (workspace / "secret").mkdir()
        (workspace / "secret/key").write_text("geheim")
        (workspace / "s.txt").write_text("geheim")
        denied = [FileSystemEntry(f"{workspace}/{name}", "none") for name in ("secret", "s.txt")]
        entries = (FileSystemEntry(ROOT, "read"), FileSystemEntry(CWD, "write"), *denied)

        outcome = run(
            "cat secret/key s.txt; ls secret; rm -rf secret s.txt",
            WORKSPACE,
            Permissions(FileSystemPolicy("restricted", entries)),
        )

        assert "geheim" not in outcome.stdout
        assert "Permission denied" in outcome.stderr
        assert (workspace / "secret/key").read_text() == "geheim"

    def test_a_path_reopened_below_a_denied_directory_can_be_used(self, run: Run, workspace: Path) -> None:
        (workspace / "secret/pub").mkdir(parents=True)
        (workspace / "secret/pub").chmod(0o777)
        (workspace / "secret/key").write_text("geheim")
        entries = (
            FileSystemEntry(ROOT, "read"),
            FileSystemEntry(f"{workspace}/secret", "none"),
            FileSystemEntry(f"{workspace}/secret/pub", "write"),
        )
        policy = Permissions(FileSystemPolicy("restricted", entries))

        outcome = run("echo x > secret/pub/a; cat secret/pub/a secret/key; ls secret", WORKSPACE, policy)

        assert outcome.stdout == "x\n"
        assert (workspace / "secret/pub/a").read_text() == "x\n"

    def test_the_parents_of_a_read_only_directory_can_not_be_renamed(self, run: Run, workspace: Path) -> None:
        (workspace / "a/closed").mkdir(parents=True)
        entries = (
            FileSystemEntry(ROOT, "read"),
            FileSystemEntry(CWD, "write"),
            FileSystemEntry(f"{workspace}/a/closed", "read"),
        )
        policy = Permissions(FileSystemPolicy("restricted", entries))

        run("mv a b; mkdir -p a/closed; echo x > a/closed/f", WORKSPACE, policy)

        assert os.listdir(workspace / "a/closed") == []

    def test_devices_of_the_machine_are_not_visible(self, run: Run) -> None:
        devices = "fd full null ptmx pts random shm stderr stdin stdout tty urandom zero"

        outcome = run("ls /dev; echo x > /dev/shm/x && cat /dev/shm/x")

        assert outcome.stdout.split() == [*devices.split(), "x"]

    def test_kernel_settings_can_not_be_changed_even_where_everything_is_writable(self, run: Run) -> None:
        everything = Permissions(FileSystemPolicy("restricted", (FileSystemEntry(ROOT, "write"),)))

        assert run("echo x > /proc/sys/kernel/core_pattern", WORKSPACE, everything).returncode != 0

    def test_read_only_paths_stay_read_only_with_full_write_and_network_access(self, run: Run, workspace: Path) -> None:
        (workspace / "docs").mkdir()
        (workspace / "docs").chmod(0o777)
        entries = (FileSystemEntry(ROOT, "write"), FileSystemEntry(f"{workspace}/docs", "read"))
        policy = Permissions(FileSystemPolicy("restricted", entries), "enabled")

        run("echo x > docs/f; echo y > g", WORKSPACE, policy)

        assert sorted(os.listdir(workspace)) == ["docs", "g"]
        assert os.listdir(workspace / "docs") == []

    def test_variables_of_the_loader_reach_only_the_command(self, workspace: Path) -> None:
        env = {"PATH": "/bin:/usr/bin", "LD_DEBUG": "files", "LD_DEBUG_OUTPUT": f"{workspace.parent}/loaded"}
        request = LaunchRequest(argv=("printenv", "LD_DEBUG"), cwd=str(workspace), env=env, policy=READ_ONLY)

        outcome = finish(LandlockLauncher().launch(request), workspace)

        assert "files" in outcome.stdout.splitlines()
        assert list(workspace.parent.glob("loaded*")) == []

    def test_restricted_reading_makes_contents_and_listings_inaccessible(self, run: Run, workspace: Path) -> None:
        (workspace / "own").write_text("mine")
        (workspace.parent / "other").write_text("theirs")

        outcome = run("cat own; cat ../other; ls ..", SandboxPolicy("readOnly", readable_roots=()))

        assert outcome.stdout == "mine"
        assert outcome.stderr.count("Permission denied") == 2

    def test_two_hundred_roots_can_be_written(self, workspace: Path) -> None:
        roots = [workspace.parent / f"root{number}" for number in range(200)]
        for root in roots:
            root.mkdir()
        policy = SandboxPolicy(
            "workspaceWrite", writable_roots=tuple(map(str, roots)), exclude_slash_tmp=True, exclude_tmpdir_env_var=True
        )

        outcome = finish(
            wrapped("for root in ../root*; do echo x > $root/x || exit 1; done", workspace, policy), workspace
        )

        assert outcome.returncode == 0, outcome.stderr
        assert all(os.listdir(root) == ["x"] for root in roots)

    def test_parallel_commands_in_a_fresh_workspace_all_run_and_leave_nothing(self, workspace: Path) -> None:
        def one(number: int) -> Outcome:
            return finish(
                wrapped(f"echo x > file{number}; mkdir .git; echo x > .git/x", workspace, WORKSPACE), workspace
            )

        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(one, range(12)))

        assert all("File exists" in outcome.stderr for outcome in outcomes)
        assert sorted(os.listdir(workspace)) == sorted(f"file{number}" for number in range(12))

    def test_background_processes_end_with_the_launcher(self, workspace: Path) -> None:
        launch = wrapped("setsid sleep 60 & echo on; sleep 60", workspace, READ_ONLY)
        with subprocess.Popen(launch.argv, env=launch.env, cwd=workspace, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"on\n"

            process.send_signal(signal.SIGKILL)

            # EOF means that every process that had the pipe is gone.
            started = time.monotonic()
            assert process.stdout.read() == b""
        assert time.monotonic() - started < 10


@needs_landlock
class TestWithoutNamespaces:
    BARE = staticmethod(lambda: Kernel(kernel().abi, "not here"))

    def test_a_read_only_policy_lets_nothing_be_changed(self, run: Run, workspace: Path) -> None:
        (workspace / "a").write_text("old")
        (workspace / "a").chmod(0o666)

        outcome = run(
            "cat a; echo new > a; chmod 700 a; touch -d @1 a; rm a; echo > /dev/null && echo $?",
            READ_ONLY,
            probe=self.BARE,
        )

        assert outcome.stdout == "old0\n"
        assert (workspace / "a").read_text() == "old"
        assert (workspace / "a").stat().st_mode & 0o777 == 0o666

    def test_shared_memory_of_the_host_is_inaccessible(self, run: Run) -> None:
        script = "import ctypes; print(ctypes.CDLL(None).shmget(0, 4096, 0o1600))"

        assert run(f'{PYTHON} -I -S -c "{script}"', READ_ONLY, probe=self.BARE).stdout == "-1\n"

    def test_only_the_workspace_is_writable_if_writable_names_are_accepted(self, run: Run, workspace: Path) -> None:
        outcome = run("echo a > inside; echo b > ../outside", probe=self.BARE, unprotected=True)

        assert os.listdir(workspace) == ["inside"]
        assert "Permission denied" in outcome.stderr

    def test_no_capability_is_left(self, run: Run) -> None:
        capabilities = dict(
            line.split() for line in run("grep Cap /proc/self/status", READ_ONLY, probe=self.BARE).stdout.splitlines()
        )

        assert {name: value for name, value in capabilities.items() if name != "CapBnd:"} == dict.fromkeys(
            ("CapInh:", "CapPrm:", "CapEff:", "CapAmb:"), "0" * 16
        )

    def test_the_network_is_out_of_reach(self, run: Run) -> None:
        script = "import socket; socket.socket()"

        assert "Operation not permitted" in run(f'{PYTHON} -I -S -c "{script}"', READ_ONLY, probe=self.BARE).stderr


def test_a_failed_operation_keeps_the_command_from_running(workspace: Path) -> None:
    operations = ["landlock", "7,0,0,0", "--", "/bin/echo", "ran"]

    outcome = subprocess.run([*APPLY, *operations], capture_output=True, text=True, timeout=10, check=False)

    assert outcome.returncode == 126
    assert outcome.stdout == ""
    assert outcome.stderr.startswith(
        "codex: the command was not run: sandbox-landlock could not make a Landlock ruleset"
    )


def test_a_managed_network_is_refused(workspace: Path) -> None:
    request = LaunchRequest(argv=("true",), cwd=str(workspace), env={}, policy=READ_ONLY, managed_network=True)

    with pytest.raises(SandboxUnavailable, match="managed network"):
        LandlockLauncher().launch(request)


def test_without_landlock_nothing_is_run(workspace: Path) -> None:
    with pytest.raises(SandboxUnavailable, match="this kernel has no Landlock"):
        wrapped("true", workspace, READ_ONLY, probe=lambda: Kernel(0))
