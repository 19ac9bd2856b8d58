"""Capability tokens: one alone, its digest, several with names."""

from __future__ import annotations

import hashlib

import pytest

from codex_hookspecs.auth import AcceptedClient
from codex_hookspecs.errors import ConfigError

pytestmark = pytest.mark.anyio
MODE = "capability-token"
DIGEST = hashlib.sha256(b"s3cret").hexdigest()
LIST = f"""\
# who may connect
laptop = s3cret

ci.runner@site = sha256:{hashlib.sha256(b"other").hexdigest().upper()}
equals = YWJj==
"""


@pytest.fixture
def check(prepare, tmp_path):
    (tmp_path / "tokens").write_text(LIST)
    return prepare(MODE, token_file=tmp_path / "tokens")


@pytest.mark.parametrize(
    ("content", "token"),
    [
        ("s3cret", "s3cret"),
        ("\n  s3cret \r\n", "s3cret"),
        ("\u00a0s3cret\u3000", "s3cret"),
        ("two words", "two words"),
        ("laptop=s3cret", "laptop=s3cret"),
        ("YWJj==", "YWJj=="),
        ("two words = s3cret", "two words = s3cret"),
        ("x", "x"),
    ],
)
async def test_one_line_without_a_name_is_one_token(prepare, tmp_path, content: str, token: str) -> None:
    (tmp_path / "token").write_text(content, "utf-8")
    check = prepare(MODE, token_file=tmp_path / "token")

    assert check(f"Bearer {token}") == AcceptedClient()
    assert check(f"Bearer {token}x") == "invalid websocket bearer token"
    assert check("Bearer s3cre") == "invalid websocket bearer token"


@pytest.mark.parametrize(
    "line",
    [
        "laptop = s3cret",
        "laptop =s3cret",
        "laptop= s3cret",
        "\tlaptop\t=\ts3cret\r\n",
        f"laptop = sha256:{DIGEST}",
        f"laptop=sha256:{DIGEST.upper()}",
    ],
)
async def test_one_line_with_a_name_is_a_list(prepare, tmp_path, line: str) -> None:
    (tmp_path / "token").write_text(line)
    check = prepare(MODE, token_file=tmp_path / "token")

    assert check("Bearer s3cret") == AcceptedClient("laptop")
    for token in (line.strip(), DIGEST, f"sha256:{DIGEST}", "laptop"):
        assert check(f"Bearer {token}") == "invalid websocket bearer token"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("# s3cret", "has no token, only comments"),
        ("# one\n\n# two", "has no token, only comments"),
        (f"sha256:{DIGEST}", "has a digest without a name; expected NAME = TOKEN or NAME = sha256:HEX, or give it as"),
        ("laptop =", "line 1: expected NAME = TOKEN or NAME = sha256:HEX"),
        ("laptop=sha256:abc", "line 1: the digest of laptop has not 64 hexadecimal digits"),
    ],
)
async def test_one_line_that_is_no_token_is_refused(prepare, tmp_path, line: str, told: str) -> None:
    (tmp_path / "token").write_text(line)

    with pytest.raises(ConfigError) as caught:
        prepare(MODE, token_file=tmp_path / "token")

    assert told in str(caught.value)


async def test_the_digest_of_the_token_is_enough(prepare) -> None:
    check = prepare(MODE, token_sha256=f" {DIGEST.upper()} ")

    assert check("Bearer s3cret") == AcceptedClient()
    assert check(f"Bearer {DIGEST}") == "invalid websocket bearer token"


@pytest.mark.parametrize(("token", "name"), [("s3cret", "laptop"), ("other", "ci.runner@site"), ("YWJj==", "equals")])
async def test_clients_are_known_by_the_names_of_their_tokens(check, token: str, name: str) -> None:
    assert check(f"Bearer {token}") == AcceptedClient(name)


