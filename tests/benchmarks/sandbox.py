"""What the sandbox costs: a command inside a running host beside bare bwrap, ``codex sandbox`` beside the real one."""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from codex_exec_local.backend import LocalExecBackend
from codex_hookspecs.environments.launching import start_launched
from codex_hookspecs.types.environment import ExecParams
from codex_hookspecs.types.sandbox import LaunchRequest, SandboxPolicy
from codex_sandbox_bwrap.binary import find_program, probe_binary
from codex_sandbox_bwrap.launcher import BwrapLauncher
from codex_sandbox_bwrap.watchdog import Watchdog
from interop.clients import OURS, PEERS, Codex, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

POLICIES = {
    "read-only": SandboxPolicy("readOnly"),
    "workspace-write": SandboxPolicy("workspaceWrite", exclude_slash_tmp=True, exclude_tmpdir_env_var=True),
}
COMMAND = ("/bin/true",)
LIMIT = 30

Times = dict[str, list[float]]


def measure_inside(rounds: int) -> Times:
    """Run a command in a host that is up, and bare bwrap with the same mounts, in turns."""
    program = find_program(os.environ.get("PATH", ""), "/nowhere")
    if program is None:
        return {}
    folder = PEERS / "bench-sandbox"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "ws").mkdir(parents=True)
    launcher = BwrapLauncher(probe_binary(program, str(folder)), Watchdog(), str(folder))
    try:
        return asyncio.run(_inside(launcher, str(folder / "ws"), rounds))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _inside(launcher: BwrapLauncher, ws: str, rounds: int) -> Times:
    backend = LocalExecBackend()
    times: Times = {}
    env = {"PATH": "/usr/bin:/bin"}
    for name, policy in POLICIES.items():
        request = LaunchRequest(argv=COMMAND, cwd=ws, env=env, policy=policy)
        for number in range(rounds + 3):
            started = time.perf_counter()
            launch = launcher.launch(request)
            params = ExecParams(process_id=f"{name}-{number}", argv=COMMAND, cwd=ws, env=env)
            process = await start_launched(backend, params, launch)
            async for _ in process.events():
                pass
            launch.close()
            inside = time.perf_counter() - started
            bare = await _bare(launcher, request, backend, f"bare-{name}-{number}")
            if number >= 3:
                times.setdefault(f"{name}: in the host", []).append(inside * 1000)
                times.setdefault(f"{name}: bare bwrap", []).append(bare * 1000)
    await backend.aclose()
    return times


async def _bare(launcher: BwrapLauncher, request: LaunchRequest, backend: LocalExecBackend, name: str) -> float:
    """Run the same arguments with all they need prepared beforehand."""
    launch = launcher.launch(request)
    params = ExecParams(
        process_id=name,
        argv=launch.argv,
        cwd=request.cwd,
        env=launch.env,
        arg0=launch.arg0,
        descriptors=launch.descriptors,
    )
    started = time.perf_counter()
    process = await backend.start(params)
    async for _ in process.events():
        pass
    taken = time.perf_counter() - started
    launch.close()
    return taken


def measure_command(clients: Sequence[Codex], rounds: int) -> Times:
    """Run ``codex sandbox linux --full-auto -- /bin/true`` of every client in turn."""
    folder = PEERS / "bench-sandbox-command"
    times: Times = {}
    stages = {}
    for codex in clients:
        shutil.rmtree(folder / codex.name, ignore_errors=True)
        (folder / codex.name).mkdir(parents=True)
        stages[codex] = Stage(folder / codex.name, "http://127.0.0.1:9")
        stages[codex].set_up(codex)
    for number in range(rounds + 2):
        for codex, stage in stages.items():
            started = time.perf_counter()
            subprocess.run(
                [str(codex.path), "sandbox", "linux", "--full-auto", "--", *COMMAND],
                cwd=stage.ws,
                env=stage.environment(),
                check=True,
                capture_output=True,
                timeout=LIMIT,
            )
            if number >= 2:
                times.setdefault(f"codex sandbox: {codex.name}", []).append((time.perf_counter() - started) * 1000)
    shutil.rmtree(folder, ignore_errors=True)
    return times


def report(clients: Sequence[Codex], rounds: int) -> list[str]:
    """Return the lines of the report."""
    inside = measure_inside(rounds * 2)
    command = measure_command(clients, rounds)
    lines = ["", "sandbox: median milliseconds"]
    for name, values in {**inside, **command}.items():
        lines.append(f"  {name:<32} {statistics.median(values):7.1f}  (best {min(values):.1f})")
    for policy in POLICIES if inside else ():
        ours, bare = inside[f"{policy}: in the host"], inside[f"{policy}: bare bwrap"]
        ratio = statistics.median(ours) / statistics.median(bare)
        lines.append(f"  {policy}: {ratio:.2f} x bare bwrap (must be at most 1.3)")
    real = [name for name in command if not name.endswith(OURS.name)]
    mine = command.get(f"codex sandbox: {OURS.name}")
    for name in real if mine else ():
        ratio = statistics.median(mine or [0]) / statistics.median(command[name])
        lines.append(f"  codex sandbox: {ratio:.2f} x {Path(name).name.split(': ')[-1]} (must be at most 0.9)")
    return lines
