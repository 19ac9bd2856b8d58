"""Match commands with rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, TypeAlias

Decision: TypeAlias = Literal["allow", "prompt", "forbidden"]
DECISIONS: tuple[Decision, ...] = ("allow", "prompt", "forbidden")
"""From the mildest to the strictest; of several that match the strictest counts."""

_FOLDERS = ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/opt/homebrew/bin")


class Rule(NamedTuple):
    """A prefix of commands.

    :param pattern: the alternatives for each word.
    """

    pattern: tuple[tuple[str, ...], ...]
    decision: Decision = "allow"
    justification: str | None = None

    def prefix_of(self, words: Sequence[str]) -> tuple[str, ...] | None:
        """Return the prefix of a command that the rule matches, ``None`` when it does not."""
        if len(words) < len(self.pattern):
            return None
        fits = all(word in some for word, some in zip(words, self.pattern, strict=False))
        return tuple(words[: len(self.pattern)]) if fits else None


class Match(NamedTuple):
    """A rule that matches a command.

    :param program: path of the program when only its name matches.
    """

    prefix: tuple[str, ...]
    decision: Decision
    justification: str | None = None
    program: str | None = None


class RuleBook:
    """Rules in the order they were added.

    :param rules: rules to begin with.
    """

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self._rules: list[Rule] = list(rules)
        self._executables: dict[str, tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self._rules)

    def add(self, *rules: Rule) -> None:
        """Add rules."""
        self._rules += rules

    def declare(self, name: str, paths: tuple[str, ...]) -> None:
        """Say for which paths the rules for a program's name apply."""
        self._executables[name] = paths

    def tightening(self) -> RuleBook:
        """Return the rules that restrict: without those that allow, and without program paths."""
        return RuleBook(rule for rule in self._rules if rule.decision != "allow")

    def update(self, other: RuleBook) -> None:
        """Add the rules of another book."""
        self._rules += other._rules
        self._executables |= other._executables

    def matches(self, words: Sequence[str], *, by_name: bool = True) -> list[Match]:
        """Return the matches of a command.

        :param by_name: rules for a name apply to absolute paths of such a program too, unless a rule names the path:
            those that were declared for it, any if none were. Allowed programs have to be declared, or be in a
            system directory.
        """
        found = [Match(prefix, rule.decision, rule.justification) for rule, prefix in self._fitting(words)]
        if found or not by_name or not words or not words[0].startswith("/"):
            return found
        folder, _, name = words[0].rpartition("/")
        declared = self._executables.get(name)
        if declared is not None and words[0] not in declared:
            return []
        trusted = declared is not None or folder in _FOLDERS
        return [
            Match(prefix, rule.decision, rule.justification, words[0])
            for rule, prefix in self._fitting([name, *words[1:]])
            if trusted or rule.decision != "allow"
        ]

    def _fitting(self, words: Sequence[str]) -> Iterable[tuple[Rule, tuple[str, ...]]]:
        for rule in self._rules:
            prefix = rule.prefix_of(words)
            if prefix is not None:
                yield rule, prefix


def strictest(decisions: Iterable[Decision]) -> Decision:
    """Return the strictest of decisions, ``allow`` of none."""
    return max(decisions, key=DECISIONS.index, default="allow")
