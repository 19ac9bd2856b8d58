"""Run the measurements: ``python -m benchmarks.run [--pairs N] [--real-only]``."""

from __future__ import annotations

import argparse
import sys

from benchmarks import app_server, dispatch, exec_server, modules, remote, sandbox, turn
from interop.clients import OURS, REAL_118, REAL_169


def main() -> int:
    """Print every measurement that can be taken here.

    :return: exit status.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20, help="runs of each program")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each server")
    parser.add_argument("--real-only", action="store_true", help="leave ours out")
    options = parser.parse_args()
    wanted = (REAL_118,) if options.real_only else (OURS, REAL_118)
    clients = [codex for codex in wanted if codex.present]
    for codex in wanted:
        if not codex.present:
            print(f"bench: {codex.name} is not installed ({codex.path})", file=sys.stderr)
    if not clients:
        return 1
    for what, config in turn.CONFIGURATIONS.items():
        print("\n".join(turn.report(f"codex exec {what}", turn.measure(clients, options.pairs, config))))
    print("\n".join(app_server.report(app_server.measure(clients, options.rounds))))
    print("\n".join(sandbox.report(clients, options.pairs)))
    if OURS in clients:
        print("\n".join([*dispatch.report(), *modules.report(), *remote.report()]))
    servers = [codex for codex in ((REAL_169,) if options.real_only else (OURS, REAL_169)) if codex.present]
    print("\n".join(exec_server.report(exec_server.measure(servers, options.rounds))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
