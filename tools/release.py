"""Set a new version of all distributions, and collect the fragments in ``changelog/`` into CHANGELOG.md.

``python tools/release.py VERSION``. Needs towncrier, which ``make release V=VERSION`` installs.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from distributions import ROOT, find

VERSION = re.compile(r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?")
CARRIERS = ("pyproject.toml", "src/*/codex-plugin.toml", "src/*/__init__.py")


def set_version(version: str, root: Path = ROOT) -> list[Path]:
    """Write the version to all files of the distributions that contain it.

    :param version: the new version.
    :param root: the workspace.
    :return: the changed files.
    """
    changed = []
    for distribution in find(root):
        now = re.escape(distribution.version)
        for file in [file for carrier in CARRIERS for file in sorted(distribution.folder.glob(carrier))]:
            text = file.read_text("utf-8")
            new = re.sub(rf'^((?:__)?version(?:__)? = "){now}"', rf'\g<1>{version}"', text, count=1, flags=re.MULTILINE)
            if new != text:
                file.write_text(new, "utf-8")
                changed.append(file)
    return changed


def main(arguments: list[str]) -> int:
    """Prepare a release; see the module."""
    if len(arguments) != 1 or not VERSION.fullmatch(arguments[0]):
        print(f"release: a version like 1.2.3 or 1.2.3rc1 is wanted, found {' '.join(arguments)!r}", file=sys.stderr)
        return 2
    version = arguments[0]
    subprocess.run(["towncrier", "build", "--yes", "--version", version], cwd=ROOT, check=True)
    changed = set_version(version)
    print(
        f"release: {len(changed)} files say {version} now; look at git diff, run make test and make dist, then commit"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
