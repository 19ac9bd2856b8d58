"""What git is told, so that nothing which a repository names is executed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from codex_git.safe_git import overriding_variables

SETTINGS = {"core.hooksPath": "/dev/null", "filter.odd=name. x.clean": "", "color.ui": "never"}


def test_settings_override_those_of_a_repository(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    for key in SETTINGS:
        subprocess.run(["git", "config", key, "hostile"], cwd=tmp_path, check=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}

    for key, value in SETTINGS.items():
        env = {**kept, **overriding_variables(SETTINGS)}
        ran = subprocess.run(["git", "config", key], cwd=tmp_path, env=env, check=True, capture_output=True, text=True)
        assert ran.stdout == f"{value}\n"
