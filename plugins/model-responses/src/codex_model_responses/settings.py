"""Read ``[model_providers.<name>]`` and the built-in providers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from codex_hookspecs import frozen
from codex_hookspecs.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from codex_hookspecs.host import Config
    from codex_model_responses.token_command import AuthCommand

OPENAI: Final = "openai"
OPENAI_URL: Final = "https://api.openai.com/v1"
MAX_RETRIES: Final = 100
_LOCAL_PORTS: Final = {"oss": 11434, "ollama": 11434, "lmstudio": 1234}
_OPENAI_ENV_HEADERS: Final = {"openai-organization": "OPENAI_ORGANIZATION", "openai-project": "OPENAI_PROJECT"}
_KNOWN_KEYS: Final = frozenset((
    "base_url", "wire_api", "env_key", "env_key_instructions", "experimental_bearer_token", "query_params",
    "http_headers", "env_http_headers", "request_max_retries", "stream_max_retries", "stream_idle_timeout_ms",
    "requires_openai_auth", "supports_websockets", "auth",
))  # fmt: skip
_HEADER_NAME: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PRIVATE_NAME: Final = r"auth|cookie|key|passw|secret|signature|token"
_CONNECTION_HEADERS: Final = frozenset((
    "connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
))  # fmt: skip
"""Headers that describe the transfer of a request; only the transport may set them."""
_CONTROL: Final = r"[\x00-\x08\x0a-\x1f\x7f]"


@frozen(kw_only=True)
class ProviderSettings:
    """The validated settings of a provider; its ``repr`` contains no secrets.

    :param name: key of the provider.
    :param base_url: URL without trailing slash.
    :param first_party: whether it is the built-in provider ``openai``.
    :param openai_auth: whether the user's OpenAI key may be sent to it.
    :param auth: command that prints tokens.
    :param headers: extra headers, environment variables already resolved.
    :param query: query parameters of the URL.
    :param variable_values: values of headers that came from environment variables.
    :param idle_seconds: idle timeout of a stream.
    """

    name: str
    base_url: str
    first_party: bool = False
    openai_auth: bool = False
    env_key: str | None = None
    env_key_instructions: str | None = None
    bearer_token: str | None = None
    auth: AuthCommand | None = None
    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    variable_values: tuple[str, ...] = ()
    request_max_retries: int = 4
    stream_max_retries: int = 5
    idle_seconds: float = 300.0

    @property
    def local(self) -> bool:
        """Whether it is a built-in provider for a server on the user's machine."""
        return self.name in _LOCAL_PORTS

    @property
    def secrets(self) -> list[str]:
        """Values of headers and query parameters that must not be shown or logged."""
        named = [value for name, value in (*self.headers, *self.query) if re.search(_PRIVATE_NAME, name.lower())]
        # A server that was sent ``Bearer abc`` may repeat the second word alone.
        return [
            *self.variable_values,
            *(word for value in (*named, *self.variable_values) for word in value.split()),
        ]

    def __repr__(self) -> str:
        return f"ProviderSettings(name={self.name!r}, base_url={self.base_url!r})"


def read_settings(
    name: str, table: Mapping[str, Any], *, config: Config, environ: Mapping[str, str]
) -> ProviderSettings | None:
    """Read the settings of a provider.

    :param name: key of the provider.
    :param table: its table, empty when there is none.
    :param config: configuration with the keys of the built-in providers and the origin of each key.
    :return: the settings, ``None`` when the table does not describe a Responses API server.
    :raises ConfigError: for an invalid value; names the key, the value and what is allowed.
    """
    if name == OPENAI or name in _LOCAL_PORTS:
        if table and name != "oss":
            raise ConfigError(
                f"model_providers.{name} is built in and can't be replaced; give the table another name, e.g. "
                f"{name}-custom, and choose it with model_provider"
                + (", or set openai_base_url" if name == OPENAI else ""),
                source=config.origin(f"model_providers.{name}"),
            )
        if not table:
            return _built_in(name, config, environ)
    if not _KNOWN_KEYS.intersection(table):
        return None
    return _custom(name, _Table(name, table, config), environ)


