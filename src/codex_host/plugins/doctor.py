"""Check plugins, each in a child process with a time limit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from codex_hookspecs.terminal_text import escape_controls
from codex_host.plugins.manifest import FILE_NAME

if TYPE_CHECKING:
    from codex_host.plugins.manifest import FoundPlugin
    from codex_host.plugins.registry import PluginStatus

LIMIT = 20.0
"""Time limit in seconds for importing and checking one plugin."""
SLOW_MS = 25.0
"""Import time in milliseconds above which a remark is printed."""


def examine(
    plugins: Sequence[FoundPlugin],
    statuses: Mapping[str, PluginStatus],
    *,
    configuration: Mapping[str, Any],
    untrusted_is_fine: bool,
) -> int:
    """Print the problems of each plugin; return 1 if there are any, else 0.

    :param configuration: parameters of the configuration beside the files: ``cwd``, ``flags`` and ``profile``.
    :param untrusted_is_fine: don't count it as a problem that a plugin is not examined because it is not trusted.
    """
    sick = 0
    for plugin in plugins:
        status = statuses[plugin.name]
        if plugin.problem or plugin.manifest is None:
            findings = [plugin.problem or "it has no manifest"]
        elif status.state == "incompatible":
            findings = [status.detail]
        else:
            report = _probe(plugin, configuration)
            if report.get("untrusted"):
                remedy = f"(run: codex plugins trust {plugin.name})"
                print(escape_controls(f"{plugin.name}: not examined, {report['untrusted']} {remedy}"))
                sick += not untrusted_is_fine
                continue
            findings = _findings(plugin, report)
            if status.quarantine:
                findings.append(status.quarantine)
        sick += bool(findings) and not status.expected
        print(escape_controls(f"{plugin.name}: {'ok' if not findings else findings[0]}"))
        for finding in findings[1:]:
            print(escape_controls(f"  {finding}"))
    return 1 if sick else 0


def _probe(plugin: FoundPlugin, configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Check a plugin in a separate process, which imports it only if it is trusted."""
    command = [sys.executable, "-I", "-X", "utf8", "-m", "codex_host.plugins.probe", plugin.name]
    try:
        # Not in an argument: what was given with -c may be a secret.
        given = json.dumps(configuration, default=str).encode()
        done = subprocess.run(command, capture_output=True, timeout=LIMIT, check=False, input=given)
    except subprocess.TimeoutExpired:
        return {"problems": [f"took longer than {LIMIT:g} s to be imported and checked"]}
    try:
        report: dict[str, Any] = json.loads(done.stdout.decode("utf-8", "replace").splitlines()[-1])
    except (ValueError, IndexError):
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-3:]
        return {"problems": [f"the process ended with status {done.returncode}", *last]}
    return report


def _findings(plugin: FoundPlugin, report: Mapping[str, Any]) -> list[str]:
    findings: list[str] = report["problems"]
    version = plugin.manifest.version if plugin.manifest else ""
    if version and version != plugin.version:
        findings.append(f"{FILE_NAME} says version {version}, its distribution has {plugin.version}")
    if report.get("load_ms", 0.0) > SLOW_MS:
        print(f"{plugin.name}: remark: takes {report['load_ms']:.0f} ms and {report['modules']} modules to load")
    return findings
