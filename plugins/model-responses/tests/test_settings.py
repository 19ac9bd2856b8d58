"""Which providers are served, and what is said about a table that can't be used."""

from __future__ import annotations

import pytest

from codex_hookspecs.errors import ConfigError
from codex_model_responses.settings import read_settings

pytestmark = pytest.mark.anyio
URL = "http://127.0.0.1:9/v1"


@pytest.fixture
def settings():
    class Config:
        def __init__(self, values=None) -> None:
            self.values = values or {}

        def get(self, key, default=None):
            return self.values.get(key, default)

        def origin(self, key):
            return "/etc/config.toml"

    def read(name, table=None, *, environ=None, values=None):
        return read_settings(name, table or {}, config=Config(values), environ=environ or {})

    return read


async def test_a_table_about_a_responses_server_is_served(choose) -> None:
    provider = choose("corp", {"base_url": URL, "wire_api": "responses"})

    assert provider is not None
    assert provider.name == "corp"


@pytest.mark.parametrize("table", [{}, {"name": "other"}, {"script": "a.json"}])
async def test_other_names_are_left_to_other_plugins(table, choose) -> None:
    assert choose("scripted", table) is None


@pytest.mark.parametrize(
    ("name", "environ", "values", "url"),
    [
        ("openai", {}, {}, "https://api.openai.com/v1"),
        ("openai", {"OPENAI_BASE_URL": "http://env/v1"}, {}, "http://env/v1"),
        ("openai", {"OPENAI_BASE_URL": "http://env/v1"}, {"openai_base_url": "http://key/v1/"}, "http://key/v1"),
        ("oss", {}, {}, "http://localhost:11434/v1"),
        ("ollama", {}, {}, "http://localhost:11434/v1"),
        ("lmstudio", {}, {}, "http://localhost:1234/v1"),
        ("oss", {"CODEX_OSS_PORT": "99"}, {}, "http://localhost:99/v1"),
        ("ollama", {"CODEX_OSS_BASE_URL": "http://gpu:1/v1"}, {}, "http://gpu:1/v1"),
    ],
)
def test_built_in_providers_have_their_addresses(name, environ, values, url, settings) -> None:
    assert settings(name, environ=environ, values=values).base_url == url


def test_a_table_has_the_defaults_of_codex(settings) -> None:
    found = settings("corp", {"base_url": URL})

    assert (found.request_max_retries, found.stream_max_retries, found.idle_seconds) == (4, 5, 300.0)
    assert (found.openai_auth, found.first_party, found.env_key, found.headers) == (False, False, None, ())


def test_retries_are_capped(settings) -> None:
    found = settings("corp", {"base_url": URL, "request_max_retries": 1000, "stream_max_retries": 101})

    assert (found.request_max_retries, found.stream_max_retries) == (100, 100)


def test_a_table_without_address_means_openai(settings) -> None:
    assert settings("corp", {"env_key": "KEY"}).base_url == "https://api.openai.com/v1"


@pytest.mark.parametrize(
    ("name", "table", "message"),
    [
        (
            "corp",
            {"wire_api": "chat"},
            'model_providers.corp.wire_api is "chat", allowed is "responses"; the chat completions API is no longer',
        ),
        ("corp", {"wire_api": "soap"}, 'model_providers.corp.wire_api is "soap", allowed is "responses"'),
        (
            "my corp.",
            {"request_max_retries": "x"},
            'model_providers."my corp.".request_max_retries is "x", allowed is a whole number from 0',
        ),
        ("corp", {"stream_max_retries": -1}, "model_providers.corp.stream_max_retries is -1, allowed is a whole numb"),
        ("corp", {"stream_max_retries": True}, "model_providers.corp.stream_max_retries is true, allowed is a whole"),
        ("corp", {"stream_idle_timeout_ms": 0}, "model_providers.corp.stream_idle_timeout_ms is 0, allowed is a whole"),
        ("corp", {"requires_openai_auth": 1}, "model_providers.corp.requires_openai_auth is 1, allowed is true or fal"),
        ("corp", {"base_url": "localhost:1"}, 'model_providers.corp.base_url is "localhost:1", allowed is an address'),
        ("corp", {"base_url": "ftp://host"}, 'model_providers.corp.base_url is "ftp://host", allowed is an address'),
        ("corp", {"base_url": "http://"}, 'model_providers.corp.base_url is "http://", allowed is an address'),
        ("corp", {"base_url": "http://h:99999"}, 'model_providers.corp.base_url is "http://h:99999", allowed is an ad'),
        ("corp", {"base_url": ""}, "model_providers.corp.base_url is empty, allowed is a text"),
        (
            "corp",
            {"base_url": f"{URL}?a=1"},
            f'model_providers.corp.base_url is "{URL}?a=1", put what follows the',
        ),
        ("corp", {"env_key": 7}, "model_providers.corp.env_key is a number, allowed is a text"),
        ("corp", {"query_params": {"a": 1}}, "model_providers.corp.query_params is a table with other values, allowed"),
        (
            "corp",
            {"http_headers": {"a b": "c"}},
            'model_providers.corp.http_headers is invalid at "a b", allowed is a',
        ),
        (
            "corp",
            {"http_headers": {"a": "b\nc"}},
            'model_providers.corp.http_headers is invalid at "a", allowed is a',
        ),
        (
            "corp",
            {"http_headers": {"a": "\u4e2d"}},
            'model_providers.corp.http_headers is invalid at "a", allowed is a tabl',
        ),
        ("corp", {"http_headers": {"A": "1", "a": "2"}}, 'model_providers.corp.http_headers has "a" twice; remove one'),
        *(
            ("corp", {"http_headers": {name: "1"}}, f'model_providers.corp.http_headers has "{name}", which describes')
            for name in ("Content-Length", "transfer-encoding", "Connection", "Upgrade", "Keep-Alive", "TE", "Trailer")
        ),
        ("openai", {"base_url": URL}, "model_providers.openai is built in and can't be replaced; give the table anot"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_with_its_key(name, table, message, settings) -> None:
    with pytest.raises(ConfigError) as error:
        settings(name, table)

    assert error.value.message.startswith(message)
    assert error.value.source == "/etc/config.toml"


@pytest.mark.parametrize("table", [{"base_url": "http://me:secret@host/v1"}, {"experimental_bearer_token": ["secret"]}])
def test_secrets_do_not_show_in_errors(table, settings) -> None:
    with pytest.raises(ConfigError) as error:
        settings("corp", table)

    assert "secret" not in str(error.value)


def test_a_wrong_address_in_the_environment_is_said(settings) -> None:
    with pytest.raises(ConfigError) as error:
        settings("openai", environ={"OPENAI_BASE_URL": "nowhere"})

    assert str(error.value) == (
        'environment: OPENAI_BASE_URL is "nowhere", allowed is an address like https://host:port/v1'
    )
