"""A Python environment of a test's own: what is installed here, and what the test adds."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

LAUNCHER = Path(__file__).parents[1] / "tools" / "codex"


def make_environment(folder: Path) -> Path:
    """Make an environment with the program ``codex``.

    :param folder: does not exist yet; gets ``bin/python`` and ``bin/codex``.
    :return: directory that distributions are installed to.
    """
    base = Path(os.path.realpath(sys.executable))
    programs = folder / "bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(base)
    (folder / "pyvenv.cfg").write_text(f"home = {base.parent}\ninclude-system-site-packages = false\n")
    packages = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "installed.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    (programs / "codex").write_bytes(LAUNCHER.read_bytes())
    (programs / "codex").chmod(0o755)
    return packages
