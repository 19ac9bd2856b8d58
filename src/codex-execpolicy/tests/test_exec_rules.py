"""Rules for commands: what they match, how files of them are read and written."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from codex_execpolicy.rules.files import RuleFolder, append_allowed, load_rules
from codex_execpolicy.rules.matching import Match, Rule, RuleBook, strictest
from codex_execpolicy.rules.starlark import read_rules
from codex_hookspecs.errors import ConfigError


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


def laid(tmp_path: Path, **files: str) -> None:
    for name, text in files.items():
        folder = tmp_path / name / "rules"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "a.rules").write_text(text)


def test_files_are_read_in_order(tmp_path: Path) -> None:
    laid(tmp_path, project='prefix_rule(pattern=["a"], decision="allow")')
    laid(tmp_path, home='\ufeffprefix_rule(pattern=["a"], decision="prompt")')
    (tmp_path / "home/rules/b.rules").write_text('prefix_rule(pattern=["a"], decision="forbidden")')
    (tmp_path / "home/rules/notes.txt").write_text("prefix_rule()")

    rules = load_rules(RuleFolder(f"{tmp_path}/{name}") for name in ("home", "project", "none"))

    assert rules is not None
    assert [match.decision for match in rules.matches(["a"])] == ["prompt", "forbidden", "allow"]
    assert load_rules([RuleFolder(f"{tmp_path}/none")]) is None


def test_a_folder_that_may_only_tighten_allows_nothing_and_moves_nothing(tmp_path: Path) -> None:
    laid(
        tmp_path,
        home='prefix_rule(pattern=["git"], decision="prompt")',
        nested='prefix_rule(pattern=["git"])\nprefix_rule(pattern=["rm"], decision="forbidden")\n'
        'host_executable(name="git", paths=["/opt/git"])',
    )

    rules = load_rules([RuleFolder(f"{tmp_path}/home"), RuleFolder(f"{tmp_path}/nested", tightens=True)])

    assert rules is not None
    assert rules.matches(["git"]) == [Match(("git",), "prompt")]
    assert rules.matches(["/usr/bin/git"]) == [Match(("git",), "prompt", None, "/usr/bin/git")]
    assert rules.matches(["rm"]) == [Match(("rm",), "forbidden")]


def _pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda path: path.write_text("prefix_rule()"), "/a.rules:1: argument `pattern` is missing"),
        (lambda path: path.write_bytes(b"# \n\xff"), "/a.rules:2: is not UTF-8 (byte 3)"),
        (lambda path: path.write_text("# 1\nx = " + "-" * 100_000 + "1"), "nested"),
        (lambda path: path.write_text("# 1\nx = " + "+".join(['"a"'] * 3_000)), "nested"),
        (lambda path: path.write_bytes(b"#" * 5_000_000), "/a.rules: is larger than 1000000 characters"),
        (_pipe, "/a.rules: can't be read: it is not a regular file"),
        (Path.mkdir, "/a.rules: can't be read: it is not a regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "/a.rules: can't be read: it is not a regular file"),
        (lambda path: path.symlink_to("nowhere"), "/a.rules: can't be read: No such file or directory"),
        (lambda path: path.symlink_to(path), "/a.rules: can't be read: Too many levels of symbolic links"),
    ],
)
def test_a_file_that_can_not_be_used_is_never_passed_over(
    tmp_path: Path, make: Callable[[Path], object], error: str
) -> None:
    laid(tmp_path, home='prefix_rule(pattern=["a"], decision="forbidden")')
    (tmp_path / "home/rules/a.rules").rename(tmp_path / "home/rules/b.rules")
    make(tmp_path / "home/rules/a.rules")

    with pytest.raises(ConfigError) as caught:
        load_rules([RuleFolder(f"{tmp_path}/home")])

    assert error in str(caught.value)


def test_rules_that_are_no_folder_are_never_passed_over(tmp_path: Path) -> None:
    (tmp_path / "rules").write_text("")

    with pytest.raises(ConfigError, match="rules: can't be read: Not a directory"):
        load_rules([RuleFolder(str(tmp_path))])


def test_what_a_user_allows_is_appended_and_read_back(tmp_path: Path) -> None:
    words = ["echo", 'a "b" \\ \n\t', "ü€\u2028", "{}", "$(x)"]

    append_allowed(str(tmp_path), ["ls"])
    append_allowed(str(tmp_path), words)
    append_allowed(str(tmp_path), words)

    text = (tmp_path / "rules/default.rules").read_text(encoding="utf-8")
    assert text.split("\n")[0] == 'prefix_rule(pattern=["ls"], decision="allow")'
    assert text.count("\n") == 2
    rules = load_rules([RuleFolder(str(tmp_path))])
    assert rules is not None
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
            status = 1
            try:
                append_allowed(str(tmp_path), [f"program-{number}"])
                status = 0
            finally:
                os._exit(status)  # Whatever happens, the child must not go on with the tests.
        children.append(child)

    statuses = [os.waitpid(child, 0)[1] for child in children]

    assert statuses == [0] * len(children)
    rules = load_rules([RuleFolder(str(tmp_path))])

    assert rules is not None
    assert all(rules.matches([f"program-{number}"]) for number in range(8))


@pytest.mark.parametrize(
    ("there", "words", "error"),
    [
        ("", ["\ud800"], "not text that a file can hold"),
        ("", ["x" * 1_000_000], "is larger than 1000000 characters"),
        ("prefix_rule(", ["ls"], "default.rules:1: "),
    ],
)
def test_nothing_is_appended_that_could_not_be_read_again(
    tmp_path: Path, there: str, words: list[str], error: str
) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/default.rules").write_text(there)

    with pytest.raises(ConfigError, match=error):
        append_allowed(str(tmp_path), words)

    assert (tmp_path / "rules/default.rules").read_text() == there


def test_nothing_is_appended_to_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    os.mkfifo(tmp_path / "rules/default.rules")

    with pytest.raises(OSError, match="not a regular file"):
        append_allowed(str(tmp_path), ["ls"])


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
