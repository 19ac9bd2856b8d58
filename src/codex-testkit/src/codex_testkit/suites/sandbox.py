"""Contract suite for sandbox launchers, to be subclassed.

A subclass defines the fixture ``launcher``; real commands are run with its launches::

    class TestMyLauncher(SandboxLauncherContract):
        @pytest.fixture
        def launcher(self):
            return MyLauncher()

Needs a POSIX shell.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Final, NamedTuple

import attrs
import pytest

from codex_hookspecs.ports.sandbox import SandboxLauncher
from codex_hookspecs.types.permissions import CWD, ROOT, FileSystemEntry, FileSystemPolicy, Permissions
from codex_hookspecs.types.sandbox import Launch, LaunchRequest, SandboxPolicy
from codex_sandboxing.protected_paths import PROTECTED

LIMIT: Final = 30.0
"""Time limit of a command in seconds."""

READ_ONLY: Final = SandboxPolicy("readOnly")
WORKSPACE: Final = SandboxPolicy("workspaceWrite", exclude_slash_tmp=True, exclude_tmpdir_env_var=True)


class Outcome(NamedTuple):
    """The outcome of a command.

    :param status: its exit status, 128 + N if it was killed by signal N.
    """

    status: int
    stdout: str
    stderr: str


def run_launched(launch: Launch, cwd: str, given: bytes = b"") -> Outcome:
    """Run a command with a launch to completion.

    :param given: its standard input.
    """
    with launch:
        process = subprocess.Popen(
            launch.argv if launch.arg0 is None else (launch.arg0, *launch.argv[1:]),
            executable=launch.argv[0],
            cwd=cwd,
            env=launch.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=launch.descriptors,
            preexec_fn=launch.prepare,  # noqa: PLW1509
            start_new_session=True,
        )
        launch.started()
        try:
            stdout, stderr = process.communicate(given, timeout=LIMIT)
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
    status = process.returncode if process.returncode >= 0 else 128 - process.returncode
    return Outcome(status, stdout.decode("utf-8", "replace"), stderr.decode("utf-8", "replace"))


class SandboxLauncherContract:
    """Tests that a launcher enforces a policy, and nothing beyond it."""

    python: ClassVar[str] = os.path.realpath(sys.executable)

    @pytest.fixture
    def workspace(self) -> Iterator[Path]:
        """An empty directory with an unusual name; its siblings must not be changed."""
        with tempfile.TemporaryDirectory(prefix="sandbox-contract-", ignore_cleanup_errors=True) as base:
            folder = Path(base).resolve() / 'it\'s a "work"\nfoldér'
            folder.mkdir()
            yield folder

    def request(self, script: str, workspace: Path, policy: SandboxPolicy = WORKSPACE) -> LaunchRequest:
        """Return the request for a shell script."""
        return LaunchRequest(argv=("/bin/sh", "-c", script), cwd=str(workspace), env=dict(os.environ), policy=policy)

    def run(
        self, launcher: SandboxLauncher, script: str, workspace: Path, policy: SandboxPolicy = WORKSPACE
    ) -> Outcome:
        """Run a script under a policy."""
        return run_launched(launcher.launch(self.request(script, workspace, policy)), str(workspace))

    def run_python(
        self, launcher: SandboxLauncher, script: str, workspace: Path, policy: SandboxPolicy = WORKSPACE
    ) -> Outcome:
        """Run a Python script under a policy."""
        request = attrs.evolve(self.request("", workspace, policy), argv=(self.python, "-I", "-S", "-c", script))
        return run_launched(launcher.launch(request), str(workspace))

    def test_it_has_a_name_for_messages(self, launcher: SandboxLauncher) -> None:
        assert launcher.name

    def test_a_command_runs_where_and_with_what_it_would_without(
        self, launcher: SandboxLauncher, workspace: Path
    ) -> None:
        request = self.request('pwd; printf %s "$GREETING"; cat; echo complaint >&2', workspace)
        request = attrs.evolve(request, env={**request.env, "GREETING": "hello wörld\n"})

        outcome = run_launched(launcher.launch(request), str(workspace), b"given")

        assert outcome == (0, f"{workspace}\nhello wörld\ngiven", "complaint\n")

    @pytest.mark.parametrize("status", [0, 1, 2, 77, 126, 127, 255])
    def test_the_status_is_the_commands(self, launcher: SandboxLauncher, workspace: Path, status: int) -> None:
        assert self.run(launcher, f"exit {status}", workspace).status == status

    def test_a_signal_shows_in_the_status(self, launcher: SandboxLauncher, workspace: Path) -> None:
        assert self.run(launcher, "kill -TERM $$", workspace).status == 128 + signal.SIGTERM

    def test_a_launch_says_what_holds_the_command(self, launcher: SandboxLauncher, workspace: Path) -> None:
        launch = launcher.launch(self.request("exit 0", workspace))
        run_launched(launch, str(workspace))

        assert launch.sandbox_type != "none"

    def test_the_workspace_can_be_written(self, launcher: SandboxLauncher, workspace: Path) -> None:
        outcome = self.run(launcher, "mkdir -p a/b && echo x > a/b/c && mv a/b/c d && rm -r a && ln d e", workspace)

        assert outcome.status == 0, outcome.stderr
        assert sorted(os.listdir(workspace)) == ["d", "e"]

    def test_nothing_else_can_be_written(self, launcher: SandboxLauncher, workspace: Path) -> None:
        beside = workspace.parent / "beside"
        beside.write_text("old")

        outcome = self.run(launcher, "echo new > ../beside; rm ../beside; mkdir ../more; : > ../other", workspace)

        assert outcome.status != 0
        assert beside.read_text() == "old"
        assert sorted(os.listdir(workspace.parent)) == ["beside", workspace.name]

    def test_a_link_does_not_lead_out(self, launcher: SandboxLauncher, workspace: Path) -> None:
        (workspace.parent / "beside").write_text("old")

        self.run(launcher, "ln -s ../beside l; echo new > l; ln ../beside h; echo new > h", workspace)

        assert (workspace.parent / "beside").read_text() == "old"

    def test_more_roots_can_be_written(self, launcher: SandboxLauncher, workspace: Path) -> None:
        more = workspace.parent / "more"
        more.mkdir()

        policy = attrs.evolve(WORKSPACE, writable_roots=(str(more),))
        outcome = self.run(launcher, "echo x > ../more/a", workspace, policy)

        assert outcome.status == 0, outcome.stderr
        assert (more / "a").read_text() == "x\n"

    def test_a_policy_that_only_reads_lets_nothing_be_changed(self, launcher: SandboxLauncher, workspace: Path) -> None:
        (workspace / "a").write_text("old")

        outcome = self.run(launcher, "cat a; echo new > a; : > b; rm a; echo x > /dev/null", workspace, READ_ONLY)

        assert outcome.stdout == "old"
        assert os.listdir(workspace) == ["a"]
        assert (workspace / "a").read_text() == "old"

    @pytest.mark.parametrize("name", PROTECTED)
    def test_protected_names_keep_what_they_hold(self, launcher: SandboxLauncher, workspace: Path, name: str) -> None:
        (workspace / name).mkdir()
        (workspace / name / "config").write_text("old")

        self.run(launcher, f"echo new > {name}/config; mv {name} x; rm -rf {name}; : > {name}/more", workspace)

        assert os.listdir(workspace) == [name]
        assert os.listdir(workspace / name) == ["config"]
        assert (workspace / name / "config").read_text() == "old"

    @pytest.mark.parametrize("name", PROTECTED)
    def test_protected_names_that_are_free_stay_free(
        self, launcher: SandboxLauncher, workspace: Path, name: str
    ) -> None:
        self.run(launcher, f"mkdir {name}; : > {name}/config; ln -s / {name}; mkdir x; mv x {name}", workspace)

        assert not os.path.lexists(workspace / name) or not os.listdir(workspace / name)
        assert name not in os.listdir(workspace)

    def test_denied_paths_can_not_be_read(self, launcher: SandboxLauncher, workspace: Path) -> None:
        (workspace / "secret").mkdir()
        (workspace / "secret/key").write_text("hush")
        (workspace / "s.txt").write_text("hush")
        permissions = Permissions(
            FileSystemPolicy(
                "restricted",
                (
                    FileSystemEntry(ROOT, "read"),
                    FileSystemEntry(CWD, "write"),
                    FileSystemEntry(str(workspace / "secret"), "none"),
                    FileSystemEntry(str(workspace / "s.txt"), "none"),
                ),
            )
        )
        request = attrs.evolve(
            self.request("cat secret/key s.txt; echo x > secret/n", workspace), permissions=permissions
        )

        outcome = run_launched(launcher.launch(request), str(workspace))

        assert "hush" not in outcome.stdout
        assert os.listdir(workspace / "secret") == ["key"]

    def test_the_network_is_out_of_reach(self, launcher: SandboxLauncher, workspace: Path) -> None:
        with _listener() as (port, callers):
            outcome = self.run_python(
                launcher, f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)", workspace
            )

        assert outcome.status != 0
        assert callers == []

    def test_the_network_can_be_had_with_leave(self, launcher: SandboxLauncher, workspace: Path) -> None:
        policy = attrs.evolve(WORKSPACE, network_access=True)
        with _listener() as (port, callers):
            outcome = self.run_python(
                launcher,
                f"import socket; socket.create_connection(('127.0.0.1', {port}), 5).recv(1)",
                workspace,
                policy,
            )

        assert outcome.status == 0, outcome.stderr
        assert len(callers) == 1

    def test_a_command_is_told_that_there_is_no_network(self, launcher: SandboxLauncher, workspace: Path) -> None:
        script = "echo ${CODEX_SANDBOX_NETWORK_DISABLED-unset}"

        assert self.run(launcher, script, workspace).stdout == "1\n"
        assert self.run(launcher, script, workspace, attrs.evolve(WORKSPACE, network_access=True)).stdout == "unset\n"

    def test_descriptors_are_not_handed_on(self, launcher: SandboxLauncher, workspace: Path) -> None:
        beside = workspace.parent / "beside"
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT)
        os.set_inheritable(descriptor, True)
        try:
            self.run(launcher, f"echo new >&{descriptor}", workspace)
        finally:
            os.close(descriptor)

        assert beside.read_text() == ""

    def test_pairs_of_sockets_pipes_and_terminals_work(self, launcher: SandboxLauncher, workspace: Path) -> None:
        script = (
            "import os, socket, pty\na, b = socket.socketpair()\na.send(b'x')\nprint(b.recv(1), len(pty.openpty()))\n"
            "r, w = os.pipe()\nos.write(w, b'y')\nprint(os.read(r, 1))"
        )

        assert self.run_python(launcher, script, workspace).stdout == "b'x' 2\nb'y'\n"

    def test_much_output_comes_whole(self, launcher: SandboxLauncher, workspace: Path) -> None:
        assert len(self.run(launcher, "yes 1234567 | head -c 8000000", workspace).stdout) == 8_000_000

    def test_many_run_side_by_side_and_leave_nothing(self, launcher: SandboxLauncher, workspace: Path) -> None:
        outcomes: list[Outcome] = []
        threads = [
            threading.Thread(target=lambda: outcomes.append(self.run(launcher, "mkdir .codex; echo x", workspace)))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [outcome.stdout for outcome in outcomes] == ["x\n"] * 8
        assert os.listdir(workspace) == []

    def test_a_launch_that_was_not_used_leaves_nothing(self, launcher: SandboxLauncher, workspace: Path) -> None:
        def unused() -> int:
            launcher.launch(self.request("exit 0", workspace)).close()
            return _open_descriptors()

        first = unused()

        assert [unused() for _ in range(3)] == [first] * 3
        assert os.listdir(workspace) == []

    def test_a_root_that_is_not_there_is_no_obstacle(self, launcher: SandboxLauncher, workspace: Path) -> None:
        policy = attrs.evolve(WORKSPACE, writable_roots=(str(workspace.parent / "nowhere"),))

        assert self.run(launcher, "echo x", workspace, policy).stdout == "x\n"

    def test_roots_in_roots_are_no_obstacle(self, launcher: SandboxLauncher, workspace: Path) -> None:
        (workspace / "inner").mkdir()
        policy = attrs.evolve(WORKSPACE, writable_roots=(str(workspace / "inner"), str(workspace)))

        assert self.run(launcher, "echo x > inner/a; mkdir inner/.git; cat inner/a", workspace, policy).stdout == "x\n"
        assert os.listdir(workspace / "inner") == ["a"]


@contextlib.contextmanager
def _listener() -> Iterator[tuple[int, list[object]]]:
    """Greet every connection; yield the port and the connections."""
    callers: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            with contextlib.suppress(OSError):
                while True:
                    caller, address = server.accept()
                    callers.append(address)
                    with caller:
                        caller.sendall(b"x")

        thread = threading.Thread(target=greet)
        thread.start()
        try:
            yield server.getsockname()[1], callers
        finally:
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            thread.join(LIMIT)


def _open_descriptors() -> int:
    return len(os.listdir("/dev/fd"))
