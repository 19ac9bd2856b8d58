"""Which environments there are: from the variable and from the configuration."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from codex_exec_remote import client, providers
from codex_exec_remote.plugin import doctor_checks, environments
from codex_hookspecs.errors import EnvironmentLost, ExecError
from codex_testkit.servers.exec_server_0169 import fake_exec_server, refuse, silence

pytestmark = pytest.mark.anyio


def offered(url: str | None = None, tables: Any = None, **environ: str) -> dict[str, Any]:
    given = environ if url is None else {"CODEX_EXEC_SERVER_URL": url, **environ}
    config = {} if tables is None else {"environments": tables}
    host: Any = SimpleNamespace(environ=given, config=config, logger=logging.getLogger)
    return {provider.id: provider for provider in environments(host) or []}


@pytest.mark.parametrize("url", [None, "", "  \n"])
def test_nothing_is_offered_when_nothing_is_configured(url: str | None) -> None:
    assert offered(url) == {}


def test_the_variable_gives_the_default_environment() -> None:
    found = offered(" ws://127.0.0.1:1\n", {"b": {"url": "ws://h:2", "default": True}})

    assert {name: provider.default for name, provider in found.items()} == {"remote": True, "b": False}


async def test_none_is_no_environment_at_all() -> None:
    found = offered("none")

    assert found["none"].default
    with pytest.raises(ExecError, match=r"^CODEX_EXEC_SERVER_URL is none$") as caught:
        await found["none"].open()
    assert not isinstance(caught.value, EnvironmentLost)


@pytest.mark.parametrize("url", ["http://h:1", "h:1", "ws://", "ws://h:0", "ws://h:x", "ws://h:1/#a", "NONE"])
async def test_what_is_no_address_is_told_when_the_machine_is_wanted(url: str) -> None:
    found = offered(url)["remote"]

    assert found.default
    with pytest.raises(ExecError, match="expected the address of an exec-server"):
        await found.open()


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        (3, r"environments\.b is 3, expected a table"),
        ({}, r"environments\.b\.url is missing"),
        ({"url": 3}, r"environments\.b\.url is missing"),
        ({"url": "x"}, r"environments\.b\.url is 'x'"),
        ({"url": "ws://h:1", "uri": "x"}, r"environments\.b\.uri is not known; allowed are url, token"),
        ({"url": "ws://h:1", "token": 3}, r"environments\.b\.token is not a string"),
        ({"url": "ws://h:1", "default": "yes"}, r"environments\.b\.default is 'yes'"),
        ({"url": "ws://h:1", "token_env_var": "T"}, r"names T, which is not set"),
    ],
)
async def test_a_table_that_is_wrong_is_told_when_the_machine_is_wanted(table: Any, problem: str) -> None:
    with pytest.raises(ExecError, match=problem):
        await offered(None, {"b": table})["b"].open()


def test_a_table_can_be_the_default() -> None:
    found = offered(None, {"a": {"url": "ws://h:1"}, "b": {"url": "wss://h:2", "default": True}})

    assert {name: provider.default for name, provider in found.items()} == {"a": False, "b": True}


@pytest.mark.parametrize("table", [{"token": "secret"}, {"token_env_var": "T"}])
async def test_the_token_goes_along(table: dict[str, str]) -> None:
    async with fake_exec_server() as fake:
        found = offered(None, {"b": {"url": fake.url, **table}}, T="secret")

        environment = await found["b"].open()
        await environment.aclose()

    assert fake.headers == ["Bearer secret"]
    assert environment.id == "b"


async def test_a_server_that_refuses_is_told_without_the_token() -> None:
    async with fake_exec_server() as fake:
        fake.behaviour["initialize"] = refuse(-32600, "go away")
        found = offered(None, {"b": {"url": fake.url, "token": "secret"}})

        with pytest.raises(EnvironmentLost) as caught:
            await found["b"].open()

    assert str(caught.value) == f"failed to connect to exec-server websocket `{fake.url}`: go away"
    assert caught.value.environment == "b"


async def test_the_upgrade_can_be_refused() -> None:
    import websockets.asyncio.server

    async def never(_connection: Any) -> None:
        return

    def deny(connection: Any, _request: Any) -> Any:
        return connection.respond(401, "wrong\npassword")

    async with websockets.asyncio.server.serve(never, "127.0.0.1", 0, process_request=deny) as listener:
        port = next(iter(listener.sockets)).getsockname()[1]

        with pytest.raises(
            EnvironmentLost, match=r"HTTP 401: wrong\^Jpassword; to send a token, .*environments\.NAME\."
        ):
            await offered(f"ws://127.0.0.1:{port}")["remote"].open()
        table = {"url": f"ws://127.0.0.1:{port}", "token": "t"}
        with pytest.raises(EnvironmentLost, match=r"HTTP 401: wrong\^Jpassword$"):
            await offered(None, {"b": table})["b"].open()


async def test_two_that_want_to_be_the_default_are_told_and_can_be_named() -> None:
    async with fake_exec_server() as fake:
        found = offered(None, {name: {"url": fake.url, "default": True} for name in ("a", "b")})

        defaults = [provider for provider in found.values() if provider.default]
        with pytest.raises(ExecError, match=r"^environments\.a and environments\.b have default = true"):
            await defaults[0].open()
        await (await found["b"].open()).aclose()

    assert len(defaults) == 1


async def test_the_doctor_says_which_machines_can_not_be_reached() -> None:
    async with fake_exec_server() as fake:
        fake.info = {"shell": {"name": "sh", "path": "/bin/sh"}}
        tables = {"up": {"url": fake.url}, "down": {"url": "ws://127.0.0.1:9"}, "wrong": {"url": "x"}}
        host: Any = SimpleNamespace(environ={}, config={"environments": tables}, logger=logging.getLogger)

        found = {check.name: await check.run() for check in doctor_checks(host) or []}

    assert found == {
        "environment up": [],
        "environment down": [
            "failed to connect to exec-server websocket `ws://127.0.0.1:9`: Connection refused (os error 111)"
        ],
        "environment wrong": [
            "environments.wrong.url is 'x'; expected the address of an exec-server, ws://HOST:PORT or wss://HOST:PORT"
        ],
    }


def test_the_doctor_has_nothing_to_look_at_when_nothing_is_configured() -> None:
    host: Any = SimpleNamespace(environ={}, config={}, logger=logging.getLogger)

    assert doctor_checks(host) is None


def test_other_machines_are_known_as_such_before_they_are_opened() -> None:
    found = offered("none", {"b": {"url": "ws://h:2"}, "c": 3})

    assert {name: provider.remote for name, provider in found.items()} == {"none": False, "b": True, "c": True}


@pytest.mark.parametrize(("patience", "tries"), [(60.0, 1), (0.0, 3)])
async def test_a_server_that_does_not_answer_is_waited_for_once_in_a_while(
    monkeypatch: pytest.MonkeyPatch, patience: float, tries: int
) -> None:
    monkeypatch.setattr(client, "INITIALIZE_SECONDS", 0.05)
    monkeypatch.setattr(providers, "SLOW_SECONDS", 0.01)
    monkeypatch.setattr(providers, "RETRY_SECONDS", patience)
    async with fake_exec_server() as fake:
        fake.behaviour["initialize"] = silence
        provider = offered(fake.url)["remote"]

        for _ in range(3):
            with pytest.raises(EnvironmentLost, match="no answer to initialize in time"):
                await provider.open()

    assert len(fake.connections) == tries


async def test_a_server_that_refuses_is_tried_again_at_once() -> None:
    async with fake_exec_server() as fake:
        fake.behaviour["initialize"] = refuse(-32600, "not yet")
        provider = offered(fake.url)["remote"]
        with pytest.raises(EnvironmentLost, match="not yet"):
            await provider.open()
        del fake.behaviour["initialize"]

        await (await provider.open()).aclose()
