"""Runs on Windows: has a runner run a command for each line of stdin, and prints the results as JSON."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
import time

from codex_sandbox_windows.channel import Channel
from codex_sandbox_windows.messages import Exit, SpawnRequest
from codex_sandbox_windows.names import pipe_names, runner_arguments
from codex_sandbox_windows.parent import RunnerSession
from codex_sandbox_windows.windows import logon, pipes

SID = logon.sid_of_user(os.environ["USERNAME"])
SECONDS = 60


def connected(*, pretend: bool) -> tuple[RunnerSession, subprocess.Popen, pipes.PipeTransport]:
    pipe_in, pipe_out = pipe_names()
    transport = pipes.create_pipes(pipe_in, pipe_out, SID)
    program = [sys.executable, "-m", "codex_sandbox_windows.runner_program", *runner_arguments(pipe_in, pipe_out)]
    runner = subprocess.Popen(program, stdin=subprocess.DEVNULL)
    pipes.await_runner(transport, 1 if pretend else runner.pid, SECONDS)
    return RunnerSession(Channel(transport)), runner, transport


def play(wanted: dict) -> dict:
    session, runner, transport = connected(pretend=wanted.get("pretend", False))
    base = {
        "cwd": "C:\\", "env": dict(os.environ), "policy": "workspace-write", "sandbox_policy_cwd": "C:\\",
        "codex_home": "C:\\", "real_codex_home": "C:\\", "cap_sids": ("S-1-5-21-1-2-3-4",),
    }  # fmt: skip
    request = {name: tuple(value) if isinstance(value, list) else value for name, value in wanted["request"].items()}
    request["command"] = tuple(sys.executable if part == "python" else part for part in request["command"])
    session.start(SpawnRequest(**base | request), SECONDS)
    written = {"stdout": b"", "stderr": b""}
    began = time.monotonic()
    for step, value in wanted.get("steps", []):
        getattr(session, step)(*[base64.b64decode(value)] if step == "write" else value)
    for event in session.events():
        if isinstance(event, Exit):
            break
        written[event.stream] += event.data
        for step, value in wanted.get("then", {}).pop(event.stream, []):
            getattr(session, step)(*value)
    answer = {
        "exit": event.exit_code,
        "timed_out": event.timed_out,
        "runner": runner.wait(SECONDS),
        "seconds": time.monotonic() - began,
        **{stream: data.decode("utf-8", "replace") for stream, data in written.items()},
    }
    transport.close()
    return answer


def unanswered() -> dict:
    """Wait for a runner that never connects."""
    transport = pipes.create_pipes(*pipe_names(), SID)
    began = time.monotonic()
    try:
        pipes.await_runner(transport, 1, 1.0)
    except TimeoutError as error:
        return {"error": str(error), "seconds": time.monotonic() - began, "threads": threading.active_count()}
    return {}


def main() -> None:
    for line in sys.stdin:
        wanted = json.loads(line)
        try:
            answer = unanswered() if wanted.get("unanswered") else play(wanted)
        except Exception as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


main()
