"""Write docs/hooks.md, the reference of all hooks, from their specifications.

``python tools/hook_reference.py`` writes the page, ``--check`` fails when it is out of date.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs

from codex_hookspecs.markers import HookPolicy, policy_of
from codex_hookspecs.specs import AREAS

PAGE = Path(__file__).parents[1] / "docs" / "hooks.md"
INTRODUCTION = """\
# Hooks

Every hook that a plugin can implement, with the policy it is called under. Implementations are marked with `@hookimpl`,
may leave out arguments they do not need, and return `None` for "no opinion". This page is generated from
`codex_hookspecs` by `make reference`.

| kind | called | written as |
|---|---|---|
| offer | when something is wanted; every implementation may contribute | `def` |
| choose | until the first answer that is not `None` | `def` |
| event | when something happens; each implementation is awaited under the time limit | `async def` |

A hook that is marked **not called yet** can be implemented, but this version of the host has no part that calls it; a
plugin that implements it is loaded with a warning.
"""
FAILURES = {
    "skip": "a failure is told to the user and skipped",
    "ask": "after a failure a person is asked, and where nobody can be asked it is refused",
    "block": "a failure refuses",
}
MERGES = {
    "all": "every answer is used",
    "first": "the first answer wins",
    "any_block": "any refusal counts",
    "concat": "answers are joined in order",
}


def hooks_of(area: ModuleType) -> Iterator[tuple[str, Callable[..., Any], HookPolicy]]:
    """Yield name, specification and policy of each hook that an area declares, in the order they are written."""
    for name, value in vars(area).items():
        if inspect.isfunction(value) and value.__module__ == area.__name__ and hasattr(value, "codex_policy"):
            yield name, value, policy_of(value)


def render() -> str:
    """Return the whole page."""
    parts = [INTRODUCTION]
    values: dict[str, type[Any]] = {}
    for area in AREAS:
        parts.append(f"## {_title(area)}\n\n{inspect.getdoc(area)}\n")
        for name, spec, policy in hooks_of(area):
            parts.append(_hook(name, spec, policy))
            values.update(_values_in(area, spec))
    parts.append("## Values and ports\n\nWhat hooks are given and what they answer with.\n")
    parts += [_value(values[name]) for name in sorted(values)]
    return "\n".join(parts)


def documentation(value: object) -> tuple[str, dict[str, str]]:
    """Split a docstring into its text and what it says of each field (``return`` and ``raises`` among them)."""
    text: list[str] = []
    fields: dict[str, str] = {}
    current: str | None = None
    for line in (inspect.getdoc(value) or "").splitlines():
        if match := re.match(r":(?:param )?([\w. ]+):\s*(.*)", line):
            current = match[1]
            fields[current] = match[2]
        elif current and line.startswith(" "):
            fields[current] += " " + line.strip()
        else:
            current = None
            text.append(line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(text)).strip(), fields


def _title(area: ModuleType) -> str:
    return area.__name__.rpartition(".")[2].capitalize()


def _hook(name: str, spec: Callable[..., Any], policy: HookPolicy) -> str:
    text, fields = documentation(spec)
    text, _, example = text.partition("\nExample::\n")
    prefix = "async def" if policy.kind == "event" else "def"
    lines = [
        f"### `{name}`\n",
        f"```python\n{prefix} {name}{_signature(spec)}: ...\n```\n",
        f"{_policy(policy)}\n",
        f"{_markdown(text).strip()}\n",
        *(f"- {_label(field)}: {_markdown(said)}" for field, said in fields.items()),
    ]
    if example:
        lines.append(f"\n```python\n{inspect.cleandoc(example)}\n```")
    return "\n".join(lines) + "\n"


def _policy(policy: HookPolicy) -> str:
    facts = [f"**{policy.kind}**", "nothing is answered" if policy.parallel else MERGES[policy.merge]]
    if policy.timeout is not None:
        facts.append(f"limit {policy.timeout:g} s")
    if policy.parallel:
        facts.append("implementations run side by side")
    facts.append(FAILURES[policy.on_error])
    if policy.not_called_yet:
        facts.insert(0, "**not called yet**")
    return " · ".join(facts)


def _label(field: str) -> str:
    return {"return": "returns"}.get(field, f"`{field}`")


def _markdown(text: str) -> str:
    text = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", text)
    return text.replace("``", "`")


def _signature(spec: Callable[..., Any]) -> str:
    signature = inspect.signature(spec)
    shown = [parameter for name, parameter in signature.parameters.items() if name not in {"self", "cls"}]
    return str(signature.replace(parameters=shown)).replace("'", "")


def _values_in(area: ModuleType, spec: Callable[..., Any]) -> dict[str, type[Any]]:
    """Return the classes of ours that a specification's annotations name."""
    names = set(re.findall(r"\w+", " ".join(spec.__annotations__.values())))
    found: dict[str, type[Any]] = {}
    for node in ast.walk(ast.parse(inspect.getsource(area))):
        # What only annotations need is imported for type checkers alone.
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("codex_hookspecs."):
            for name in names.intersection(alias.name for alias in node.names):
                value = getattr(import_module(node.module or ""), name)
                if inspect.isclass(value):
                    found |= {base.__name__: base for base in value.__mro__ if base.__module__ == value.__module__}
    return found


def _value(value: type[Any]) -> str:
    text, _ = documentation(value)
    lines = [f"### {value.__name__}\n", f"{_markdown(text)}\n"]
    if attrs.has(value):
        lines += [
            f"Has the fields of [{base.__name__}](#{base.__name__.lower()}) too.\n"
            for base in value.__bases__
            if attrs.has(base)
        ]
        lines += _fields(value)
    lines += _methods(value)
    return "\n".join(lines).rstrip("\n") + "\n"


def _fields(value: type[Any]) -> Iterator[str]:
    _, said = documentation(value)
    for field in attrs.fields(value):
        if not field.inherited:
            default = "" if field.default is attrs.NOTHING else _default(field.default)
            about = f": {_markdown(said[field.name])}" if field.name in said else ""
            yield f"- `{field.name}: {inspect.get_annotations(value)[field.name]}{default}`{about}"


def _default(value: object) -> str:
    return "" if isinstance(value, type) or not isinstance(value, str | int | float | tuple | None) else f" = {value!r}"


def _methods(value: type[Any]) -> Iterator[str]:
    for name, member in vars(value).items():
        function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if isinstance(member, property):
            result = str(inspect.signature(member.fget).return_annotation) if member.fget else ""
            yield f"- `{name}: {result}`: {_first_line(member)}"
        elif inspect.isfunction(function) and not name.startswith("_") and function.__doc__:
            prefix = "async " if inspect.iscoroutinefunction(function) else ""
            yield f"- `{prefix}{name}{_signature(function)}`: {_first_line(function)}"


def _first_line(value: object) -> str:
    return _markdown(" ".join(documentation(value)[0].split("\n\n")[0].split()))


def main(arguments: list[str]) -> int:
    """Write the page, or with ``--check`` compare it."""
    page = render()
    if "--check" in arguments:
        if PAGE.read_text(encoding="utf-8") == page:
            return 0
        print(f"{PAGE.name} differs from the specifications; run: make reference", file=sys.stderr)
        return 1
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
