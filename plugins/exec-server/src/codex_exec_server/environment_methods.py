"""Handle ``environment/*``, ``environmentConfig/read`` and ``capabilities/discoverV2``: facts of this machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from codex_exec_server.connection import Connection, Method
from codex_exec_server.decoding import REQUIRED, invalid_params, nothing, path, sequence, string, struct
from codex_hookspecs.environments import uri_of

if TYPE_CHECKING:
    from codex_exec_server.served_environment import ServedEnvironment

CAPABILITIES = {
    "networkProxyLaunch": False,
    "networkProxyReviewDomains": False,
    "credentialMasking": False,
    "credentialMaskingCustomProviders": False,
    "capabilityDiscoverySandbox": False,
    "fsWatchMissing": True,
    "capabilityDiscoveryV2": True,
    "environmentConfigRead": True,
    "httpHeaderEnvVars": False,
    "sandboxedFileStreaming": True,
    "fileWriteStreaming": True,
    "shellSnapshotV2": False,
    "windowsMxc": False,
    "linuxRootWritePreservesDevices": True,
    "linuxApprovedRootWritePreservesRestrictions": True,
    "processResize": True,
    "processFlow": True,
}
_READY = {"status": "ready"}
_config = struct(
    "EnvironmentConfigReadParams",
    {
        "cwd": (path, REQUIRED),
        "configPaths": (sequence(sequence(string)), REQUIRED),
        "requirementsPaths": (sequence(sequence(string)), REQUIRED),
    },
)
_discover = struct("DiscoverV2CapabilitiesRequest", {"cwd": (path, REQUIRED)}, elements=2)


async def environment_info(server: ServedEnvironment) -> dict[str, Any]:
    """Return the facts of the environment as the protocol describes them; collected once per server."""
    if server.info is None:
        facts = await server.environment.facts()
        server.info = {
            "shell": {"name": os.path.basename(facts.shell), "path": facts.shell},
            "executorVersion": server.version,
            "providerId": server.provider_id,
            "cwd": uri_of(facts.cwd),
            "userHomeDir": uri_of(facts.home),
            "platformOs": facts.os,
            "prependPathDirs": [],
            "temporaryDirectories": [],
            "tempDir": uri_of(facts.temporary_directory),
            "capabilities": CAPABILITIES,
        }
    return server.info


async def info(connection: Connection, _params: None) -> Any:
    """Handle ``environment/info``."""
    return await environment_info(connection.server)


def status(_connection: Connection, _params: None) -> Any:
    """Handle ``environment/status``: always ready."""
    return _READY


async def read_config(connection: Connection, params: dict[str, Any]) -> Any:
    """Handle ``environmentConfig/read``: no configuration is kept here, clients bring their own."""
    if not any(params["configPaths"]) and not any(params["requirementsPaths"]):
        raise invalid_params("at least one config or requirements path is required")
    facts = await connection.server.environment.facts()
    empty = {"layers": [], "cloudInsertionIndex": 0}
    return {
        "userHomeDir": uri_of(facts.home),
        "codexHomeDir": uri_of(connection.server.codex_home),
        "hostname": os.uname().nodename,
        "config": empty,
        "requirements": empty,
    }


def discover(_connection: Connection, _params: dict[str, Any]) -> Any:
    """Handle ``capabilities/discoverV2``: no plugins or skills are kept here."""
    return {"plugins": [], "skills": [], "warnings": []}


METHODS = {
    "environment/info": Method(nothing, info, "environment info", urgent=True),
    "environment/status": Method(nothing, status, "environment status", urgent=True),
    "environmentConfig/read": Method(_config, read_config, "environment config"),
    "capabilities/discoverV2": Method(_discover, discover, "capability discovery"),
}
