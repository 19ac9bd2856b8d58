"""Run the cases of both tables as whoever runs this.

``case_runner.py LAUNCHER RESULT.json [PART]`` writes what became of each, or of those with a part in their name.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from attack_cases import ATTACKS
from work_cases import WORK

from codex_hookspecs.errors import CodexError
from codex_hookspecs.ports.sandbox import SandboxLauncher
from codex_hookspecs.types.permissions import FileSystemPolicy, Network, Permissions
from codex_hookspecs.types.sandbox import LaunchRequest, SandboxPolicy
from codex_sandbox_bwrap.binary import find_program, probe_binary
from codex_sandbox_bwrap.foreground import run_in_foreground
from codex_sandbox_bwrap.launcher import BwrapLauncher
from codex_sandbox_bwrap.watchdog import Watchdog
from codex_sandbox_landlock.launcher import LandlockLauncher
from codex_sandboxing.protected_paths import PROTECTED
from codex_sandboxing.split_form import read_file_system

LIMIT = 60
REFUSED = ("roots", "deeproots", "innertmp")
"""Policies that are not held but refused when attacks on them are prepared."""

KEYS = {"shmget": 0x434F4458, "semget": 0x434F4459, "msgget": 0x434F445A}
ROOT = {"path": {"type": "special", "value": {"kind": "root"}}, "access": "read"}
WORKSPACE = {"path": {"type": "special", "value": {"kind": "current_working_directory"}}, "access": "write"}


def entry(path: str, access: str) -> dict[str, object]:
    return {"path": {"type": "path", "path": path}, "access": access}


def _pattern(text: str) -> dict[str, object]:
    return {"path": {"type": "glob_pattern", "pattern": text}, "access": "none"}


def policy_of(name: str, base: str, ws: str) -> tuple[SandboxPolicy, Permissions | None]:
    """Return the policy that the tables call by a name."""
    extra = {
        "extra": (f"{base}/extra",),
        "nested": (f"{ws}/a/sub",),
        "outer": (base,),
        "roots": (f"{ws}/out",),
        "deeproots": (f"{ws}/l/out",),
        "aliased": (f"{base}/alias",),
        "many": tuple(f"{base}/r{i}" for i in range(1, 201)),
    }
    if name in ("read", "stdin"):
        return SandboxPolicy("readOnly"), None
    everything = entry("/", "write")
    entries = {
        "behind": [ROOT, WORKSPACE, entry(f"{ws}/link/secret", "none")],
        "patterns": [ROOT, WORKSPACE, *(_pattern(f"{ws}/{each}") for each in ("**/*.env", "keys/*"))],
        "aliased": [ROOT, entry(f"{base}/alias", "write"), entry(f"{base}/real/docs", "read")],
        "allbut": [everything, entry(f"{ws}/secret", "none"), entry(f"{ws}/docs", "read")],
        "full": [everything],
        "closed": [ROOT, WORKSPACE, entry(f"{ws}/a/secret", "read")],
        "denied": [ROOT, WORKSPACE, entry(f"{ws}/secret", "none"), entry(f"{ws}/s.txt", "none")],
        "reopened": [ROOT, WORKSPACE, entry(f"{ws}/secret", "none"), entry(f"{ws}/secret/pub", "write")],
        "bare": [{"path": {"type": "special", "value": {"kind": "minimal"}}, "access": "read"}, entry(ws, "read")],
    }  # fmt: skip
    network: Network = "enabled" if name == "net" else "restricted"
    policy = SandboxPolicy(
        "workspaceWrite",
        network == "enabled",
        writable_roots=extra.get(name, ()),
        exclude_slash_tmp=name != "tmp",
        exclude_tmpdir_env_var=name not in ("tmp", "tmpdir", "innertmp"),
    )
    if name not in entries:
        return policy, None
    files: FileSystemPolicy = read_file_system({"kind": "restricted", "entries": entries[name]})
    return policy, Permissions(files, network)


@contextlib.contextmanager
def host_programs(folder: str) -> Iterator[dict[str, str]]:
    """Have what attacks aim at: a process, sockets of all kinds, memory of all kinds."""
    process = subprocess.Popen(["sleep", "600"])
    libc = ctypes.CDLL(None)
    shared = (
        libc.shmget(KEYS["shmget"], 4096, 0o1666),
        libc.semget(KEYS["semget"], 1, 0o1666),
        libc.msgget(KEYS["msgget"], 0o1666),
    )
    memory = Path(f"/dev/shm/codex-breach-{process.pid}")
    memory.write_text("x")
    queue_name = f"/codex-breach-{process.pid}".encode()
    queue = libc.mq_open(queue_name, os.O_RDWR | os.O_CREAT, 0o666, None)
    listeners = [socket.socket(), socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)]
    listeners[0].bind(("127.0.0.1", 0))
    listeners[1].bind(f"{folder}/stream.sock")
    listeners[2].bind(f"\0codex-breach-{process.pid}")
    datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    datagrams.bind(f"{folder}/dgram.sock")
    for listener in listeners:
        listener.listen(16)
        threading.Thread(target=_welcome, args=(listener,), daemon=True).start()
    threading.Thread(target=_take, args=(datagrams, f"{folder}/got-dgram"), daemon=True).start()
    try:
        yield {"HOST": folder, "HOST_PID": str(process.pid), "HOST_PORT": str(listeners[0].getsockname()[1])}
    finally:
        process.kill()
        process.wait()
        memory.unlink()
        os.close(queue)
        libc.mq_unlink(queue_name)
        libc.shmctl(shared[0], 0, None)
        libc.semctl(shared[1], 0, 0)
        libc.msgctl(shared[2], 0, None)


def _welcome(listener: socket.socket) -> None:
    while True:
        with contextlib.suppress(OSError), listener.accept()[0] as client:
            client.sendall(b"welcome")


def _take(datagrams: socket.socket, mark: str) -> None:
    datagrams.recv(100)
    Path(mark).touch()


def launcher_of(name: str, home: str) -> SandboxLauncher:
    """Return the launcher of a name, which keeps its things in a directory."""
    os.makedirs(home, exist_ok=True)
    if name == "landlock":
        return LandlockLauncher(home=home)
    program = find_program(os.environ.get("PATH", ""), "/nowhere")
    assert program is not None
    return BwrapLauncher(probe_binary(program, home), Watchdog(), home)


class Runner:
    """Runs commands in boxes, each in a fresh folder."""

    def __init__(self, launcher: str, folder: str, host: dict[str, str]) -> None:
        self._folder = folder
        self._host = host
        self._name = launcher
        self._launcher = launcher_of(launcher, f"{folder}/home")
        # What an attack finds when descriptors are handed on.
        for number, path in ((20, f"{folder}/open"), (21, f"{folder}/open"), (22, folder)):
            if number < 22:
                Path(path).touch()
            descriptor = os.open(path, os.O_RDONLY if number == 22 else os.O_WRONLY)
            os.dup2(descriptor, number, inheritable=True)
            os.close(descriptor)

    def case(self, name: str) -> tuple[bool, str]:
        """Run one case and return whether it holds, and what was seen."""
        base = tempfile.mkdtemp(prefix="case-", dir=self._folder)
        work = WORK.get(name)
        ws = f"{base}/{work.workspace if work else 'ws'}"
        os.mkdir(ws)
        case = work or ATTACKS[name]
        if work and work.needs and shutil.which(work.needs) is None:
            return True, f"{work.needs} is not installed"
        Path(base, "outside").write_text("outside\n")
        env = {**os.environ, **self._host, "WS": ws, "BASE": base, "PYTHON": os.path.realpath(sys.executable),
               "GREETING": "hello", "HOST_UID": str(os.getuid()), "HOST_GID": str(os.getgid()), "HOME": base,
               "TMPDIR": f"{ws if case.policy == 'innertmp' else base}/tmp", "LC_ALL": "C"}  # fmt: skip
        env = {key: value for key, value in env.items() if not key.startswith(("GIT_", "PYENV", "PYTHONDONT"))}
        if case.setup:
            subprocess.run(["bash", "-c", case.setup], env=env, check=True, timeout=LIMIT)
        loader = {"LD_DEBUG": "files", "LD_DEBUG_OUTPUT": f"{base}/loaded"} if case.policy == "preload" else {}
        status, output = self._boxed(case.policy, case.script, base, ws, {**env, **loader}, work.stdin if work else b"")
        litter = [each for each in PROTECTED if os.path.isdir(f"{ws}/{each}") and not case.setup]
        if work:
            shown = output.decode("utf-8", "replace").rstrip("\n")
            expected = work.shown is None or shown == work.shown.rstrip("\n")
            return expected and status == work.status and not litter, f"{status}: {shown[:300]!r} {litter}"
        looked = subprocess.run(
            ["bash", "-c", ATTACKS[name].left], env=env, capture_output=True, timeout=LIMIT, check=False
        )
        left = looked.returncode == 0
        refused = b"the command was not run" in output and case.policy not in REFUSED
        held = b"BREACH" not in output and not left and not litter and not refused
        return held, f"{status}: {output[:300]!r} left={left} {litter}"

    def _boxed(
        self, policy: str, script: str, base: str, ws: str, env: dict[str, str], stdin: bytes
    ) -> tuple[int, bytes]:
        legacy, permissions = policy_of(policy, base, ws)
        launcher = launcher_of(self._name, f"{ws}/home") if policy == "home" else self._launcher
        request = LaunchRequest(argv=("bash", "-c", script), cwd=ws, env=env, policy=legacy, permissions=permissions)
        with tempfile.TemporaryFile(dir=self._folder) as given, tempfile.TemporaryFile(dir=self._folder) as taken:
            given.write(stdin)
            given.seek(0)
            pid = os.fork()
            if pid == 0:
                os.dup2(os.open(f"{base}/outside", os.O_RDONLY) if policy == "stdin" else given.fileno(), 0)
                os.dup2(taken.fileno(), 1)
                os.dup2(taken.fileno(), 2)
                signal.alarm(LIMIT)
                status = 200
                try:
                    status = run_in_foreground(launcher.launch(request), ws)
                except CodexError as error:
                    os.write(2, str(error).encode())
                finally:
                    os._exit(status)
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            taken.seek(0)
            return status, taken.read()


def main(launcher: str, result: str, part: str = "") -> None:
    folder = tempfile.mkdtemp(prefix="sandbox-cases-", dir="/var/tmp")
    try:
        with host_programs(folder) as host:
            runner = Runner(launcher, folder, host)
            names = [name for name in (*ATTACKS, *WORK) if part in name]
            results = {name: runner.case(name) for name in names}
        Path(result).write_text(json.dumps(results))
    finally:
        subprocess.run(["chmod", "-R", "u+rwX", folder], check=False)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
