"""Pages lead somewhere, and what they show can be used."""

from __future__ import annotations

import json
import re
import textwrap
import tomllib
from pathlib import Path

import docs_site
import public_names
import pytest

from codex_host.config.schema import RULES
from codex_responses.script import steps

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / page for page in docs_site.pages()]
KINDS = sorted(ROOT.glob("docs/kinds/*.md"))
EXAMPLES = sorted(ROOT.glob("examples/*/pyproject.toml"))
LINK = re.compile(r"\]\(([^)#:\s]*)(?:#([^)\s]*))?\)")
READ = {
    "json": json.loads,
    "toml": tomllib.loads,
    "python": lambda text: compile(text, "page", "exec"),
}


def prose(page: Path) -> str:
    return re.sub(r"^( *)```.*?^ *```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as they are made on the site and where repositories are shown."""
    titles = re.findall(r"^#{1,6} +(.+?) *$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def blocks(page: Path) -> list[tuple[str, str]]:
    fenced = re.findall(r"^( *)```(\w+)\n(.*?)^ *```$", page.read_text(), re.DOTALL | re.MULTILINE)
    return [(language, textwrap.dedent(body)) for _, language, body in fenced]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_that_exist(page: Path) -> None:
    targets = {target for target, _ in LINK.findall(prose(page))}

    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_into_a_page_lead_to_a_heading(page: Path) -> None:
    links = [
        (page.parent / target if target else page, anchor) for target, anchor in LINK.findall(prose(page)) if anchor
    ]

    assert [f"{target}#{anchor}" for target, anchor in links if anchor not in anchors(target)] == []


def test_every_page_of_the_documentation_is_in_the_index_and_in_the_navigation() -> None:
    index = (ROOT / "README.md").read_text()
    navigation = (ROOT / "mkdocs.yml").read_text()
    found = [page for page in docs_site.pages() if page.startswith("docs/")]

    assert [page for page in found if f"]({page})" not in index] == []
    assert [page for page in found if f"- {page}\n" not in navigation] == []


def test_the_layout_of_the_site_has_every_page_and_every_file_that_is_linked(tmp_path: Path) -> None:
    docs_site.lay_out(tmp_path)
    navigation = (tmp_path / "mkdocs.yml").read_text()
    pages = [tmp_path / "pages" / page for page in docs_site.pages()]

    assert [page for page in docs_site.pages() if navigation.count(f"- {page}\n") != 1] == []
    assert [
        target for page in pages for target, _ in LINK.findall(prose(page)) if not (page.parent / target).exists()
    ] == []


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


@pytest.mark.parametrize("page", KINDS, ids=lambda page: page.stem)
def test_the_page_of_a_kind_shows_its_example_as_it_is(page: Path) -> None:
    text = page.read_text()
    examples = {(page.parent / found).resolve() for found in re.findall(r"\]\((\S+/examples/[\w-]+)\)", text)}
    shown = [path for each in examples for path in (*each.glob("src/*/plugin.py"), *each.glob("tests/test_*.py"))]

    assert len(shown) >= 2 * len(examples) > 0
    assert [path.name for path in shown if path.read_text().rstrip() not in text] == []
    assert {"what-errors-mean", "test-it", "see-it-working"} <= anchors(page)
    assert [
        each.name for each in examples if f"(../../docs/kinds/{page.name})" not in (each / "README.md").read_text()
    ] == []


def test_every_example_has_a_page_and_every_kind_a_line_in_the_authors_page() -> None:
    pages = "".join(page.read_text() for page in KINDS)
    start = (ROOT / "docs/writing-a-plugin.md").read_text()

    assert [path.parent.name for path in EXAMPLES if f"/examples/{path.parent.name})" not in pages] == []
    assert [page.name for page in KINDS if f"](kinds/{page.name})" not in start] == []


def test_the_authors_page_names_every_module_that_plugins_import_from() -> None:
    text = (ROOT / "docs/writing-a-plugin.md").read_text()
    modules = [page for page in public_names.PAGES if page != "markers"]

    assert [module for module in modules if f"`{module}`" not in text] == []


def test_the_page_of_the_offline_model_has_every_step() -> None:
    text = (ROOT / "docs/offline-model.md").read_text()

    assert [step for step in steps._STEPS if f"| `{step}` |" not in text] == []


def test_every_key_that_is_checked_is_explained() -> None:
    page = (ROOT / "docs/configuration.md").read_text()
    keys = [key for key in RULES if "*" not in key]

    assert [key for key in keys if not all(re.search(rf"\b{part}\b", page) for part in key.split("."))] == []
