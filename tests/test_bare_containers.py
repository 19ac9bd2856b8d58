"""Sandboxes for root in places that have taken something away from it, as containers do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from codex_sandbox_landlock.kernel import kernel

CODEX = str(Path(sys.executable).with_name("codex"))
NO_CAPABILITIES = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
NO_NAMESPACES = (
    "unshare",
    "-U",
    "-r",
    "-m",
    "sh",
    "-c",
    'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"',
    "x",
)
NO_ROOT = ("setpriv", "--securebits=+noroot,+noroot_locked")
NO_DEVICES = (
    "unshare", "-m", "sh", "-c",
    'mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && exec "$@"', "x",
)  # fmt: skip
NO_NEW_PROC = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs -o ro none /proc/bus && exec "$@"', "x")
READ_ONLY = ("-c", "sandbox_mode=read-only")
UNPROTECTED = ("--full-auto", "-c", "plugins.sandbox-landlock.unprotected=true")
TRY = """
touch made 2>/dev/null && echo wrote
mount -t tmpfs none . 2>/dev/null && echo mounted
grep ^CapPrm /proc/self/status
"""
NOTHING = f"CapPrm:\t{0:016x}\n"

Run = Callable[..., subprocess.CompletedProcess[str]]
pytestmark = [
    pytest.mark.skipif(
        os.geteuid() != 0 or not all(map(shutil.which, ("setpriv", "unshare", "mount"))),
        reason="needs root, setpriv, unshare and mount",
    ),
    pytest.mark.skipif(kernel().abi == 0, reason="this kernel has no Landlock"),
]


def possible(*words: str) -> bool:
    return subprocess.run([*words, "true"], capture_output=True, check=False, timeout=20).returncode == 0


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command under a policy, in a folder of its own and from a place that lacks something."""
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()

    def ran(place: tuple[str, ...], *options: str, command: str = TRY) -> subprocess.CompletedProcess[str]:
        if not possible(*place):
            pytest.skip(f"{place[0]} is not allowed here")
        return subprocess.run(
            [*place, CODEX, "sandbox", "linux", *options, "--", "sh", "-c", command],
            cwd=tmp_path / "work",
            env={**os.environ, "CODEX_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return ran


PLACES = [
    NO_CAPABILITIES,
    (*NO_NAMESPACES, *NO_CAPABILITIES),
    NO_ROOT,
    NO_DEVICES,
    NO_NEW_PROC,
    ("setpriv", "--no-new-privs"),
]


@pytest.mark.parametrize("place", PLACES)
def test_commands_that_only_read_run_wherever_landlock_is(run: Run, place: tuple[str, ...]) -> None:
    done = run(place, *READ_ONLY)

    assert (done.returncode, done.stdout, done.stderr) == (0, NOTHING, "")


@pytest.mark.parametrize("place", PLACES)
def test_commands_that_write_do_so_where_protection_is_given_up(run: Run, place: tuple[str, ...]) -> None:
    done = run(place, *UNPROTECTED)

    assert (done.returncode, done.stdout, done.stderr) == (0, f"wrote\n{NOTHING}", "")


def test_what_takes_namespaces_is_refused_with_the_reason(run: Run) -> None:
    done = run(NO_CAPABILITIES, "--full-auto")

    assert done.returncode == 1
    assert "sandbox-landlock can't enforce the sandbox policy workspace-write" in done.stderr
    assert "/proc/self/uid_map: Operation not permitted" in done.stderr


def test_a_bwrap_that_works_for_one_is_tried_again_for_who_has_less(run: Run) -> None:
    if shutil.which("bwrap") is None:
        pytest.skip("needs bwrap")

    assert run(("env",), *READ_ONLY).returncode == 0
    assert run(NO_CAPABILITIES, *READ_ONLY).stderr == ""
    assert run(("env",), "--full-auto").stdout == f"wrote\n{NOTHING}"
