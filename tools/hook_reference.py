"""Write docs/hooks.md and docs/reference/, the reference of all hooks and public names, from the contracts.

``python tools/hook_reference.py`` writes the pages, ``--check`` fails when one is out of date.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from public_names import PAGES, module_of, on_page
from reference_entries import KINDS, documentation, entry, kind_of, label, markdown, mentioned, signature_of

from codex_hookspecs.markers import HookPolicy, policy_of

ROOT = Path(__file__).parents[1] / "docs"
INDEX = "hooks.md"
INTRODUCTION = """\
# Hooks

Every hook that a plugin can implement. The name of a hook leads to its description, on the page of its area, which has
the values and ports of the area as well, each with the line that imports it. Implementations are marked with
[`@hookimpl`](reference/markers.md#hookimpl), may leave out arguments they do not need, and return `None` for "no
opinion". These pages are generated from `codex_hookspecs` by `make reference`.

Values never change; `attrs.evolve(value, name=…)` gives a copy with other fields (`attrs` then belongs into the
dependencies). In `Made as Name(*, a, b=…)`, what follows the `*` is given by name, and what has `=…` may be left out.

| kind | called | written as |
|---|---|---|
| offer | when something is wanted; every implementation may contribute | `def` |
| choose | until the first answer that is not `None` | `def` |
| event | when something happens; each implementation is awaited under the time limit | `async def` |

A hook that is marked **not called yet** can be implemented, but this version of the host does not call it; a
plugin that implements it is loaded with a warning.

| hook | kind | answers | limit | when one fails |
|---|---|---|---|---|
"""
OTHERS = """
## Pages without hooks

Other names that plugins use:

"""
FAILURES = {
    "skip": "a failure is reported to the user and skipped",
    "ask": "after a failure the user is asked, and if no client can be asked it is refused",
    "block": "a failure refuses",
}
MERGES = {
    "all": "every answer is used",
    "first": "the first answer is used",
    "any_block": "any refusal refuses",
    "concat": "answers are concatenated in order",
}
TITLES = {
    "auth": "Authentication of connections",
    "context": "Instructions",
    "environments": "Environments",
    "files": "Settings and state files",
    "host": "The host",
    "http_policy": "HTTP: proxies and certificates",
    "json_text": "JSON text",
    "jsonrpc": "JSON-RPC",
    "light": "Values without attrs",
    "tracing": "Traces",
    "markers": "Markers of implementations",
    "policy": "Company rules",
    "protocol": "Protocol: threads, turns, items, notifications",
    "storage": "Thread stores",
    "surface": "Commands, RPC methods, front ends",
    "wire": "Wire forms",
}
MARKERS = """\
Markers of hook implementations, and declaration of values. Import from `codex_hookspecs`.
"""


def hooks_of(area: ModuleType) -> Iterator[tuple[str, Callable[..., Any], HookPolicy]]:
    """Yield name, specification and policy of each hook that an area declares, in the order they are written."""
    for name, value in vars(area).items():
        if inspect.isfunction(value) and value.__module__ == area.__name__ and hasattr(value, "codex_policy"):
            yield name, value, policy_of(value)


def pages() -> dict[str, str]:
    """Return the text of every page by its path below ``docs``."""
    found = {INDEX: _index()}
    found.update((f"reference/{page}.md", _page(page, area)) for page, area in PAGES.items())
    return found


def _index() -> str:
    rows = [
        f"| [`{name}`](reference/{page}.md#{name}) | {policy.kind} | {_answers(policy)} | {_limit(policy)} "
        f"| {'**not called yet**' if policy.not_called_yet else FAILURES[policy.on_error]} |"
        for page, area in PAGES.items()
        if area is not None
        for name, _, policy in hooks_of(area)
    ]
    others = [
        f"- [{_title(page)}](reference/{page}.md): {_about(page)}" for page, area in PAGES.items() if area is None
    ]
    return INTRODUCTION + "\n".join(rows) + "\n" + OTHERS + "\n".join(others) + "\n"


def _page(page: str, area: ModuleType | None) -> str:
    parts = [f"# {_title(page)}\n\n{_text(page)}\n"]
    if area is not None:
        parts.append(f"## Hooks\n\n{inspect.getdoc(area)}\n")
        parts += [_hook(page, name, spec, policy) for name, spec, policy in hooks_of(area)]
    names = on_page(page)
    for kind, title in KINDS.items():
        of_kind = [name for name in names if kind_of(name) == kind]
        if of_kind:
            parts.append(f"## {title}\n")
            parts += [entry(name, page) for name in of_kind]
    return "\n".join(parts)


def _title(page: str) -> str:
    return TITLES.get(page, page.capitalize())


def _text(page: str) -> str:
    if page == "markers":
        return MARKERS.rstrip()
    text = markdown(inspect.getdoc(import_module(module_of(page))) or "")
    # A list that is drawn in a docstring is kept as it is drawn.
    return re.sub(r"(?m)((?:^ *- .*\n?)+)", r"```text\n\1\n```", text).replace("\n\n```", "\n```")


def _about(page: str) -> str:
    return _text(page).splitlines()[0]


def _hook(page: str, name: str, spec: Callable[..., Any], policy: HookPolicy) -> str:
    text, fields = documentation(spec)
    text, _, example = text.partition("\nExample::\n")
    prefix = "async def" if policy.kind == "event" else "def"
    lines = [
        f"### `{name}`\n",
        f"```python\n{prefix} {name}{signature_of(spec)}: ...\n```\n",
        f"{_policy(policy)}\n",
        f"{markdown(text).strip()}\n",
        *(f"- {label(field)}: {markdown(said)}" for field, said in fields.items()),
    ]
    if example:
        lines.append(f"\n```python\n{inspect.cleandoc(example)}\n```")
    lines.append(mentioned(spec.__annotations__.values(), spec.__module__, page))
    return "\n".join(lines).rstrip("\n") + "\n"


def _policy(policy: HookPolicy) -> str:
    facts = [f"**{policy.kind}**", _answers(policy)]
    if policy.timeout is not None:
        facts.append(f"limit {policy.timeout:g} s")
    if policy.parallel:
        facts.append("implementations run concurrently")
    facts.append(FAILURES[policy.on_error])
    if policy.not_called_yet:
        facts.insert(0, "**not called yet**")
    return " · ".join(facts)


def _answers(policy: HookPolicy) -> str:
    return "no answer" if policy.parallel else MERGES[policy.merge]


def _limit(policy: HookPolicy) -> str:
    return "" if policy.timeout is None else f"{policy.timeout:g} s"


def main(arguments: list[str]) -> int:
    """Write the pages, or with ``--check`` compare them."""
    wrong = []
    for path, page in pages().items():
        target = ROOT / path
        if "--check" not in arguments:
            target.parent.mkdir(exist_ok=True)
            target.write_text(page, encoding="utf-8")
        elif not target.exists() or target.read_text(encoding="utf-8") != page:
            wrong.append(path)
    if wrong:
        print(f"docs: {', '.join(wrong)} differ from the contracts; run: make reference", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
