"""Install the real clients that ``make interop`` and ``make bench`` compare with into ``.peers/``.

A peer that is already installed in the required version is skipped. Peers are fetched by npm or pip with the
configuration of this machine.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent / ".peers"
# folder -> (npm package, version, whether its optional platform package is wanted)
NPM = {
    "codex-0.118": ("@openai/codex", "0.118.0", True),
    "codex-0.169": ("@openai/codex", "0.169.0", True),
    "sdk-typescript": ("@openai/codex-sdk", "0.163.0", False),
}
# folder -> (package, version, what it needs; empty when pip finds that out)
PIP = {
    "sdk-python": ("openai-codex-sdk", "0.1.11", ()),
    # Without the program that comes with it: ours is what it is to start.
    "sdk-app-server": ("openai-codex", "0.163.0", ("pydantic>=2.12", "packaging>=26.2")),
}
LIMIT = 900


def main() -> int:
    """Install what is missing.

    :return: exit status, 1 when a peer could not be installed.
    """
    ROOT.mkdir(exist_ok=True)
    missing = [folder for folder in (*NPM, *PIP) if not _present(folder)]
    failed = [folder for folder in missing if not _install(folder)]
    for folder in failed:
        print(f"peers: {folder} could not be installed", file=sys.stderr)
    return 1 if failed else 0


def _present(folder: str) -> bool:
    if folder in NPM:
        package, version, platform = NPM[folder]
        modules = ROOT / folder / "node_modules" / "@openai"
        file = modules / package.removeprefix("@openai/") / "package.json"
        there = file.is_file() and json.loads(file.read_text("utf-8"))["version"] == version
        return there and (not platform or any(modules.glob("codex-*-*")))
    package, version, _needs = PIP[folder]
    return any((ROOT / folder).glob(f"**/{package.replace('-', '_')}-{version}.dist-info/METADATA"))


def _install(folder: str) -> bool:
    target = ROOT / folder
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    if folder in NPM:
        package, version, platform = NPM[folder]
        print(f"peers: installing {package}@{version}")
        (target / "package.json").write_text('{"private": true}\n', "utf-8")
        quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error", "--ignore-scripts"]
        command = [_npm(), "install", *quiet, *([] if platform else ["--omit=optional"]), f"{package}@{version}"]
    else:
        package, version, needs = PIP[folder]
        print(f"peers: installing {package}=={version}")
        venv.create(target, with_pip=True)
        pip = [str(target / "bin" / "python"), "-m", "pip", "install", "-q"]
        if needs and subprocess.run([*pip, *needs], timeout=LIMIT, check=False).returncode:
            return False
        command = [*pip, *(["--no-deps"] if needs else []), f"{package}=={version}"]
    try:
        return subprocess.run(command, cwd=target, timeout=LIMIT, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"peers: {error}", file=sys.stderr)
        return False


def _npm() -> str:
    return shutil.which("npm") or "npm"


if __name__ == "__main__":
    sys.exit(main())
