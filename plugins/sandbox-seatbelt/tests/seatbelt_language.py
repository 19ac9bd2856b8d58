"""An evaluator for the part of SBPL that the policies use; an unknown word is an error."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any

TOKEN = re.compile(r'\s*(?:(\()|(\))|#"([^"]*)"|"((?:[^"\\]|\\.)*)"|([^\s()"#]+))')
OPERATIONS = {
    "appleevent-send", "file-ioctl", "file-map-executable", "file-read*", "file-read-metadata", "file-test-existence",
    "file-write*", "file-write-data", "iokit-open", "ipc-posix-sem", "ipc-posix-shm-read*", "ipc-posix-shm-read-data",
    "ipc-posix-shm-write-create", "ipc-posix-shm-write-data", "ipc-posix-shm-write-unlink", "lsopen", "mach-lookup",
    "network-bind", "network-inbound", "network-outbound", "process-exec", "process-fork", "process-info*",
    "pseudo-tty", "signal", "sysctl-read", "sysctl-write", "system-mac-syscall", "system-socket",
    "user-preference-read",
    "user-preference-write",
}  # fmt: skip
EQUAL = {
    "appleevent-destination", "extension", "global-name", "iokit-registry-entry-class", "literal", "local-name",
    "mac-policy-name", "path", "socket-domain", "socket-protocol", "sysctl-name", "target", "vnode-type",
}  # fmt: skip


class Text(str):
    """A string literal, as opposed to a word."""

    __slots__ = ()


class Evaluator:
    """A parsed policy with its parameters."""

    def __init__(self, text: str, parameters: tuple[tuple[str, str], ...]) -> None:
        self.parameters = dict(parameters)
        assert len(self.parameters) == len(parameters), "a parameter is given twice"
        forms = parse(text)
        assert forms[:2] == [["version", "1"], ["deny", "default"]]
        self.rules = [(form[0], *_split(form[1:])) for form in forms[2:]]
        for _, _, filters in self.rules:
            for each in filters:
                self.matches(each, {"path": "/x"})
        assert set(_parameters(forms)) == set(self.parameters), "a parameter is given but not used"

    def allows(self, operation: str, path: str | None = None, **facts: str) -> bool:
        """Return whether an operation is allowed; the last matching rule decides."""
        if path is not None:
            facts["path"] = path
        answer = False
        for verb, operations, filters in self.rules:
            named = any(fnmatchcase(operation, each) for each in operations)
            if named and (not filters or any(self.matches(each, facts) for each in filters)):
                answer = verb == "allow"
        return answer

    def reads(self, path: str) -> bool:
        return self.allows("file-read-data", path)

    def writes(self, path: str) -> bool:
        return self.allows("file-write-create", path)

    def matches(self, form: Any, facts: dict[str, str]) -> bool:
        name, *arguments = form
        path = facts.get("path")
        if name in ("require-all", "require-any"):
            answers = [self.matches(each, facts) for each in arguments]
            return all(answers) if name == "require-all" else any(answers)
        if name == "require-not":
            return not self.matches(arguments[0], facts)
        if name in ("remote", "local"):
            return self._endpoint(name, arguments, facts)
        value = self._value(arguments[0])
        if name == "subpath":
            return path is not None and (value in ("/", path) or path.startswith(f"{value}/"))
        if name == "path-ancestors":
            return path is not None and (path == "/" or value.startswith(f"{path}/"))
        if name == "home-subpath":
            return path is not None and path.startswith(f"/Users/me{value}")
        if name in ("regex", "sysctl-name-regex", "ipc-posix-name-regex"):
            found = path if name == "regex" else facts.get(name.removesuffix("-regex"))
            return found is not None and re.search(value, found, re.DOTALL) is not None
        if name.endswith("-prefix"):
            return facts.get(name.removesuffix("-prefix"), "").startswith(value) and name[:-7] in facts
        assert name in EQUAL, f"unknown filter {name}"
        return facts.get("path" if name in ("literal", "path") else name) == value

    def _endpoint(self, name: str, arguments: list[Any], facts: dict[str, str]) -> bool:
        if arguments[0] == "ip":
            return name in facts and fnmatchcase(facts[name], arguments[1])
        assert arguments[0] == "unix-socket"
        return facts.get(f"{name}-socket") is not None and (
            len(arguments) == 1 or self.matches(arguments[1], {"path": facts[f"{name}-socket"]})
        )

    def _value(self, form: Any) -> str:
        if isinstance(form, list):
            assert form[0] == "param"
            return self.parameters[form[1]]
        return str(form)


def parse(text: str) -> list[Any]:
    """Return the expressions of a text as nested lists."""
    stack: list[list[Any]] = [[]]
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = TOKEN.match(text, at)
        assert found, f"can't be read: {text[at : at + 40]!r}"
        at = found.end()
        opening, closing, regex, string, word = found.groups()
        if opening:
            stack.append([])
        elif closing:
            done = stack.pop()
            stack[-1].append(done)
        elif regex is not None:
            stack[-1].append(Text(regex))
        else:
            stack[-1].append(word if word is not None else Text(re.sub(r"\\(.)", r"\1", string)))
    assert len(stack) == 1, "a parenthesis is missing"
    return stack[0]


def _split(parts: list[Any]) -> tuple[list[str], list[Any]]:
    operations = [part for part in parts if not isinstance(part, list)]
    assert operations
    assert set(operations) <= OPERATIONS, set(operations) - OPERATIONS
    return operations, [part for part in parts if isinstance(part, list)]


def _parameters(form: Any) -> list[str]:
    if not isinstance(form, list):
        return []
    if form[:1] == ["param"]:
        return [form[1]]
    return [name for part in form for name in _parameters(part)]