def _built_in(name: str, config: Config, environ: Mapping[str, str]) -> ProviderSettings:
    if name == OPENAI:
        given = config.get("openai_base_url")
        url = given or environ.get("OPENAI_BASE_URL") or OPENAI_URL
        key = "openai_base_url" if given else "OPENAI_BASE_URL"
        return ProviderSettings(
            name=name,
            base_url=_base_url(url, key, config.origin("openai_base_url") if given else "environment"),
            first_party=True,
            openai_auth=True,
            headers=_from_environment(_OPENAI_ENV_HEADERS, environ),
        )
    port = environ.get("CODEX_OSS_PORT", "").strip() or _LOCAL_PORTS[name]
    url = environ.get("CODEX_OSS_BASE_URL", "").strip() or f"http://localhost:{port}/v1"
    return ProviderSettings(name=name, base_url=_base_url(url, "CODEX_OSS_BASE_URL or CODEX_OSS_PORT", "environment"))


def _custom(name: str, table: _Table, environ: Mapping[str, str]) -> ProviderSettings:
    wire = table.text("wire_api") or "responses"
    if wire == "chat":
        raise table.invalid_value("wire_api", '"responses"; the chat completions API is no longer supported')
    if wire != "responses":
        raise table.invalid_value("wire_api", '"responses"')
    url = table.text("base_url")
    fixed = table.headers("http_headers", table.texts("http_headers"))
    from_environment = table.headers("env_http_headers", table.texts("env_http_headers"), environ)
    return ProviderSettings(
        name=name,
        base_url=OPENAI_URL if url is None else _base_url(url, table.key("base_url"), table.origin("base_url")),
        openai_auth=table.flag("requires_openai_auth"),
        env_key=table.text("env_key"),
        env_key_instructions=table.text("env_key_instructions"),
        bearer_token=table.text("experimental_bearer_token"),
        auth=table.auth(),
        headers=(*fixed, *from_environment),
        variable_values=tuple(value for _, value in from_environment),
        query=tuple(table.texts("query_params").items()),
        request_max_retries=min(table.count("request_max_retries", 4), MAX_RETRIES),
        stream_max_retries=min(table.count("stream_max_retries", 5), MAX_RETRIES),
        idle_seconds=table.count("stream_idle_timeout_ms", 300_000, least=1) / 1000,
    )


