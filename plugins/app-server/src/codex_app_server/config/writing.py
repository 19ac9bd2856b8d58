"""Methods that change the user's configuration."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import TYPE_CHECKING, Final

from codex_app_server.config.reading import metadata_of
from codex_hookspecs.errors import ConfigConflict, ConfigError, RpcError
from codex_hookspecs.jsonrpc import INTERNAL_ERROR
from codex_hookspecs.protocol import ConfigEdit, ConfigWarning, ConfigWriteResponse, OverriddenMetadata

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_hookspecs.host import ConfigLayer
    from codex_hookspecs.protocol import ConfigBatchWriteParams, ConfigValueWriteParams
    from codex_hookspecs.surface import RpcContext

_LAYERS: Final = {"sessionFlags": "session flags", "profile": "the profile", "project": "the project"}


async def write_value(params: ConfigValueWriteParams, context: RpcContext) -> ConfigWriteResponse:
    """Change one key of the user's file; the client is told of a key that is probably misspelt."""
    edit = ConfigEdit(key_path=params.key_path, value=params.value, merge_strategy=params.merge_strategy)
    return await _write([edit], params.file_path, params.expected_version, context)


async def write_batch(params: ConfigBatchWriteParams, context: RpcContext) -> ConfigWriteResponse:
    """Change several keys of the user's file, all or none; the file is read again with every write."""
    return await _write(params.edits, params.file_path, params.expected_version, context)


async def _write(
    edits: Sequence[ConfigEdit], file_path: str | None, expected_version: str | None, context: RpcContext
) -> ConfigWriteResponse:
    host = context.host
    if not all(edit.key_path.strip() for edit in edits):
        raise _refusal("keyPath must not be empty", "configValidationError")
    file = f"{host.codex_home}/config.toml"
    if file_path is not None and not _same(file_path, file):
        raise _refusal("Only writes to the user config are allowed", "configLayerReadonly")
    known = set(host.config.warnings())
    try:
        change = await asyncio.to_thread(host.config.edit_user, edits, expected_version=expected_version)
    except ConfigConflict as error:
        message = "Configuration was modified since last read. Fetch latest version and retry."
        raise _refusal(message, "configVersionConflict") from error
    except ConfigError as error:
        if isinstance(error.__cause__, OSError):
            raise RpcError(str(error), code=INTERNAL_ERROR) from error
        raise _refusal(f"Invalid configuration: {error}", "configValidationError") from error
    overridden = None
    if change.overridden_by is not None:
        overridden = OverriddenMetadata(
            message=f"Overridden by {_name(change.overridden_by)}",
            overriding_layer=metadata_of(change.overridden_by, host.codex_home),
            effective_value=change.effective_value,
        )
    for text in host.config.warnings():
        if text not in known:
            context.after_response(partial(context.notify, ConfigWarning(summary=text)))
    return ConfigWriteResponse(
        status="ok" if overridden is None else "okOverridden",
        version=change.version,
        file_path=file,
        overridden_metadata=overridden,
    )


def _same(path: str, file: str) -> bool:
    if not os.path.isabs(path) or "\0" in path:
        return False
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path)) == file


def _name(layer: ConfigLayer) -> str:
    return _LAYERS.get(layer.kind, layer.kind)


def _refusal(message: str, code: str) -> RpcError:
    return RpcError(message, data={"config_write_error_code": code})
