"""Files with tokens and secrets: what is accepted at the start, and what happens when they change."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from codex_hookspecs.auth import AcceptedClient
from codex_hookspecs.errors import ConfigError

from .conftest import jwt

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio
MODE = "capability-token"
UNCHECKED = "the credentials could not be checked"
WRONG = "invalid websocket bearer token"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("old")
    return tmp_path / "token"


def replace(path: Path, content: str | bytes) -> None:
    """Put another file in place at once."""
    new = path.with_name("new")
    new.write_bytes(content if isinstance(content, bytes) else content.encode())
    new.replace(path)


def grow_old(path: Path) -> None:
    """Have the file look as if it was changed some time ago."""
    os.utime(path, ns=(1, time.time_ns() - 10**12))


@pytest.mark.parametrize("option", ["token_file", "shared_secret_file"])
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "websocket auth secret {} must not be empty"),
        (b" \n\t\xc2\xa0", "websocket auth secret {} must not be empty"),
        (b"\xff\xfes3cret", "failed to read websocket auth secret {}: stream did not contain valid UTF-8"),
        (None, "failed to read websocket auth secret {}: No such file or directory (os error 2)"),
        (b"x" * (4 * 1024 * 1024 + 1), "failed to read websocket auth secret {}: it has more than 4194304 bytes"),
    ],
)
async def test_a_file_that_cannot_be_used_is_told(prepare, path, option: str, content: bytes | None, told: str) -> None:
    path.unlink() if content is None else path.write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        prepare(MODE if option == "token_file" else "signed-bearer-token", **{option: path})

    assert str(caught.value) == told.format(path)


async def test_what_is_no_file_is_told_without_waiting_for_it(prepare, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    for name, told in (("", "Is a directory (os error 21)"), ("pipe", "it is no regular file"), ("\0", "null byte")):
        with pytest.raises(ConfigError, match="failed to read websocket auth secret") as caught:
            prepare(MODE, token_file=f"{tmp_path}/{name}")
        assert told in str(caught.value)


async def test_a_relative_path_is_that_of_the_current_directory(prepare, path: Path, monkeypatch) -> None:
    monkeypatch.chdir(path.parent)
    check = prepare(MODE, token_file="token")
    monkeypatch.chdir("/")

    assert check("Bearer old") == AcceptedClient()


async def test_a_replaced_file_counts_at_once(prepare, path: Path, told) -> None:
    check = prepare(MODE, token_file=path)
    assert check("Bearer old") == AcceptedClient()

    replace(path, "new")

    assert check("Bearer old") == WRONG
    assert check("Bearer new") == AcceptedClient()
    assert told() == [f"{path} has changed and was read again"]


async def test_a_file_changed_in_place_within_a_tick_of_the_clock_counts_at_once(prepare, path: Path) -> None:
    check = prepare(MODE, token_file=path)
    for number in range(50):
        path.write_text(f"{number:03}")

        assert check(f"Bearer {number:03}") == AcceptedClient()


async def test_a_file_with_the_time_stamp_and_size_of_the_old_one_counts(prepare, path: Path) -> None:
    grow_old(path)
    check = prepare(MODE, token_file=path)
    before = path.stat().st_mtime_ns

    replace(path, "new")
    os.utime(path, ns=(1, before))

    assert check("Bearer new") == AcceptedClient()


@pytest.mark.parametrize("content", ["", "a = x\nb", "# a = x", b"\xff", None])
async def test_nobody_is_let_in_while_the_file_is_unusable_and_this_is_told_once(
    prepare, path: Path, told, content: str | bytes | None
) -> None:
    check = prepare(MODE, token_file=path)

    path.unlink() if content is None else replace(path, content)

    assert [check("Bearer old") for _ in range(3)] == [UNCHECKED] * 3
    assert check("Basic x") == "invalid authorization header"
    (text,) = told()
    assert str(path) in text
    assert text.endswith("; clients are refused until it is valid again")

    replace(path, "old")

    assert check("Bearer old") == AcceptedClient()
    told()
    path.unlink()
    assert check("Bearer old") == UNCHECKED
    assert len(told()) == 1


async def test_a_list_that_shrinks_to_one_entry_stays_a_list(prepare, path: Path) -> None:
    path.write_text("a = one\nb = two\n")
    check = prepare(MODE, token_file=path)

    replace(path, "b = two\n")

    assert check("Bearer two") == AcceptedClient("b")
    assert check("Bearer one") == check("Bearer b = two") == WRONG


async def test_a_file_that_was_moved_away_and_back_counts_again(prepare, path: Path) -> None:
    check = prepare(MODE, token_file=path)
    path.rename(path.with_name("away"))
    assert check("Bearer old") == UNCHECKED

    path.with_name("away").rename(path)

    assert check("Bearer old") == AcceptedClient()


async def test_a_link_may_lead_to_another_file(prepare, path: Path) -> None:
    (path.parent / "one").write_text("1")
    (path.parent / "two").write_text("2")
    path.unlink()
    path.symlink_to("one")
    check = prepare(MODE, token_file=path)
    assert check("Bearer 1") == AcceptedClient()

    path.unlink()
    path.symlink_to("two")

    assert check("Bearer 2") == AcceptedClient()
    assert check("Bearer 1") == WRONG


async def test_an_unchanged_file_is_not_read_again(prepare, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock:
        time_ns = staticmethod(lambda: 2**62)

    monkeypatch.setattr("codex_auth_websocket.credential_file.time", Clock)
    check = prepare(MODE, token_file=path)
    opened = []
    real = os.open
    monkeypatch.setattr(os, "open", lambda *args: opened.append(args) or real(*args))

    assert [check("Bearer old") for _ in range(5)] == [AcceptedClient()] * 5
    assert opened == []


async def test_a_new_secret_counts_at_once_and_the_old_one_no_longer(prepare, path: Path) -> None:
    replace(path, "a" * 32)
    check = prepare("signed-bearer-token", shared_secret_file=path)
    old, new = (jwt({"exp": 2**40}, secret=secret * 32) for secret in (b"a", b"b"))
    assert check(f"Bearer {old}") == AcceptedClient()

    replace(path, "b" * 32)

    assert check(f"Bearer {old}") == "invalid websocket jwt"
    assert check(f"Bearer {new}") == AcceptedClient()

    replace(path, "b" * 31)

    assert check(f"Bearer {new}") == UNCHECKED
