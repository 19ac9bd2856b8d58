"""Rules for commands: what they match, how files of them are read and written."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.exec_rules.files import append_allowed, load_rules
from codex_hookspecs.exec_rules.reading import read_rules
from codex_hookspecs.exec_rules.rules import Match, Rule, RuleBook, strictest


def book(text: str) -> RuleBook:
    return read_rules(text, "x.rules")


GIT = """
# what git may do
prefix_rule(pattern=["git", ["status", "log"]])
prefix_rule(pattern = ["git"], decision = "prompt", justification = "think first",
            match = ["git push", ["git", "commit", "-m", "a b"]], not_match = ["hg push"])
"""


@pytest.mark.parametrize(
    ("command", "matches"),
    [
        ("git status -s", [Match(("git", "status"), "allow"), Match(("git",), "prompt", "think first")]),
        ("git push", [Match(("git",), "prompt", "think first")]),
        ("git", [Match(("git",), "prompt", "think first")]),
        ("gitk", []),
        ("./git status", []),
        ("sub/git status", []),
        ("", []),
    ],
)
def test_a_rule_matches_beginnings_word_by_word(command: str, matches: list[Match]) -> None:
    assert book(GIT).matches(command.split()) == matches


@pytest.mark.parametrize(
    ("path", "decisions"),
    [
        ("/usr/bin/git", ["allow", "prompt"]),
        ("/tmp/git", ["prompt"]),  # allowed is only what systems keep under the name
        ("/usr/bin/hg", []),
    ],
)
def test_rules_for_a_name_hold_for_paths(path: str, decisions: list[str]) -> None:
    found = book(GIT).matches([path, "status"])

    assert [match.decision for match in found] == decisions
    assert {match.program for match in found} <= {path}
    assert book(GIT).matches([path, "status"], by_name=False) == []


def test_declared_paths_are_the_only_ones_a_name_stands_for() -> None:
    rules = book(GIT + 'host_executable(name="git", paths=["/opt/git/git", "/opt/git/git"])')

    assert len(rules.matches(["/opt/git/git", "status"])) == 2
    assert rules.matches(["/usr/bin/git", "status"]) == []


def test_a_rule_for_a_path_goes_before_those_for_its_name() -> None:
    rules = book(GIT + 'prefix_rule(pattern=["/usr/bin/git"], decision="forbidden")')

    assert rules.matches(["/usr/bin/git", "status"]) == [Match(("/usr/bin/git",), "forbidden")]


def test_the_strictest_decision_counts() -> None:
    assert strictest(["allow", "forbidden", "prompt"]) == "forbidden"
    assert strictest([]) == "allow"


@pytest.mark.parametrize(
    "text",
    [
        'prefix_rule(["a", "b"], "allow")',
        'prefix_rule(pattern=("a", ["b"],))',
        'BASE = ["a"]\nprefix_rule(pattern = BASE + ["b"])',
        'for word in ["b", "c"]:\n    prefix_rule(pattern = ["a", word])',
        'prefix_rule(pattern=["a", "b"], decision=None, match=None, not_match=[], justification=None)',
        '"""What this is for."""\nprefix_rule(pattern=["a", "b"])',
        'prefix_rule(pattern=["a", "b"], justification="\\d")',
        'network_rule(host="x.test", protocol="https", decision="allow")\nprefix_rule(pattern=["a", "b"])',
    ],
)
def test_what_starlark_files_hold_is_read(text: str) -> None:
    assert book(text).matches(["a", "b", "c"])


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("prefix_rule(pattern=[])", "x.rules:1: pattern cannot be empty"),
        ("prefix_rule(pattern=[[]])", "x.rules:1: alternatives of a pattern cannot be empty"),
        ('prefix_rule(pattern="ls")', "x.rules:1: pattern has to be a list"),
        ("prefix_rule(pattern=[1])", "x.rules:1: a part of a pattern that is no text has to be a list"),
        ('x = 1\nprefix_rule(pattern=["a"], match=[x])', "x.rules:2: an example has to be a list"),
        ("prefix_rule(pattern=[1.5])", "x.rules:1: `1.5` is neither text nor a list of texts"),
        ('prefix_rule(pattern=["a", ["b", ["c"]]])', "x.rules:1: each part of a pattern has to be text"),
        ('\nprefix_rule(pattern=["a"], decision="maybe")', "x.rules:2: decision 'maybe', allowed is one of allow"),
        ('prefix_rule(pattern=["a"], justification=" ")', "x.rules:1: justification cannot be empty"),
        ('prefix_rule(pattern=["a"], bogus="b")', "x.rules:1: no argument `bogus`; there is pattern"),
        ('prefix_rule(["a"], pattern=["a"])', "x.rules:1: argument `pattern` is given twice"),
        ('prefix_rule(**{"a": 1})', "x.rules:1: no argument `None`"),
        ("prefix_rule()", "x.rules:1: argument `pattern` is missing"),
        ('prefix_rule(*["a"])', "neither text nor a list of texts"),
        ('prefix_rule(pattern=["git"], match=["ls"])', "x.rules:1: the example of match `ls` does not fit the rule"),
        ('prefix_rule(pattern=["git"], not_match=["git x"])', "the example of not_match `git x` fits the rule"),
        ('prefix_rule(pattern=["git"], match=["git \'"])', "has open quotes"),
        ('prefix_rule(pattern=["git"], match=[""])', "an example cannot be empty"),
        ('prefix_rule(pattern=["a"]', "x.rules:1: '(' was never closed"),
        ("foo(1)", "x.rules:1: `foo` is not known; there is prefix_rule, host_executable, network_rule"),
        ("import os", "x.rules:1: only calls of prefix_rule, host_executable and network_rule belong here"),
        ('__import__("os").system("true")', "is not known"),
        ("prefix_rule(pattern=[open])", "neither text nor a list"),
        ('host_executable(name="a/b", paths=[])', "name 'a/b' has to be the bare name of a program"),
        ('host_executable(name="git", paths=["/bin/hg"])', "path '/bin/hg' has to be absolute and to end in git"),
        ('host_executable(name="git", paths=["bin/git"])', "has to be absolute"),
        ('a = ["x"]\n' + "a = a + a\n" * 30, "neither text nor a list of texts"),
        ('a = ["x"]\n' + "a = a + a\n" * 13 + "for i in a:\n  for j in a:\n    b = i", "more than 10000 statements"),
        ("[" * 500 + "]" * 500, "too many nested"),
        ("x" * 1_000_001, "is larger than 1000000 characters"),
        ("prefix_rule(\0)", "null bytes"),
    ],
)
def test_anything_else_is_one_error_with_its_line(text: str, error: str) -> None:
    with pytest.raises(ConfigError) as caught:
        book(text)

    assert error in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_are_read_in_order_and_a_bad_one_is_left_out_whole(tmp_path: Path) -> None:
    for name, text in {
        "home/rules/b.rules": 'prefix_rule(pattern=["a"], decision="forbidden")\nprefix_rule()',
        "home/rules/c.rules": 'prefix_rule(pattern=["a"], decision="prompt")',
        "home/rules/notes.txt": "prefix_rule()",
        "project/rules/a.rules": 'prefix_rule(pattern=["a"], decision="allow")',
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "home/rules/d.rules").mkdir()
    (tmp_path / "home/rules/e.rules").write_bytes(b"\xff")

    rules, problems = load_rules([f"{tmp_path}/home", f"{tmp_path}/project", f"{tmp_path}/none"])

    assert [match.decision for match in rules.matches(["a"])] == ["prompt", "allow"]
    assert problems == [
        f"{tmp_path}/home/rules/b.rules:2: argument `pattern` is missing; no rule of this file counts",
        f"{tmp_path}/home/rules/e.rules: is not UTF-8 (byte 0); no rule of this file counts",
    ]


def test_what_a_user_allows_is_appended_and_read_back(tmp_path: Path) -> None:
    words = ["echo", 'a "b" \\ \n\t', "ü€\u2028", "{}", "$(x)"]

    append_allowed(str(tmp_path), ["ls"])
    append_allowed(str(tmp_path), words)
    append_allowed(str(tmp_path), words)

    text = (tmp_path / "rules/default.rules").read_text(encoding="utf-8")
    assert text.split("\n")[0] == 'prefix_rule(pattern=["ls"], decision="allow")'
    assert text.count("\n") == 2
    rules, problems = load_rules([str(tmp_path)])
    assert problems == []
    assert rules.matches([*words, "more"]) == [Match(tuple(words), "allow")]


def test_appending_goes_on_behind_a_torn_last_line(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/default.rules").write_text("# mine")

    append_allowed(str(tmp_path), ["ls"])

    assert (tmp_path / "rules/default.rules").read_text() == '# mine\nprefix_rule(pattern=["ls"], decision="allow")\n'


def test_appending_at_once_loses_nothing(tmp_path: Path) -> None:
    children = []
    for number in range(8):
        child = os.fork()
        if child == 0:
            append_allowed(str(tmp_path), [f"program-{number}"])
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)

    rules, _ = load_rules([str(tmp_path)])

    assert all(rules.matches([f"program-{number}"]) for number in range(8))


def test_a_file_that_stays_locked_is_an_error_and_no_wait(tmp_path: Path) -> None:
    append_allowed(str(tmp_path), ["ls"])
    with open(tmp_path / "rules/default.rules") as other:
        fcntl.flock(other, fcntl.LOCK_EX)

        with pytest.raises(OSError, match="another program has locked it"):
            append_allowed(str(tmp_path), ["cat"])

    assert (tmp_path / "rules/default.rules").read_text().count("\n") == 1


def test_a_book_can_be_added_to() -> None:
    rules = RuleBook()
    rules.add(Rule((("a",),), "prompt"))

    assert len(rules) == 1
    assert rules.matches(["a"]) == [Match(("a",), "prompt")]
