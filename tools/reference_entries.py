"""Render the entry of one public name: import line, fields, methods, errors and references."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, is_typeddict

import attrs
from public_names import (
    Name,
    alias_of,
    annotations_of,
    definition,
    fields_of,
    homes,
    in_root,
    module_of,
    named_in,
    public_methods,
)

KINDS = {
    "port": "Ports",
    "value": "Values",
    "alias": "Types",
    "mark": "Marks",
    "function": "Functions",
    "class": "Classes",
    "constant": "Constants",
    "error": "Errors",
}
"""Kinds of entries in the order of a page, with their headings."""
_LONGEST_VALUE = 100


def documentation(value: object) -> tuple[str, dict[str, str]]:
    """Split a docstring into its text and its fields (including ``return`` and ``raises``)."""
    text: list[str] = []
    fields: dict[str, str] = {}
    current: str | None = None
    for line in (inspect.getdoc(value) or "").splitlines():
        if match := re.match(r":(?:param |ivar )?([\w. ]+):\s*(.*)", line):
            current = match[1]
            fields[current] = match[2]
        elif current and line.startswith(" "):
            fields[current] += " " + line.strip()
        else:
            current = None
            text.append(line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(text)).strip(), fields


def label(field: str) -> str:
    """Return the label of a docstring field."""
    if field.startswith("raises "):
        return f"raises `{field.removeprefix('raises ')}`"
    return {"return": "returns"}.get(field, f"`{field}`")


def markdown(text: str) -> str:
    """Return the text of a docstring as Markdown."""
    text = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", text)
    return text.replace("``", "`")


def signature_of(function: Callable[..., Any]) -> str:
    """Return the signature of a function without ``self`` or ``cls``."""
    signature = inspect.signature(function)
    shown = [parameter for name, parameter in signature.parameters.items() if name not in {"self", "cls"}]
    text = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(signature.replace(parameters=shown)))
    return re.sub(r"<.*? at 0x\w+>|\bEllipsis\b", "...", text)


def kind_of(name: Name) -> str:
    """Return the kind of entry of a name."""
    value, found = name.value, definition(name)
    if inspect.isclass(value) and found is not None and isinstance(found.node, ast.ClassDef):
        if issubclass(value, BaseException):
            return "error"
        if getattr(value, "_is_protocol", False):
            return "port"
        return "value" if attrs.has(value) or is_typeddict(value) or hasattr(value, "_fields") else "class"
    if name.module.endswith((".markers", ".values")):
        return "mark"
    if inspect.isfunction(value):
        return "function"
    return "constant" if alias_of(name) is None else "alias"


def entry(name: Name, page: str) -> str:
    """Return the entry of a name on its page."""
    value, kind = name.value, kind_of(name)
    also = "; also from `codex_hookspecs`" if in_root(name) and page != "markers" else ""
    lines = [f"### {name.name}\n", f"`from {module_of(page)} import {name.name}`{also}\n"]
    if kind in {"alias", "constant"}:
        lines += _assigned(name)
    elif kind in {"function", "mark"} and inspect.isfunction(value):
        lines += _function(name.name, value)
    elif kind == "mark":
        found = definition(name)
        lines.append(f"{markdown(found.said) if found else ''}\n")
    else:
        lines += _class(name)
    lines.append(mentioned(annotations_of(name), name.module, page, but=name))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip("\n") + "\n"


def mentioned(annotations: Iterable[str], module: str, page: str, *, but: Name | None = None) -> str:
    """Return a line of links to the entries of the names that annotations mention.

    :param module: where they are written.
    :param but: a name to leave out.
    """
    found = {other for annotation in annotations for other in named_in(annotation, module)} - {but}
    links = [
        f"[{other.name}]({'' if homes()[other] == page else f'{homes()[other]}.md'}#{other.name.lower()})"
        for other in sorted(found, key=lambda each: each.name)
        if other in homes()
    ]
    return f"\nMentions {', '.join(links)}." if links else ""


def _assigned(name: Name) -> Iterator[str]:
    found = definition(name)
    if found is None or not isinstance(found.node, ast.Assign | ast.AnnAssign) or found.node.value is None:
        return
    alias = alias_of(name)
    text = ast.unparse(found.node.value) if alias is None else alias
    if len(text) > _LONGEST_VALUE and alias is None:
        text = "..."
    elif len(text) > _LONGEST_VALUE and alias and " | " in alias:
        text = "(\n    " + text.replace(" | ", "\n    | ") + "\n)"
    yield f"```python\n{name.name} = {text}\n```\n"
    if found.said:
        yield f"{markdown(found.said)}\n"


def _function(name: str, function: Callable[..., Any]) -> Iterator[str]:
    text, fields = documentation(function)
    prefix = "async def" if inspect.iscoroutinefunction(function) else "def"
    yield f"```python\n{prefix} {name}{signature_of(function)}: ...\n```\n"
    yield f"{markdown(text)}\n"
    yield from (f"- {label(field)}: {markdown(said)}" for field, said in fields.items())


def _class(name: Name) -> Iterator[str]:
    value: type[Any] = name.value
    text, said = documentation(value)
    yield f"{markdown(text)}\n"
    bases = [base.__name__ for base in value.__bases__ if base.__module__.startswith("codex_hookspecs.")]
    shared = [base for base in bases if not base.startswith("Checked") and not issubclass(value, Exception)]
    if shared:
        yield f"Has all that {' and '.join(f'`{base}`' for base in shared)} has, too.\n"
    yield from _made(name)
    shape = list(_shape(name, said))
    if shape:
        yield "\n".join(shape) + "\n"
    yield from _methods(value)


def _made(name: Name) -> Iterator[str]:
    """Yield how an object of a class is made, for those that others make: values by the names of their fields."""
    value: Any = name.value
    if attrs.has(value):
        fields = [each for each in attrs.fields(value) if each.init]
        parts = [each.alias + ("" if each.default is attrs.NOTHING else "=…") for each in fields]
        first_named = next((index for index, each in enumerate(fields) if each.kw_only), None)
        if first_named is not None:
            parts.insert(first_named, "*")
        yield f"Made as `{name.name}({', '.join(parts)})`.\n"
    elif is_typeddict(value):
        yield "A `dict` with these keys:\n"
    elif kind_of(name) == "class" and inspect.isfunction(vars(value).get("__init__")):
        made = signature_of(value.__init__).removesuffix(" -> None")
        yield f"Made as `{name.name}{made}`.\n"


def _shape(name: Name, said: dict[str, str]) -> Iterator[str]:
    """Yield a line for each field of a value, or for what is said of the attributes of another class."""
    value: Any = name.value
    annotations = fields_of(name)
    if attrs.has(value):
        fields = [(each.name, each.default) for each in attrs.fields(value) if not each.inherited]
        for field, default in fields:
            yield _field(field, annotations[field], "" if default is attrs.NOTHING else _default(default), said)
    elif is_typeddict(value):
        for field, annotation in annotations.items():
            yield _field(field, annotation, "", said)
    elif hasattr(value, "_fields"):
        for field in value._fields:
            defaults = value._field_defaults
            yield _field(field, annotations[field], _default(defaults[field]) if field in defaults else "", said)
    elif issubclass(value, Exception):
        # What is raised is made with the parameters of its initialiser, and has them as attributes.
        made = "..."
        if (initialiser := vars(value).get("__init__")) is not None:
            made = f"\n    def __init__(self, {signature_of(initialiser).removeprefix('(')}: ..."
        bases = ", ".join(base.__name__ for base in value.__bases__)
        yield f"```python\nclass {value.__name__}({bases}): {made}\n```\n".replace(": \n", ":\n")
        yield from (f"- `{field}`: {markdown(text)}" for field, text in said.items())
    else:
        arguments = re.findall(r":param (\w+):", value.__doc__ or "") if kind_of(name) == "class" else []
        yield from (
            f"- {'argument ' if field in arguments else ''}{label(field)}: {markdown(text)}"
            for field, text in said.items()
        )


def _field(name: str, annotation: str, default: str, said: dict[str, str]) -> str:
    about = f": {markdown(said[name])}" if name in said else ""
    return f"- `{name}: {annotation.replace(chr(39), chr(34))}{default}`{about}"


def _default(value: object) -> str:
    if isinstance(value, attrs.Factory):  # type: ignore[arg-type]
        return f" = {getattr(value.factory, '__name__', '…')}()"  # type: ignore[attr-defined]
    if isinstance(value, str):
        return f' = "{value}"'
    return f" = {value!r}" if isinstance(value, int | float | tuple | None) else ""


def _methods(value: type[Any]) -> Iterator[str]:
    for name, function in public_methods(value):
        text, fields = documentation(function)
        if name == "__init__" or not text:
            continue
        if isinstance(vars(value)[name], property):
            result = str(inspect.signature(function).return_annotation).replace("'", "")
            setter = (
                "" if vars(value)[name].fset or getattr(value, "_is_protocol", False) else " (a property, read only)"
            )
            yield f"- `{name}: {result}`: {_joined(text)}{setter}"
            continue
        prefix = "async " if inspect.iscoroutinefunction(function) else ""
        yield f"- `{prefix}{name}{signature_of(function)}`: {_joined(text)}"
        yield from (f"    - {label(field)}: {markdown(said)}" for field, said in fields.items())


def _joined(text: str) -> str:
    return markdown(" ".join(text.split()))
