"""How parameters are read and what they are refused with."""

from __future__ import annotations

import base64

import pytest

from codex_exec_server.base64_text import Base64Error, decode_base64
from codex_exec_server.decoding import (
    REQUIRED,
    boolean,
    optional,
    path,
    sequence,
    size,
    string,
    struct,
    unsigned,
    variant,
    working_directory,
)
from codex_hookspecs.errors import RpcError

read = struct("Params", {"a": (string, REQUIRED), "b": (boolean, False), "c": (optional(unsigned), None)})


def error_of(reader, value) -> tuple[int, str]:
    with pytest.raises(RpcError) as caught:
        reader(value)
    return caught.value.code, caught.value.message


def test_unknown_members_are_ignored_and_defaults_filled_in() -> None:
    assert read({"a": "x", "z": 1}) == {"a": "x", "b": False, "c": None}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "invalid type: null, expected struct Params"),
        ("x", 'invalid type: string "x", expected struct Params'),
        ({}, "missing field `a`"),
        ({"a": 5}, "invalid type: number, expected a string"),
        ({"a": None}, "invalid type: null, expected a string"),
        ({"a": "x", "b": None}, "invalid type: null, expected a boolean"),
        ({"a": "x", "b": 1}, "invalid type: number, expected a boolean"),
        ({"a": "x", "c": -1}, "invalid number"),
        ({"a": "x", "c": 1.5}, "invalid number"),
        ({"a": "x", "c": "1"}, 'invalid type: string "1", expected u64'),
        ({"a": "x", "c": True}, "invalid type: boolean `true`, expected u64"),
        ([], "invalid length 0, expected struct Params with 3 elements"),
        ([5], "invalid type: number, expected a string"),
    ],
)
def test_what_does_not_fit_is_named(value, message: str) -> None:
    assert error_of(read, value) == (-32602, message)


def test_words_are_listed_when_another_comes() -> None:
    assert error_of(variant("interrupt"), "kill")[1] == "unknown variant `kill`, expected `interrupt`"
    assert error_of(variant("a", "b"), "c")[1] == "unknown variant `c`, expected `a` or `b`"
    assert error_of(variant("a", "b", "c"), "d")[1] == "unknown variant `d`, expected one of `a`, `b`, `c`"


def test_a_word_may_be_a_map_with_a_single_key() -> None:
    assert error_of(variant("a", "b"), {})[1] == "invalid value: map, expected map with a single key"
    assert error_of(variant("a", "b"), {"c": 1})[1] == "unknown variant `c`, expected `a` or `b`"


def test_a_list_that_is_too_short_is_read_as_far_as_it_goes() -> None:
    pair = struct("Pair", {"a": (string, REQUIRED), "b": (size, REQUIRED)}, elements=4)

    assert error_of(pair, ["x"])[1] == "invalid length 1, expected struct Pair with 4 elements"
    assert error_of(pair, [5])[1] == "invalid type: number, expected a string"
    assert error_of(pair, ["x", "y"])[1] == 'invalid type: string "y", expected usize'
    assert (
        error_of(struct("One", {"a": (string, REQUIRED)}), [])[1]
        == "invalid length 0, expected struct One with 1 element"
    )


def test_sequences_are_read_element_by_element() -> None:
    assert sequence(string)(["a"]) == ["a"]
    assert error_of(sequence(string), {})[1] == "invalid type: map, expected a sequence"


def test_paths_are_plain_or_uris() -> None:
    assert path("/a b/../c") == "/c"
    assert path("file:///a%20b") == "/a b"


@pytest.mark.parametrize(
    ("value", "code", "message"),
    [
        ("tmp", -32602, "invalid URI: relative URL without a base"),
        ("http://x/", -32602, "unsupported path URI scheme `http`"),
        ("file://host/tmp", -32600, "'file://host/tmp' is invalid on 'linux'"),
        ("file:///a%00b", -32602, "'file:///a%00b' is invalid on 'linux'"),
        ("file:///a?b", -32602, "query parameters are not allowed in path URIs"),
        ("file:///a#b", -32602, "fragments are not allowed in path URIs"),
    ],
)
def test_other_paths_are_refused(value: str, code: int, message: str) -> None:
    assert error_of(path, value) == (code, message)


def test_a_working_directory_elsewhere_is_refused() -> None:
    code, message = error_of(working_directory, "file://host/tmp")

    assert code == -32602
    assert message.startswith("cwd URI `file://host/tmp` is not valid on this exec-server host")


@pytest.mark.parametrize("data", [b"", b"a", b"ab", b"abc", bytes(range(256))])
def test_base64_is_decoded(data: bytes) -> None:
    assert decode_base64(base64.b64encode(data).decode()) == data


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("!", "Invalid symbol 33, offset 0."),
        ("a!k=", "Invalid symbol 33, offset 1."),
        ("aG k=", "Invalid symbol 32, offset 2."),
        ("_-==", "Invalid symbol 95, offset 0."),
        ("aGk=aGk=", "Invalid symbol 61, offset 3."),
        ("ü===", "Invalid symbol 195, offset 0."),
        ("aGl=", "Invalid last symbol 108, offset 2."),
        ("aGk", "Invalid padding"),
        ("a", "Invalid input length: 1"),
    ],
)
def test_wrong_base64_is_refused_with_its_place(given: str, message: str) -> None:
    with pytest.raises(Base64Error, match=f"^{message.replace('.', chr(92) + '.')}$"):
        decode_base64(given)
