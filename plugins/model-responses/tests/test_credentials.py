"""Where the token of a request comes from."""

from __future__ import annotations

import json

import pytest

from codex_hookspecs.errors import ModelError
from codex_model_responses.credentials import find_bearer_token
from codex_model_responses.settings import ProviderSettings

OPENAI = {"name": "openai", "base_url": "https://api.openai.com/v1", "openai_auth": True, "first_party": True}
CUSTOM = {"name": "corp", "base_url": "http://127.0.0.1:9/v1"}
ALL = {"CODEX_API_KEY": "codex", "OPENAI_API_KEY": "open", "KEY": "own"}


@pytest.mark.parametrize(
    ("provider", "environ", "token"),
    [
        ({**CUSTOM, "env_key": "KEY", "bearer_token": "fixed"}, ALL, "own"),
        ({**CUSTOM, "bearer_token": "fixed"}, ALL, "fixed"),
        (CUSTOM, ALL, "codex"),
        (CUSTOM, {"OPENAI_API_KEY": "open"}, None),
        (OPENAI, ALL, "codex"),
        (OPENAI, {"OPENAI_API_KEY": " open\n"}, "open"),
        ({**CUSTOM, "openai_auth": True}, {"OPENAI_API_KEY": "open"}, "open"),
        ({**OPENAI, "base_url": "http://127.0.0.1:9/v1"}, {}, None),
    ],
)
def test_the_first_source_that_has_a_token_gives_it(provider, environ, token, tmp_path) -> None:
    assert find_bearer_token(ProviderSettings(**provider), environ, str(tmp_path)) == token


def test_the_key_of_a_login_is_used(tmp_path) -> None:
    (tmp_path / "auth.json").write_text(json.dumps({"OPENAI_API_KEY": "stored", "tokens": None}))

    assert find_bearer_token(ProviderSettings(**OPENAI), {}, str(tmp_path)) == "stored"


@pytest.mark.parametrize(
    ("instructions", "message"),
    [
        (None, "Missing environment variable: `KEY`."),
        ("Ask the desk.", "Missing environment variable: `KEY`. Ask the desk."),
    ],
)
@pytest.mark.parametrize("environ", [{}, {"KEY": "  "}, {"CODEX_API_KEY": "codex"}])
def test_a_missing_variable_is_named_with_what_to_do(instructions, message, environ, tmp_path) -> None:
    settings = ProviderSettings(**CUSTOM, env_key="KEY", env_key_instructions=instructions)

    with pytest.raises(ModelError) as error:
        find_bearer_token(settings, environ, str(tmp_path))

    assert str(error.value) == message


@pytest.mark.parametrize("stored", [None, {"OPENAI_API_KEY": None}, {"tokens": {"access_token": "x"}}, []])
def test_no_credentials_is_one_error_with_the_ways_out(stored, tmp_path) -> None:
    if stored is not None:
        (tmp_path / "auth.json").write_text(json.dumps(stored))

    with pytest.raises(ModelError) as error:
        find_bearer_token(ProviderSettings(**OPENAI), {}, str(tmp_path))

    assert error.value.info == "unauthorized"
    for way in ("CODEX_API_KEY", "OPENAI_API_KEY", "auth.json", "model_provider", "scripted"):
        assert way in str(error.value)


def test_a_broken_login_file_is_named(tmp_path) -> None:
    (tmp_path / "auth.json").write_text("{")

    with pytest.raises(ModelError, match=r"auth\.json can't be read: it is not JSON"):
        find_bearer_token(ProviderSettings(**OPENAI), {}, str(tmp_path))


@pytest.mark.parametrize("token", ["two words", "schlüssel", "a\rb"])
def test_a_token_that_no_header_can_carry_is_refused_without_showing_it(token, tmp_path) -> None:
    with pytest.raises(ModelError) as error:
        find_bearer_token(ProviderSettings(**CUSTOM, env_key="KEY"), {"KEY": token}, str(tmp_path))

    assert "environment variable KEY" in str(error.value)
    assert token not in str(error.value)
