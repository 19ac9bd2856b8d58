"""Copy the pages of the repository to ``build/docs/`` for the site generator, with the same paths.

Links that work in the repository then work on the site, too: linked files that are not pages (scripts, the licence) are
copied, a linked folder leads to its README.
"""

from __future__ import annotations

import re
import shutil
from functools import partial
from pathlib import Path, PurePosixPath
from posixpath import normpath

from distributions import ROOT

LAYOUT = ROOT / "build" / "docs"
CONFIGURATION = "mkdocs.yml"
PAGES = (
    "*.md",
    "docs/**/*.md",
    "hookspecs/README.md",
    "src/*/README.md",
    "plugins/*/README.md",
    "examples/*/README.md",
)
SECTIONS = {
    "More": ("docs/",),
    "Libraries": ("hookspecs/", "src/"),
    "Plugins": ("plugins/",),
    "Examples": ("examples/",),
}
LINK = re.compile(r"(\]\()([^)#:\s]+)((?:#[^)\s]*)?\))")


def pages(root: Path = ROOT) -> list[str]:
    """Return the paths of all pages."""
    return [path.relative_to(root).as_posix() for pattern in PAGES for path in sorted(root.glob(pattern))]


def navigation(declared: str, found: list[str]) -> str:
    """Return the additions to the navigation: every page that it does not list, in the section of its folder.

    :param declared: the configuration text, which ends with the navigation.
    :param found: the paths of all pages.
    """
    lines = ""
    for title, folders in SECTIONS.items():
        if rest := [page for page in found if page.startswith(folders) and f"- {page}\n" not in declared]:
            lines += f"  - {title}:\n" + "".join(f"      - {page}\n" for page in rest)
    return lines


def lay_out(target: Path = LAYOUT) -> None:
    """Write the pages, the files that they link to and the configuration.

    :param target: directory to write; its content is replaced.
    """
    shutil.rmtree(target, ignore_errors=True)
    found = pages()
    for page in found:
        text = (ROOT / page).read_text("utf-8")
        for link in LINK.finditer(text):
            linked = ROOT / _target(page, link[2])
            if linked.is_file() and linked.suffix != ".md":
                _copy(linked, target)
        _write(target / "pages" / page, LINK.sub(partial(_to_page, page), text))
    configuration = (ROOT / CONFIGURATION).read_text("utf-8")
    _write(target / CONFIGURATION, configuration + navigation(configuration, found))


def _target(page: str, link: str) -> str:
    return normpath(str(PurePosixPath(page).parent / link))


def _to_page(page: str, link: re.Match[str]) -> str:
    if (ROOT / _target(page, link[2])).is_dir():
        return f"{link[1]}{link[2].rstrip('/')}/README.md{link[3]}"
    return link[0]


def _copy(file: Path, target: Path) -> None:
    copy = target / "pages" / file.relative_to(ROOT)
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, copy)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


if __name__ == "__main__":
    lay_out()
