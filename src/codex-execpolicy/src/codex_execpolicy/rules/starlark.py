"""Read rules files: a small part of Starlark, calls with literal arguments (format of Codex 0.118)."""

from __future__ import annotations

import ast
import shlex
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from codex_execpolicy.rules.matching import DECISIONS, Rule, RuleBook
from codex_hookspecs.errors import ConfigError

_LONGEST = 1_000_000
_MOST = 10_000
"""Parts of a list or a text, and statements that are carried out."""
_PREFIX_RULE = ("pattern", "decision", "match", "not_match", "justification")


def read_rules(text: str, source: str) -> RuleBook:
    """Return what a rules file says.

    :param source: name of the file for errors.
    :raises ConfigError: with the line, when there is anything in it that is no rule, or a wrong example.
    """
    if len(text) > _LONGEST:
        raise ConfigError(f"is larger than {_LONGEST} characters", source=source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Starlark takes a backslash before any letter.
            module = ast.parse(text)
    except SyntaxError as error:
        raise ConfigError(f"{error.msg}", source=f"{source}:{error.lineno or 1}") from error
    except ValueError as error:
        raise ConfigError(f"can't be parsed: {error}", source=source) from error
    except (RecursionError, MemoryError) as error:
        raise ConfigError("is nested too deep", source=source) from error
    reading = _Reading()
    line = 1
    try:
        for statement in module.body:
            line = statement.lineno
            reading.statement(statement)
        reading.check_examples()
    except _Problem as problem:
        raise ConfigError(f"{problem}", source=f"{source}:{problem.line}") from None
    except RecursionError:
        raise ConfigError("is nested too deep", source=f"{source}:{line}") from None
    return reading.book


class _Problem(Exception):
    def __init__(self, what: str, line: int) -> None:
        super().__init__(what)
        self.line = line


class _Reading:
    """The statements of one file, carried out in order."""

    def __init__(self) -> None:
        self.book = RuleBook()
        self._names: dict[str, Any] = {}
        self._done = 0
        self._examples: list[tuple[int, list[Rule], Any, Any]] = []
        self._calls: dict[str, Callable[[ast.Call], None]] = {
            "prefix_rule": self._prefix_rule,
            "host_executable": self._host_executable,
            "network_rule": self._network_rule,
        }

    def statement(self, node: ast.stmt) -> None:
        self._done += 1
        if self._done > _MOST:
            raise _Problem(f"more than {_MOST} statements are carried out", node.lineno)
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            self._names[node.targets[0].id] = self._value(node.value)
        elif isinstance(node, ast.For) and isinstance(node.target, ast.Name) and not node.orelse:
            for value in _listed(self._value(node.iter), "what is gone through", node.lineno):
                self._names[node.target.id] = value
                for inner in node.body:
                    self.statement(inner)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            self._call(node.value)
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            raise _Problem("only calls of prefix_rule, host_executable and network_rule belong here", node.lineno)

    def check_examples(self) -> None:
        for line, rules, match, not_match in self._examples:
            book = RuleBook(rules)
            for words in _examples(not_match, line):
                if book.matches(words):
                    raise _Problem(f"the example of not_match `{shlex.join(words)}` fits the rule", line)
            for words in _examples(match, line):
                if not book.matches(words):
                    raise _Problem(f"the example of match `{shlex.join(words)}` does not fit the rule", line)

    def _call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else None
        make = self._calls.get(name or "")
        if make is None:
            raise _Problem(f"`{ast.unparse(node.func)}` is not known; there is {', '.join(self._calls)}", node.lineno)
        make(node)

    def _prefix_rule(self, node: ast.Call) -> None:
        given = self._arguments(node, _PREFIX_RULE, required=1)
        pattern = _listed(given["pattern"], "pattern", node.lineno)
        if not pattern:
            raise _Problem("pattern cannot be empty", node.lineno)
        decision = given.get("decision") or "allow"
        if decision not in DECISIONS:
            raise _Problem(f"decision {decision!r}, allowed is one of {', '.join(DECISIONS)}", node.lineno)
        why = given.get("justification")
        if why is not None and (not isinstance(why, str) or not why.strip()):
            raise _Problem("justification cannot be empty", node.lineno)
        rule = Rule(tuple(_alternatives(part, node.lineno) for part in pattern), decision, why)
        self.book.add(rule)
        self._examples.append((node.lineno, [rule], given.get("match"), given.get("not_match")))

    def _host_executable(self, node: ast.Call) -> None:
        given = self._arguments(node, ("name", "paths"), required=2)
        name = _text(given["name"], "name", node.lineno)
        if not name or "/" in name:
            raise _Problem(f"name {name!r} has to be the bare name of a program", node.lineno)
        paths = [_text(path, "path", node.lineno) for path in _listed(given["paths"], "paths", node.lineno)]
        wrong = next((path for path in paths if not path.startswith("/") or path.rpartition("/")[2] != name), None)
        if wrong is not None:
            raise _Problem(f"path {wrong!r} has to be absolute and to end in {name}", node.lineno)
        self.book.declare(name, tuple(dict.fromkeys(paths)))

    def _network_rule(self, node: ast.Call) -> None:
        """Accept rules for hosts: they are about proxies, not about commands."""
        self._arguments(node, ("host", "protocol", "decision", "justification"), required=3)

    def _arguments(self, node: ast.Call, names: Sequence[str], *, required: int) -> dict[str, Any]:
        if len(node.args) > len(names):
            raise _Problem(f"more than {len(names)} arguments", node.lineno)
        given = dict(zip(names, map(self._value, node.args), strict=False))
        for keyword in node.keywords:
            if keyword.arg is None or keyword.arg not in names:
                raise _Problem(f"no argument `{keyword.arg}`; there is {', '.join(names)}", node.lineno)
            if keyword.arg in given:
                raise _Problem(f"argument `{keyword.arg}` is given twice", node.lineno)
            given[keyword.arg] = self._value(keyword.value)
        missing = [name for name in names[:required] if given.get(name) is None]
        if missing:
            raise _Problem(f"argument `{missing[0]}` is missing", node.lineno)
        return given

    def _value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant) and isinstance(node.value, str | int | None):
            return node.value
        if isinstance(node, ast.List | ast.Tuple):
            return [self._value(element) for element in node.elts]
        if isinstance(node, ast.Name) and node.id in self._names:
            return self._names[node.id]
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = self._value(node.left), self._value(node.right)
            if type(left) is type(right) and isinstance(left, str | list) and len(left) + len(right) <= _MOST:
                return left + right
        raise _Problem(f"`{ast.unparse(node)[:60]}` is neither text nor a list of texts", node.lineno)


def _listed(value: Any, what: str, line: int) -> list[Any]:
    if not isinstance(value, list):
        raise _Problem(f"{what} has to be a list", line)
    return value


def _text(value: Any, what: str, line: int) -> str:
    if not isinstance(value, str):
        raise _Problem(f"{what} has to be text", line)
    return value


def _alternatives(part: Any, line: int) -> tuple[str, ...]:
    if isinstance(part, str):
        return (part,)
    alternatives = _listed(part, "a part of a pattern that is no text", line)
    if not alternatives:
        raise _Problem("alternatives of a pattern cannot be empty", line)
    return tuple(_text(each, "each part of a pattern", line) for each in alternatives)


def _examples(value: Any, line: int) -> list[list[str]]:
    found = []
    for example in [] if value is None else _listed(value, "examples", line):
        try:
            words = shlex.split(example) if isinstance(example, str) else _listed(example, "an example", line)
        except ValueError:
            raise _Problem(f"the example {example!r} has open quotes", line) from None
        if not words:
            raise _Problem("an example cannot be empty", line)
        found.append([_text(word, "each word of an example", line) for word in words])
    return found
