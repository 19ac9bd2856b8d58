"""Reading and writing the configuration (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeAlias

from attrs import field

from codex_hookspecs.types.app_server.config_values import WebSearchMode
from codex_hookspecs.types.json import AbsolutePathBuf, ConfigObject, Size, Unsigned16
from codex_hookspecs.types.sandbox import SandboxMode
from codex_hookspecs.types.threads import ApprovalPolicy
from codex_hookspecs.values import frozen


@frozen(kw_only=True)
class ConfigReadParams:
    """Parameters of ``config/read``.

    :param include_layers: whether the layers are listed too.
    """

    cwd: str | None = None
    include_layers: bool = False


MergeStrategy = Literal["replace", "upsert"]
"""Whether a table is replaced or merged into the one that is there."""


@frozen(kw_only=True)
class ConfigValueWriteParams:
    """Parameters of ``config/value/write``.

    :param expected_version: version of the file that the change is meant for; another one is an error.
    :param file_path: absolute path of the file; ``None`` for that of the user.
    :param key_path: dotted key.
    :param merge_strategy: what happens to a table that is there.
    :param value: ``None`` removes the key.
    """

    key_path: str
    merge_strategy: MergeStrategy
    value: Any
    expected_version: str | None = None
    file_path: str | None = None


@frozen(kw_only=True)
class ConfigEdit:
    """One change of the configuration.

    :param key_path: dotted key.
    :param merge_strategy: what happens to a table that is there.
    :param value: ``None`` removes the key.
    """

    key_path: str
    merge_strategy: MergeStrategy
    value: Any


@frozen(kw_only=True)
class ConfigBatchWriteParams:
    """Parameters of ``config/batchWrite``.

    :param expected_version: version of the file that the change is meant for; another one is an error.
    :param file_path: absolute path of the file; ``None`` for that of the user.
    :param reload_user_config: whether loaded threads use the new values.
    """

    edits: list[ConfigEdit]
    expected_version: str | None = None
    file_path: str | None = None
    reload_user_config: bool = False


@frozen(kw_only=True)
class MdmConfigLayerSource:
    """Device management of macOS."""

    TYPE: ClassVar[str] = "mdm"
    domain: str
    key: str


@frozen
class SystemConfigLayerSource:
    """The file of the machine."""

    TYPE: ClassVar[str] = "system"
    file: AbsolutePathBuf


@frozen
class UserConfigLayerSource:
    """The file of the user."""

    TYPE: ClassVar[str] = "user"
    file: AbsolutePathBuf


@frozen
class ProjectConfigLayerSource:
    """The folder ``.codex`` of a project."""

    TYPE: ClassVar[str] = "project"
    dot_codex_folder: AbsolutePathBuf


@frozen
class SessionFlagsConfigLayerSource:
    """Overrides of the command line or the client."""

    TYPE: ClassVar[str] = "sessionFlags"


@frozen
class LegacyManagedConfigTomlFromFileConfigLayerSource:
    """An older file of administrators."""

    TYPE: ClassVar[str] = "legacyManagedConfigTomlFromFile"
    file: AbsolutePathBuf


@frozen
class LegacyManagedConfigTomlFromMdmConfigLayerSource:
    """An older file of administrators, from device management."""

    TYPE: ClassVar[str] = "legacyManagedConfigTomlFromMdm"


ConfigLayerSource: TypeAlias = (
    MdmConfigLayerSource
    | SystemConfigLayerSource
    | UserConfigLayerSource
    | ProjectConfigLayerSource
    | SessionFlagsConfigLayerSource
    | LegacyManagedConfigTomlFromFileConfigLayerSource
    | LegacyManagedConfigTomlFromMdmConfigLayerSource
)
"""Where a layer comes from."""


@frozen(kw_only=True)
class ConfigLayer:
    """One layer of the configuration.

    :param version: digest of the contents, ``sha256:…``.
    """

    config: Any
    name: ConfigLayerSource
    version: str
    disabled_reason: str | None = None


@frozen(kw_only=True)
class ConfigLayerMetadata:
    """A layer and its version."""

    name: ConfigLayerSource
    version: str


@frozen(kw_only=True)
class ConfigReadResponse:
    """Result of ``config/read``.

    :param layers: highest priority first; ``None`` unless requested.
    :param origins: the layer that each dotted key comes from.
    """

    config: ConfigObject
    origins: dict[str, ConfigLayerMetadata]
    layers: tuple[ConfigLayer, ...] | None = None


@frozen(kw_only=True)
class OverriddenMetadata:
    """The layer that wins over a written value."""

    effective_value: Any
    message: str
    overriding_layer: ConfigLayerMetadata


WriteStatus = Literal["ok", "okOverridden"]
"""Whether a written value is in effect."""


@frozen(kw_only=True)
class ConfigWriteResponse:
    """Result of ``config/value/write``.

    :param file_path: absolute path of the file that was changed.
    :param version: digest of the file's new contents.
    """

    file_path: AbsolutePathBuf
    status: WriteStatus
    version: str
    overridden_metadata: OverriddenMetadata | None = None


NetworkDomainPermission = Literal["allow", "deny"]
"""Whether a domain may be reached."""

NetworkUnixSocketPermission = Literal["allow", "none"]
"""Whether a Unix socket may be reached."""


@frozen(kw_only=True)
class NetworkRequirements:
    """What administrators allow on the network."""

    allow_local_binding: bool | None = None
    allow_unix_sockets: tuple[str, ...] | None = None
    allow_upstream_proxy: bool | None = None
    allowed_domains: tuple[str, ...] | None = None
    dangerously_allow_all_unix_sockets: bool | None = None
    dangerously_allow_non_loopback_proxy: bool | None = None
    denied_domains: tuple[str, ...] | None = None
    domains: dict[str, NetworkDomainPermission] | None = None
    enabled: bool | None = None
    http_port: Unsigned16 | None = None
    managed_allowed_domains_only: bool | None = None
    socks_port: Unsigned16 | None = None
    unix_sockets: dict[str, NetworkUnixSocketPermission] | None = None


ResidencyRequirement = Literal["us"]
"""Where data must stay."""


@frozen(kw_only=True)
class ConfigRequirements:
    """What administrators allow."""

    allowed_approval_policies: tuple[ApprovalPolicy, ...] | None = None
    allowed_sandbox_modes: tuple[SandboxMode, ...] | None = None
    allowed_web_search_modes: tuple[WebSearchMode, ...] | None = None
    enforce_residency: ResidencyRequirement | None = None
    feature_requirements: dict[str, bool] | None = None
    network: NetworkRequirements | None = field(default=None, metadata={"experimental": True})


@frozen
class ConfigRequirementsReadResponse:
    """Result of ``configRequirements/read``."""

    requirements: ConfigRequirements | None = None


@frozen(kw_only=True)
class TextPosition:
    """A position in a file."""

    column: Size
    line: Size


@frozen(kw_only=True)
class TextRange:
    """A range of a file."""

    end: TextPosition
    start: TextPosition