def _from_environment(names: Mapping[str, str], environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    found = ((header.lower(), environ.get(variable, "").strip()) for header, variable in names.items())
    return tuple((header, value) for header, value in found if value and not re.search(_CONTROL, value))


def _base_url(url: Any, key: str, source: str | None) -> str:
    allowed = "an address like https://host:port/v1"
    if not isinstance(url, str):
        raise ConfigError(f"{key} is {_to_json(url)}, allowed is {allowed}", source=source)
    try:
        parts = urlsplit(url.strip())
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or re.search(_CONTROL, url) or " " in url.strip():
        raise ConfigError(f"{key} is {_to_json(url)}, allowed is {allowed}", source=source)
    if "@" in parts.netloc:
        raise ConfigError(
            f"{key} holds a user name or password; put it in env_key or http_headers instead", source=source
        )
    if parts.query or parts.fragment:
        raise ConfigError(f"{key} is {_to_json(url)}, put what follows the path in query_params", source=source)
    return url.strip().rstrip("/")


class _Table:
    """Typed access to the table of one provider; invalid values raise :class:`ConfigError`."""

    def __init__(self, name: str, table: Mapping[str, Any], config: Config, *, prefix: str = "") -> None:
        bare = re.fullmatch(r"[\w-]+", name, re.ASCII)
        self._name = name
        self._prefix = prefix or f"model_providers.{name if bare else _to_json(name)}"
        self._table = table
        self._config = config

    def key(self, key: str) -> str:
        return f"{self._prefix}.{key}"

    def origin(self, key: str) -> str | None:
        return self._config.origin(self.key(key)) or self._config.origin(self._prefix)

    def invalid_value(self, key: str, allowed: str, *, shown: str | None = None) -> ConfigError:
        found = _to_json(self._table[key]) if shown is None else shown
        return ConfigError(f"{self.key(key)} is {found}, allowed is {allowed}", source=self.origin(key))

    def text(self, key: str) -> str | None:
        value: str | None = self._validate(key, lambda found: isinstance(found, str) and found, "a text", secret=True)
        return value

    def flag(self, key: str) -> bool:
        return bool(self._validate(key, lambda found: isinstance(found, bool), "true or false"))

    def count(self, key: str, default: int, *, least: int = 0) -> int:
        value = self._validate(key, lambda found: type(found) is int and found >= least, f"a whole number from {least}")
        return default if value is None else value

    def texts(self, key: str) -> Mapping[str, str]:
        def texts(found: Any) -> bool:
            return isinstance(found, Mapping) and all(isinstance(value, str) for value in found.values())

        value = self._validate(key, texts, "a table of texts", secret=True)
        return value or {}

    def headers(
        self, key: str, table: Mapping[str, str], environ: Mapping[str, str] | None = None
    ) -> tuple[tuple[str, str], ...]:
        """Validate a table of headers.

        :param environ: variables that the values of the table name, or ``None`` when the table holds the values
            themselves; a variable that is not set gives no header.
        """
        found: dict[str, str] = {}
        for name, given in table.items():
            value = (given if environ is None else environ.get(given, "")).strip()
            if not re.fullmatch(_HEADER_NAME, name) or re.search(_CONTROL, value) or not _is_latin(value):
                allowed = "a table of header names and one-line values in Latin letters"
                raise self.invalid_value(key, allowed, shown=f"invalid at {_to_json(name)}")
            lower = name.lower()
            if lower in _CONNECTION_HEADERS:
                raise ConfigError(
                    f"{self.key(key)} has {_to_json(name)}, which describes the transfer and is set by the program; "
                    "remove it",
                    source=self.origin(key),
                )
            if lower in found:
                raise ConfigError(f"{self.key(key)} has {_to_json(name)} twice; remove one", source=self.origin(key))
            if value or environ is None:
                found[lower] = value
        return tuple(found.items())

    def auth(self) -> AuthCommand | None:
        found = self._validate("auth", lambda value: isinstance(value, Mapping), "a table", secret=True)
        if found is None:
            return None
        for key in ("env_key", "experimental_bearer_token", "requires_openai_auth"):
            if self._table.get(key):
                raise ConfigError(
                    f"{self.key('auth')} can't be combined with {key}; remove one", source=self.origin("auth")
                )
        from codex_model_responses.token_command import KEYS, AuthCommand  # few providers use a command

        inner = _Table(self._name, found, self._config, prefix=self.key("auth"))
        for key in found:
            if key not in KEYS:
                raise ConfigError(
                    f"{inner.key(key)} is unknown, allowed are {', '.join(KEYS)}", source=self.origin("auth")
                )
        command = inner.text("command")
        if command is None:
            raise ConfigError(
                f"{self.key('auth')} has no command; it names the program that prints a token",
                source=self.origin("auth"),
            )
        args = inner._validate(
            "args",
            lambda value: isinstance(value, list) and all(isinstance(part, str) for part in value),
            "a list of texts",
            secret=True,
        )
        return AuthCommand(
            command=command,
            args=tuple(args or ()),
            cwd=inner.text("cwd"),
            seconds=inner.count("timeout_ms", 5_000, least=1) / 1000,
            lifetime=inner.count("refresh_interval_ms", 300_000) / 1000,
        )

    def _validate(self, key: str, fits: Callable[[Any], Any], allowed: str, *, secret: bool = False) -> Any:
        value = self._table.get(key)
        if value is None or fits(value):
            return value
        raise self.invalid_value(key, allowed, shown=_describe_kind(value) if secret else None)


def _is_latin(text: str) -> bool:
    return all(ord(letter) < 256 for letter in text)


def _to_json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, default=str)[:100]


def _describe_kind(value: Any) -> str:
    if value == "":
        return "empty"
    return {"dict": "a table with other values", "list": "a list", "bool": "true or false", "str": "a text"}.get(
        type(value).__name__, "a number"
    )
