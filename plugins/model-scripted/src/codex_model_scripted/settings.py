"""Read ``[model_providers.scripted]`` and the script it names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from codex_hookspecs import frozen
from codex_hookspecs.errors import ConfigError
from codex_responses.script.steps import Script, Step, parse_script

if TYPE_CHECKING:
    from codex_hookspecs.host import Config

VARIABLE: Final = "CODEX_MODEL_SCRIPT"
_TABLE: Final = "model_providers.scripted"
_COUNTS: Final = {"request_max_retries": 4, "stream_max_retries": 5, "stream_idle_timeout_ms": 300_000}
_KEYS: Final = ("name", "script", *_COUNTS)
_MOST: Final = 100
_LONGEST: Final = 16 * 1024 * 1024

INTRODUCTION: Final = (
    "This is the offline model: it plays a script and does not read what you write. "
    f'To give it a script, set script = "<file>" under [{_TABLE}] in config.toml, or the environment variable '
    f'{VARIABLE}. To talk to a real model, set OPENAI_API_KEY and choose model_provider = "openai", or describe '
    "your server under [model_providers.<name>]."
)
"""The model's answer to every request when there is no script."""


@frozen(kw_only=True)
class ScriptedSettings:
    """Settings of the offline model.

    :param silence: idle timeout in seconds; a scripted silence lasts that long, then the stream fails.
    """

    script: Script
    request_max_retries: int
    stream_max_retries: int
    silence: float


def read_settings(table: Mapping[str, Any], *, config: Config, environ: Mapping[str, str]) -> ScriptedSettings:
    """Read the table and the script.

    A relative path in a configuration file is relative to that file's directory, any other to the working directory.

    :raises ConfigError: when the table has an unknown key or invalid value, or the script is missing or invalid.
    """
    for key in table:
        if key not in _KEYS:
            raise ConfigError(
                f"{_TABLE}.{key} is unknown, allowed are {', '.join(_KEYS)}", source=config.origin(f"{_TABLE}.{key}")
            )
    counts = {key: _count(key, table.get(key, default), config) for key, default in _COUNTS.items()}
    return ScriptedSettings(
        script=_script(table.get("script"), config, environ),
        request_max_retries=min(counts["request_max_retries"], _MOST),
        stream_max_retries=min(counts["stream_max_retries"], _MOST),
        silence=counts["stream_idle_timeout_ms"] / 1000,
    )


def _count(key: str, value: Any, config: Config) -> int:
    if type(value) is int and value >= 0:
        return value
    found = f"{value!r}" if isinstance(value, (str, int, float)) else "something else"
    raise ConfigError(
        f"{_TABLE}.{key} is {found}, allowed is a whole number from 0", source=config.origin(f"{_TABLE}.{key}")
    )


def _script(value: Any, config: Config, environ: Mapping[str, str]) -> Script:
    key, origin = f"{_TABLE}.script", config.origin(f"{_TABLE}.script")
    directory = None
    if value is None:
        value, key, origin = environ.get(VARIABLE) or None, VARIABLE, "environment"
    elif origin and os.path.isabs(origin):
        directory = Path(origin).parent
    if value is None:
        return Script((), after=(Step("say", INTRODUCTION),))
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{key} is {value!r}, allowed is the path of a script", source=origin)
    return _read(value, directory, key, origin)


def _read(value: str, directory: Path | None, key: str, origin: str | None) -> Script:
    path = Path(value)
    try:
        path = path.expanduser() if directory is None else directory / path.expanduser()
        with path.open("rb") as file:
            text = file.read(_LONGEST + 1)
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(
            f"{key} names {path}, which can't be read: {reason}; correct the path or remove the setting", source=origin
        ) from error
    if len(text) > _LONGEST:
        raise ConfigError(f"{key} names {path}, which is longer than {_LONGEST >> 20} MiB", source=origin)
    try:
        return parse_script(text)
    except ConfigError as error:
        raise ConfigError(error.message, source=str(path)) from error