@pytest.mark.parametrize("token", ["laptop", "laptop = s3cret", "# who may connect", DIGEST, "sha256:" + DIGEST, "x"])
async def test_nothing_else_in_a_list_is_a_token(check, token: str) -> None:
    assert check(f"Bearer {token}") == "invalid websocket bearer token"


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (None, "missing websocket bearer token"),
        ("", "invalid authorization header"),
        ("Bearer", "invalid authorization header"),
        ("Bearer ", "invalid authorization header"),
        ("Bearer\ts3cret", "invalid authorization header"),
        ("Basic s3cret", "invalid authorization header"),
        ("s3cret", "invalid authorization header"),
        ("Bearer s3cret\xe9", "invalid authorization header"),
        ("B\u00e9arer s3cret", "invalid authorization header"),
        ("Bearer\xa0s3cret", "invalid authorization header"),
        ("bEARER \t s3cret \t", AcceptedClient("laptop")),
    ],
)
async def test_only_one_form_of_the_header_is_understood(check, header: str | None, told: AcceptedClient | str) -> None:
    assert check(header) == told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("a = x\nb", "line 2: expected NAME = TOKEN or NAME = sha256:HEX"),
        ("a = x\nb =", "line 2: expected NAME = TOKEN or NAME = sha256:HEX"),
        ("a = x\n\n = y", "line 3: a name has up to 64 letters"),
        ("a = x\nb c = y", "line 2: a name has up to 64 letters"),
        (f"a = x\n{'b' * 65} = y", "line 2: a name has up to 64 letters"),
        ("a = x\na = y", "line 2: the name a is used twice"),
        ("a = x\nb = x", "line 2: b has the token of a"),
        (f"a = s3cret\nb = sha256:{DIGEST}", "line 2: b has the token of a"),
        ("a = x\nb = sha256:12", "line 2: the digest of b has not 64 hexadecimal digits"),
        ("a = x\nb = \u00e9", "line 2: the token of b has characters other than printable ASCII"),
        ("\n".join(f"a{number} = {number}" for number in range(1001)), "line 1001: a file may have at most 1000"),
    ],
)
async def test_a_faulty_list_is_told_without_its_tokens(prepare, tmp_path, content: str, told: str) -> None:
    path = tmp_path / "tokens"
    path.write_text(content, "utf-8")

    with pytest.raises(ConfigError) as caught:
        prepare(MODE, token_file=path)

    assert str(caught.value).startswith(f"websocket auth secret {path}")
    assert told in str(caught.value)
    assert "s3cret" not in str(caught.value)


async def test_a_token_that_no_header_can_carry_is_told_once_and_lets_nobody_in(prepare, tmp_path, told) -> None:
    (tmp_path / "token").write_text("\ufeffs3cret", "utf-8")
    check = prepare(MODE, token_file=tmp_path / "token")

    assert check("Bearer s3cret") == check("Bearer s3cret") == "invalid websocket bearer token"
    assert told() == [f"no client can send the token in {tmp_path / 'token'}: it is not printable ASCII"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "`--ws-token-file` or `--ws-token-sha256` is required when `--ws-auth capability-token` is set"),
        (
            {"token_file": "x", "token_sha256": DIGEST},
            "`--ws-token-file` and `--ws-token-sha256` are mutually exclusive",
        ),
        ({"token_sha256": DIGEST[1:]}, "--ws-token-sha256 must be a 64-character hex SHA-256 digest"),
        ({"token_sha256": "g" * 64}, "--ws-token-sha256 must be a 64-character hex SHA-256 digest"),
        *(
            ({"token_file": "x", name: value}, "require `--ws-auth signed-bearer-token`")
            for name, value in (
                ("shared_secret_file", "y"),
                ("issuer", ""),
                ("audience", "me"),
                ("max_clock_skew_seconds", 0),
            )
        ),
    ],
)
async def test_options_that_do_not_fit_are_refused(prepare, options: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        prepare(MODE, **options)

    assert told in str(caught.value)
