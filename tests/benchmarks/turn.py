"""``codex exec`` with one shell call against a local model: ours and the real one, run after run in turns."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import time
from typing import TYPE_CHECKING

from attrs import frozen

from codex_testkit.servers.responses import ResponsesServer
from interop.clients import PEERS, Codex, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRIPT = [[{"sh": "echo hi"}], [{"say": "done"}]]
FASTEST = "supports_websockets = false\n"
"""What the provider's table says so that no program tries a websocket first."""
CONFIGURATIONS = {
    "as it comes": "",
    "at its leanest": """
[features]
plugins = false
shell_snapshot = false

[analytics]
enabled = false
""",
}
"""What configures both; the second spares them a look for plugins on the network, a shell that only shows variables,
and reports of use."""
COMMAND = ("exec", "--dangerously-bypass-approvals-and-sandbox", "--json", "run echo hi")


@frozen
class Sample:
    """Cost of one run with its children.

    :param wall: milliseconds.
    :param cpu: milliseconds of user and system time.
    :param rss: peak resident MiB.
    """

    wall: float
    cpu: float
    rss: float


def measure(clients: Sequence[Codex], pairs: int, config: str = "") -> dict[str, list[Sample]]:
    """Run every client in turn, so that a slow moment of the machine hits all of them.

    :param config: TOML lines for ``config.toml`` of each.
    """
    folder = PEERS / "bench"
    shutil.rmtree(folder, ignore_errors=True)
    samples: dict[str, list[Sample]] = {codex.name: [] for codex in clients}
    with ResponsesServer() as server:
        stages = {codex.name: Stage(folder / codex.name, server.url) for codex in clients}
        for codex in clients:
            stages[codex.name].set_up(codex, config, provider=FASTEST)
        for number in range(pairs + 2):
            for codex in clients if number % 2 else reversed(clients):
                server.play(SCRIPT)
                sample = _run(codex, stages[codex.name])
                if len(server.turns) != 2:
                    message = f"{codex.name} sent {len(server.turns)} model requests, expected 2"
                    raise RuntimeError(message)
                if number >= 2:
                    samples[codex.name].append(sample)
    shutil.rmtree(folder, ignore_errors=True)
    return samples


def _run(codex: Codex, stage: Stage) -> Sample:
    begun = time.perf_counter()
    child = subprocess.Popen(
        [str(codex.path), *COMMAND],
        cwd=stage.ws,
        env=stage.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert child.stderr is not None
    complaint = child.stderr.read()
    _pid, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - begun
    child.stderr.close()
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        message = f"{codex.name} ended with status {child.returncode}: {complaint.decode(errors='replace')[-2000:]}"
        raise RuntimeError(message)
    return Sample(wall * 1000, (usage.ru_utime + usage.ru_stime) * 1000, usage.ru_maxrss / 1024)


def report(what: str, samples: dict[str, list[Sample]]) -> list[str]:
    """Tell medians, quartiles of the wall time, and ratios to the last client.

    :param what: heads the table.
    """
    lines = [f"{what:28} {'wall ms':>9} {'(quartiles)':>15} {'cpu ms':>9} {'peak MiB':>9}"]
    middle = {name: [statistics.median(getattr(one, key) for one in runs) for key in ("wall", "cpu", "rss")]
              for name, runs in samples.items()}  # fmt: skip
    for name, runs in samples.items():
        low, _, high = statistics.quantiles([one.wall for one in runs], n=4)
        wall, cpu, rss = middle[name]
        lines.append(f"{name:28} {wall:9.0f} {f'({low:.0f}-{high:.0f})':>15} {cpu:9.0f} {rss:9.1f}")
    *others, base = middle
    for name in others:
        wall, cpu, rss = (mine / theirs for mine, theirs in zip(middle[name], middle[base], strict=True))
        lines.append(f"{name + ' / ' + base:28} {wall:9.2f} {'':15} {cpu:9.2f} {rss:9.2f}")
    return lines
