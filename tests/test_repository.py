"""What is committed is finished, and says nothing about the machine it was written on."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ("src", "hookspecs/src", "plugins", "examples", "tools", "tests")
UNFINISHED = re.compile(r"#\s*([T]ODO|[F]IXME|[X]XX|[H]ACK)\b|raise NotImplemented[E]rror$|mark\.[s]kip\b")
MACHINE = re.compile(r"(?<![\w.~$}/-])/(?:(?:home|Users)/(?!user\b|me\b|u\b)|root/)\w+")
PROSE = {".md", ".toml", ".sh", ".txt", ""}


@cache
def committed() -> list[Path]:
    """Return the files git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [path for name in sorted(set(listed.stdout.split("\0"))) if name and (path := ROOT / name).is_file()]


def matching(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if pattern.search(line)
    ]


def test_nothing_is_left_unfinished() -> None:
    python = [path for path in committed() if path.suffix == ".py"]

    assert matching(UNFINISHED, python) == []


def test_no_text_names_a_place_on_the_writers_machine() -> None:
    product = [
        path
        for path in committed()
        if path.suffix in PROSE or (path.suffix == ".py" and "tests" not in path.relative_to(ROOT).parts)
    ]

    assert matching(MACHINE, [path for path in product if path.name != "LICENSE"]) == []


def test_no_lock_file_or_binary_is_committed() -> None:
    odd = [path for path in committed() if path.suffix == ".lock" or b"\0" in path.read_bytes()[:8_000]]

    assert [path for path in odd if path.suffix not in {".png", ".gif", ".webp"}] == []


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-tools.txt"])
def test_pinned_libraries_have_hashes_and_no_addresses(name: str) -> None:
    text = (ROOT / name).read_text()
    entries = [entry for entry in re.split(r"\n(?=\S)", text.strip()) if not entry.startswith("#")]

    assert [
        entry.split()[0] for entry in entries if not re.match(r"[\w.-]+==\S+ .*--hash=sha256:", entry, re.DOTALL)
    ] == []
    assert "://" not in text


@pytest.mark.parametrize("folder", [folder for folder in SOURCES if (ROOT / folder).is_dir()])
def test_modules_are_named_after_a_subject(folder: str) -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc"}

    assert [path for path in (ROOT / folder).rglob("*.py") if path.stem.strip("_") in vague] == []
