"""The pure parts: arguments, quoting, environment variables, sessions, buffers."""

from __future__ import annotations

import shlex
from itertools import count

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from codex_hookspecs.environments import apply_policy, read_environ_policy
from codex_hookspecs.errors import ToolError
from codex_tool_exec.arguments import read_exec_call, read_write_call
from codex_tool_exec.buffer import HeadTail
from codex_tool_exec.commands import shell_argv
from codex_tool_exec.quoting import join, quote
from codex_tool_exec.session_store import SessionStore, select_eviction


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("{", "EOF while parsing an object at line 1 column 1"),
        ("{}", "missing field `cmd` at line 1 column 2"),
        ('{"cmd": 3}', "invalid type: integer `3`, expected a string at line 1 column 9"),
        ('{"cmd": null}', "invalid type: null, expected a string at line 1 column 12"),
        ('{"cmd": "echo a"} x', "trailing characters at line 1 column 19"),
        ('{"cmd":"a","cmd":"b"}', "duplicate field `cmd` at line 1 column 16"),
        ('{"cmd": "echo hi", "tty": "x"}', 'invalid type: string "x", expected a boolean at line 1 column 29'),
        (
            '{"cmd": "echo hi", "max_output_tokens": -1}',
            "invalid value: integer `-1`, expected usize at line 1 column 42",
        ),
        (
            '{"cmd": "echo hi", "yield_time_ms": 1.5}',
            "invalid type: floating point `1.5`, expected u64 at line 1 column 39",
        ),
        ('{"cmd": "echo hi", "prefix_rule": 3}', "invalid type: integer `3`, expected a sequence at line 1 column 35"),
        (
            '{"cmd": "echo x", "sandbox_permissions": "bogus"}',
            (
                "unknown variant `bogus`, expected one of `use_default`, `require_escalated`, "
                "`with_additional_permissions` at line 1 column 48"
            ),
        ),
        ('{"cmd": {"a": 1}}', "invalid type: map, expected a string at line 1 column 8"),
        ('{"cmd": [1]}', "invalid type: sequence, expected a string at line 1 column 8"),
        ('{\n"cmd": 3}', "invalid type: integer `3`, expected a string at line 2 column 8"),
        ('{"cmd": "a" "b"}', "expected `,` or `}` at line 1 column 13"),
        ("{cmd: 1}", "key must be a string at line 1 column 2"),
        ('{"cmd": "a', "EOF while parsing a string at line 1 column 10"),
        ('{"cmd": "a", "tty" true}', "expected `:` at line 1 column 20"),
        ('{"cmd": "a",}', "trailing comma at line 1 column 13"),
        ('{"cmd":', "EOF while parsing a value at line 1 column 7"),
        ('{"cmd": "a\nb"}', "control character (\\u0000-\\u001F) found while parsing a string at line 2 column 0"),
        ('{"cmd": x}', "expected value at line 1 column 9"),
        ("7", "invalid type: integer `7`, expected an object at line 1 column 1"),
        ('{"cmd": ' + "[" * 100_000, "recursion limit exceeded at line 1 column 8"),
    ],
)
def test_bad_arguments_are_named_with_their_place(arguments: str, problem: str) -> None:
    with pytest.raises(ToolError) as caught:
        read_exec_call(arguments, {})

    assert str(caught.value) == f"failed to parse function arguments: {problem}"


def test_a_bad_session_is_named_with_its_place() -> None:
    with pytest.raises(ToolError, match=r'invalid type: string "a", expected i32 at line 1 column 18$'):
        read_write_call('{"session_id": "a"}', {})


def test_null_unknown_members_and_whole_floats_are_fine() -> None:
    call = read_exec_call('{"cmd": "a", "tty": null, "workdir": "", "other": {"x": [1]}, "yield_time_ms": 500.0}', {})

    assert (call.cmd, call.tty, call.workdir, call.yield_time_ms, call.escalated) == ("a", False, None, 500, False)


@pytest.mark.parametrize(
    ("argument", "quoted"),
    [
        ("", "''"),
        ("ls", "ls"),
        ("a/b.c:d@e_f+g-h]", "a/b.c:d@e_f+g-h]"),
        ("echo hi", "'echo hi'"),
        ("a=b", "'a=b'"),
        ("~", "'~'"),
        ("python3 -c 'print(40+2)'", "\"python3 -c 'print(40+2)'\""),
        ("echo 'a' $x \\ ^", "\"echo 'a' \"'$x '\"\\\\ \"'^'"),
        ('tr "\\0" a', '"tr \\"\\\\0\\" a"'),
        ("sed -n '10,$p' f", "\"sed -n '10,\"'$p'\"' f\""),
        ("it's", '"it\'s"'),
        ("ä", "'ä'"),
    ],
)
def test_arguments_are_quoted_as_clients_know_them(argument: str, quoted: str) -> None:
    assert quote(argument) == quoted


def test_a_command_with_a_null_is_not_quoted() -> None:
    assert join(["sh", "a\0b"]) == "<command included NUL byte>"


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_shell_reads_back_what_was_quoted(argument: str) -> None:
    assert shlex.split(quote(argument)) == [argument]


