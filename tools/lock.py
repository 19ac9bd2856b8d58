"""Pin the libraries of the workspace, with hashes, in ``constraints.txt`` and ``constraints-tools.txt``.

The requirements come from the pyproject.toml files. Pins that still satisfy them are kept; ``--upgrade`` updates all to
the newest releases. The files hold names, versions and hashes, and no address of a package index. Needs uv, which
``make lock`` installs.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

from distributions import ROOT, Distribution, find, required_name

TOOLS = "tools"
"""The dependency group for documentation and releases, which has a separate environment."""

OPTIONS = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate", "--quiet")


def requirements(distributions: Iterable[Distribution], *, tools: bool) -> list[str]:
    """Return the external requirements of the distributions.

    :param tools: only the group of tools, or everything else.
    """
    found: set[str] = set()
    ours: set[str] = set()
    for distribution in distributions:
        ours.add(required_name(distribution.name))
        project = distribution.project["project"]
        groups = distribution.project.get("dependency-groups", {})
        if tools:
            found.update(groups.get(TOOLS, ()))
            continue
        found.update(distribution.project["build-system"]["requires"], project.get("dependencies", ()))
        for lists in (project.get("optional-dependencies", {}), groups):
            found.update(*(entries for name, entries in lists.items() if name != TOOLS))
    return sorted(entry for entry in found if required_name(entry) not in ours)


def main(arguments: list[str]) -> int:
    """Write both files; see the module."""
    distributions = find()
    for name, tools in (("constraints.txt", False), ("constraints-tools.txt", True)):
        wanted = "\n".join(requirements(distributions, tools=tools))
        command = ["uv", "pip", "compile", "-", "--output-file", name, *OPTIONS, *arguments]
        subprocess.run(command, cwd=ROOT, input=wanted, text=True, check=True, stdout=subprocess.DEVNULL)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
