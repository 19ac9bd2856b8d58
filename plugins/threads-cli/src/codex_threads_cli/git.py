"""Run ``git apply`` on a directory that anybody may have made."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from tempfile import TemporaryDirectory
from typing import Final

from codex_hookspecs.errors import CodexError

_LIMIT: Final = 120.0
"""Time limit in seconds for git."""


class ApplyError(CodexError):
    """Raised when changes can't be applied."""


def git_apply(patch: bytes, root: str, environ: Mapping[str, str], *options: str) -> str:
    """Apply a patch in a directory; return what git says if that fails, else nothing.

    Hooks, filters and other programs that a configuration or an attribute file names are not run: git works with an
    empty repository of its own, whose work tree is the directory, and without the user's configuration.

    :raises ApplyError: when git can't be run.
    """
    program = shutil.which("git", path=environ.get("PATH"))
    if program is None:
        raise ApplyError("git is not installed")
    with TemporaryDirectory(prefix="codex-apply-") as folder:
        for name in ("objects", "refs"):
            os.mkdir(os.path.join(folder, name))
        with open(os.path.join(folder, "HEAD"), "w", encoding="ascii") as head:
            head.write("ref: refs/heads/none\n")
        given = {
            "GIT_DIR": folder,
            "GIT_WORK_TREE": root,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "LC_ALL": "C",
        }
        try:
            done = subprocess.run(
                [program, "-c", "core.fsmonitor=false", "apply", "--whitespace=nowarn", *options, "-"],
                cwd=root,
                env={key: value for key, value in environ.items() if not key.startswith("GIT_")} | given,
                input=patch,
                capture_output=True,
                timeout=_LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ApplyError(f"git apply took longer than {_LIMIT:g} s") from error
        except OSError as error:
            raise ApplyError(f"git can't be run: {error}") from error
    if done.returncode == 0:
        return ""
    return done.stderr.decode("utf-8", "replace").strip() or f"git apply ended with status {done.returncode}"