@pytest.mark.parametrize(
    ("shell", "login", "argv"),
    [
        ("/bin/bash", True, ("/bin/bash", "-lc", "x")),
        ("/bin/zsh", False, ("/bin/zsh", "-c", "x")),
        ("C:\\pwsh.exe", True, ("C:\\pwsh.exe", "-Command", "x")),
        ("powershell.exe", False, ("powershell.exe", "-NoProfile", "-Command", "x")),
        ("cmd.exe", True, ("cmd.exe", "/c", "x")),
    ],
)
def test_each_shell_is_called_its_way(shell: str, login: bool, argv: tuple[str, ...]) -> None:
    assert shell_argv(shell, "x", login=login) == argv


ENVIRON = {"PATH": "/bin", "HOME": "/h", "FOO": "1", "MY_KEY": "k", "api_token": "t", "OWN": "o"}


@pytest.mark.parametrize(
    ("policy", "names"),
    [
        ({}, "PATH HOME FOO"),
        ({"ignore_default_excludes": True}, "PATH HOME FOO MY_KEY api_token OWN"),
        ({"ignore_default_excludes": False}, "PATH HOME FOO"),
        ({"inherit": "core"}, "PATH HOME"),
        ({"inherit": "none"}, ""),
        ({"inherit": "none", "set": {"A": "1"}}, "A"),
        ({"exclude": ["f*", "HO?E"]}, "PATH"),
        ({"set": {"MY_KEY": "x", "N": 3}, "exclude": ["FOO"]}, "PATH HOME MY_KEY N"),
        ({"set": {"A": "1"}, "include_only": ["PATH", "a"]}, "PATH A"),
        ({"set": {"OWN": "x"}}, "PATH HOME FOO OWN"),
        ({"exclude": "x", "set": [], "inherit": 3}, "PATH HOME FOO"),
    ],
)
def test_the_policy_says_which_variables_a_command_gets(policy: dict[str, object], names: str) -> None:
    config = {"shell_environment_policy": policy, "model_providers": {"m": {"env_key": "OWN"}}}

    assert set(apply_policy(ENVIRON, read_environ_policy(config))) == set(names.split())


@pytest.mark.parametrize(
    "config",
    [
        {"model_providers": {"m": {"env_http_headers": {"X-Auth": "CRED"}}}},
        {"mcp_servers": {"s": {"bearer_token_env_var": "CRED"}, "t": 3}},
        {"mcp_servers": {"s": {"env_http_headers": {"X-Auth": "CRED"}}}},
        {"environments": {"build": {"url": "ws://x", "token_env_var": "CRED"}}},
    ],
)
def test_variables_with_the_programs_credentials_are_excluded(config: dict[str, object]) -> None:
    environ = {"PATH": "/bin", "CRED": "c", "CODEX_API_KEY": "k", "OPENAI_API_KEY": "k", "CODEX_ACCESS_TOKEN": "t"}

    assert apply_policy(environ, read_environ_policy(config)) == {"PATH": "/bin"}
    passing = {**config, "shell_environment_policy": {"ignore_default_excludes": True}}
    assert apply_policy(environ, read_environ_policy(passing)) == environ


def test_what_the_policy_sets_is_text() -> None:
    assert read_environ_policy({"shell_environment_policy": {"set": {"N": 3}}}).set == {"N": "3"}


@frozen
class FileSystemEntry:
    exited: bool = False
    used_at: float = 0


def test_numbers_are_in_range_and_never_twice_in_use() -> None:
    draws = iter([0, 0, 98_999, 5])
    store: SessionStore[FileSystemEntry] = SessionStore(lambda bound: next(draws) % bound)

    assert [store.reserve(), store.reserve(), store.reserve()] == [1000, 99_999, 1005]


def test_a_number_given_back_is_free() -> None:
    store: SessionStore[FileSystemEntry] = SessionStore(lambda bound: 0)
    store.insert(store.reserve(), FileSystemEntry())

    store.release(1000)

    assert (store.get(1000), store.reserve()) == (None, 1000)


def test_the_sixty_fifth_session_evicts_one() -> None:
    numbers = count()
    store: SessionStore[FileSystemEntry] = SessionStore(lambda bound: next(numbers))
    entries = [FileSystemEntry(used_at=number) for number in range(65)]

    evicted = [store.insert(store.reserve(), entry) for entry in entries]

    assert evicted == [None] * 64 + [entries[0]]
    assert len(store) == 64


def test_an_ended_session_goes_first_but_not_one_of_the_last_used() -> None:
    entries = [(number, number in (5, 60), float(number)) for number in range(64)]

    assert select_eviction(entries) == 5
    assert select_eviction([(number, number == 60, used) for number, _, used in entries]) == 0


@given(st.lists(st.binary(max_size=30)), st.integers(0, 40))
def test_a_buffer_keeps_both_ends(parts: list[bytes], limit: int) -> None:
    buffer = HeadTail(limit)
    whole = b"".join(parts)
    for part in parts:
        buffer.append(part)

    tail = limit - limit // 2
    expected = whole if len(whole) <= limit else whole[: limit // 2] + whole[len(whole) - tail :]
    assert buffer.drain() == expected
    assert buffer.drain() == b""
