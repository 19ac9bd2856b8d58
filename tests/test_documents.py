"""Pages lead somewhere, and what they show can be used."""

from __future__ import annotations

import json
import re
import textwrap
import tomllib
from pathlib import Path

import pytest

from codex_hookspecs.config_rules import RULES

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "hookspecs/README.md"]
    + [page for folder in ("docs", "plugins", "examples") for page in (ROOT / folder).rglob("*.md")]
)
READ = {
    "json": json.loads,
    "toml": tomllib.loads,
    "python": lambda text: compile(text, "page", "exec"),
}


def blocks(page: Path) -> list[tuple[str, str]]:
    fenced = re.findall(r"^( *)```(\w+)\n(.*?)^ *```$", page.read_text(), re.DOTALL | re.MULTILINE)
    return [(language, textwrap.dedent(body)) for _, language, body in fenced]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_that_exist(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text())

    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_is_shown_can_be_read(page: Path) -> None:
    for language, body in blocks(page):
        if language in READ:
            READ[language](body)


@pytest.mark.parametrize("page", sorted(ROOT.glob("plugins/*/README.md")), ids=lambda page: page.parent.name)
def test_a_plugin_says_what_it_is_when_it_is_chosen_its_settings_and_limits(page: Path) -> None:
    headings = re.findall(r"^##? (.+)$", page.read_text(), re.MULTILINE)

    assert headings[0] == f"codex-{page.parent.name}"
    assert {"When it is chosen", "Settings", "Limits"} <= set(headings)
    assert "None known." not in page.read_text()


def test_the_authors_page_shows_the_example_as_it_is() -> None:
    example = ROOT / "examples/hello-plugin"
    page = (ROOT / "docs/writing-a-plugin.md").read_text()
    shown = ["src/codex_hello/codex-plugin.toml", "src/codex_hello/plugin.py", "tests/test_hello.py"]

    assert [name for name in shown if (example / name).read_text() not in page] == []


def test_every_key_that_is_checked_is_explained() -> None:
    page = (ROOT / "docs/configuration.md").read_text()
    keys = [key for key in RULES if "*" not in key]

    assert [key for key in keys if not all(re.search(rf"\b{part}\b", page) for part in key.split("."))] == []
