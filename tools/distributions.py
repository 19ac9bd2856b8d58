"""Find the distributions of this workspace: the host, the contracts, the libraries and the plugins."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from attrs import frozen

ROOT = Path(__file__).resolve().parents[1]
PROJECTS = ("pyproject.toml", "hookspecs/pyproject.toml", "src/*/pyproject.toml", "plugins/*/pyproject.toml")


@frozen
class Distribution:
    """One project of the workspace.

    :param folder: the directory of its pyproject.toml.
    :param project: the parsed pyproject.toml.
    """

    folder: Path
    project: dict[str, Any]

    @property
    def name(self) -> str:
        """The name it is installed under."""
        return str(self.project["project"]["name"])

    @property
    def version(self) -> str:
        """The version that its pyproject.toml declares."""
        return str(self.project["project"]["version"])


def find(root: Path = ROOT) -> list[Distribution]:
    """Return every distribution, the host first."""
    files = [file for pattern in PROJECTS for file in sorted(root.glob(pattern))]
    return [Distribution(file.parent, tomllib.loads(file.read_text("utf-8"))) for file in files]


def required_name(requirement: str) -> str:
    """Return the normalized name in a requirement such as ``Codex_Host[plugins]>=1``."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[<>=!~;@(]", requirement.strip(), maxsplit=1)[0]).lower()
