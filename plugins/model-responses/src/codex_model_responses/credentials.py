"""Find the bearer token for the requests of a provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from codex_hookspecs.errors import ConfigError, ModelError
from codex_hookspecs.files import read_bytes
from codex_hookspecs.json_text import TooDeep, parse_json
from codex_model_responses.settings import OPENAI_URL

if TYPE_CHECKING:
    from codex_model_responses.settings import ProviderSettings

_VARIABLE: Final = "CODEX_API_KEY"
_KEYLESS_HOST: Final = urlsplit(OPENAI_URL).hostname


def find_bearer_token(settings: ProviderSettings, environ: Mapping[str, str], codex_home: str) -> str | None:
    """Find the bearer token for a provider.

    The variable that ``env_key`` names comes first, then ``experimental_bearer_token``, then ``CODEX_API_KEY``; a
    provider that accepts the OpenAI login falls back to ``OPENAI_API_KEY`` and the key in ``auth.json``.

    :return: ``None`` when there is none and the provider does not require one.
    :raises ModelError: when a required token is missing, or the token is not valid in a header.
    """
    if settings.env_key:
        value = environ.get(settings.env_key, "").strip()
        if not value:
            hint = f" {settings.env_key_instructions}" if settings.env_key_instructions else ""
            raise ModelError(f"Missing environment variable: `{settings.env_key}`.{hint}")
        return _check_token(value, f"environment variable {settings.env_key}")
    if settings.bearer_token:
        return _check_token(settings.bearer_token, f"model_providers.{settings.name}.experimental_bearer_token")
    variables = (_VARIABLE, "OPENAI_API_KEY") if settings.openai_auth else (_VARIABLE,)
    for variable in variables:
        value = environ.get(variable, "").strip()
        if value:
            return _check_token(value, f"environment variable {variable}")
    if not settings.openai_auth:
        return None
    path = f"{codex_home}/auth.json"
    stored = _read_stored_key(path)
    if stored:
        return _check_token(stored, f"OPENAI_API_KEY in {path}")
    if urlsplit(settings.base_url).hostname != _KEYLESS_HOST:
        return None
    raise ModelError(
        f"No API key for the model provider {settings.name!r}: CODEX_API_KEY and OPENAI_API_KEY are not set and "
        f"{path} holds none. Set CODEX_API_KEY, or choose another provider with model_provider and "
        "[model_providers.<name>] in config.toml, or try the offline model with -c model_provider=scripted.",
        info="unauthorized",
    )


def _read_stored_key(path: str) -> str | None:
    """Read the API key of ``auth.json`` (format of Codex 0.118)."""
    try:
        data = read_bytes(path)
        found: Any = None if data is None else parse_json(data)
    except ConfigError as error:
        raise ModelError(f"The credentials can't be read: {error}.", info="unauthorized") from error
    except ValueError as error:
        reason = str(error) if isinstance(error, TooDeep) else "it is not JSON"
        raise ModelError(f"The credentials in {path} can't be read: {reason}.", info="unauthorized") from error
    key = found.get("OPENAI_API_KEY") if isinstance(found, dict) else None
    return key.strip() or None if isinstance(key, str) else None


def _check_token(token: str, source: str) -> str:
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise ModelError(
            f"The API key from {source} can't be sent: it holds blanks or characters outside ASCII.",
            info="unauthorized",
        )
    return token
