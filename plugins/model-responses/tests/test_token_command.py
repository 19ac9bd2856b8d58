"""Tokens that a command of the user prints."""

from __future__ import annotations

import sys

import pytest

from codex_hookspecs.errors import ConfigError, ModelError
from codex_testkit.servers.responses import ResponsesServer

pytestmark = pytest.mark.anyio

COUNTING = """
import pathlib, sys
file = pathlib.Path(sys.argv[1])
count = int(file.read_text()) + 1 if file.exists() else 1
file.write_text(str(count))
print(f"token-{count}")
"""


def command(code: str, *arguments: str, **keys) -> dict:
    return {"auth": {"command": sys.executable, "args": ["-c", code, *arguments], "timeout_ms": 20_000, **keys}}


async def test_the_token_is_sent_and_kept_while_it_is_fresh(choose, listen, ask, tmp_path) -> None:
    with ResponsesServer([[{"say": "1"}], [{"say": "2"}]]) as server:
        provider = choose("corp", {"base_url": server.url, **command(COUNTING, str(tmp_path / "count"))})
        await listen(provider, ask())
        await listen(provider, ask())

        assert [turn.headers["authorization"] for turn in server.turns] == ["Bearer token-1"] * 2


async def test_a_refused_token_is_replaced_once_and_silently(choose, listen, ask, tmp_path) -> None:
    with ResponsesServer([[{"fail": 401}], [{"say": "ok"}]]) as server:
        provider = choose("corp", {"base_url": server.url, **command(COUNTING, str(tmp_path / "count"))})
        events = await listen(provider, ask())

        assert [turn.headers["authorization"] for turn in server.turns] == ["Bearer token-1", "Bearer token-2"]
    assert not any(type(event).__name__ == "Retrying" for event in events)


@pytest.mark.parametrize(
    ("table", "what"),
    [
        (command("import sys; sys.exit('no ticket')"), "ended with status 1: no ticket."),
        (command("print()"), "did not print one token."),
        (command("print('two words')"), "did not print one token."),
        (command("import time; time.sleep(60)", timeout_ms=50), "took longer than 0.05 s."),
        ({"auth": {"command": "/missing/program"}}, "can't be started: No such file or directory."),
    ],
)
async def test_a_command_that_gives_no_token_is_named(table, what, choose, listen, ask) -> None:
    provider = choose("corp", {"base_url": "http://127.0.0.1:1/v1", **table})

    with pytest.raises(ModelError) as error:
        await listen(provider, ask())

    assert str(error.value).endswith(what)
    assert "model_providers.corp.auth" in str(error.value)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"auth": "x"}, "model_providers.corp.auth is a text, allowed is a table"),
        ({"auth": {}}, "model_providers.corp.auth has no command; it names the program that prints a token"),
        (
            {"auth": {"command": "a", "argv": []}},
            "model_providers.corp.auth.argv is unknown, allowed are command, args",
        ),
        (
            {"auth": {"command": "a", "args": "b"}},
            "model_providers.corp.auth.args is a text, allowed is a list of texts",
        ),
        (
            {"auth": {"command": "a"}, "env_key": "K"},
            "model_providers.corp.auth can't be combined with env_key; remove one",
        ),
    ],
)
async def test_what_is_wrong_with_the_table_is_said(table, message, choose) -> None:
    with pytest.raises(ConfigError) as error:
        choose("corp", {"base_url": "http://h/v1", **table})

    assert error.value.message.startswith(message)
