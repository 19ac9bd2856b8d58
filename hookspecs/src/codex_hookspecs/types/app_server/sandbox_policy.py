"""Sandbox policies as clients send and see them (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from attrs import field

from codex_hookspecs.types.json import AbsolutePathBuf
from codex_hookspecs.values import frozen

NetworkAccess = Literal["restricted", "enabled"]
"""Whether a sandbox of the client has network access."""


@frozen(kw_only=True)
class RestrictedReadOnlyAccess:
    """Some paths may be read."""

    TYPE: ClassVar[str] = "restricted"
    include_platform_defaults: bool = True
    readable_roots: tuple[AbsolutePathBuf, ...] = ()


@frozen
class FullAccessReadOnlyAccess:
    """Everything may be read."""

    TYPE: ClassVar[str] = "fullAccess"


ReadOnlyAccess: TypeAlias = RestrictedReadOnlyAccess | FullAccessReadOnlyAccess
"""What a sandbox may read."""


@frozen
class DangerFullAccessSandboxPolicy:
    """No sandbox."""

    TYPE: ClassVar[str] = "dangerFullAccess"


@frozen(kw_only=True)
class ReadOnlySandboxPolicy:
    """Nothing may be written."""

    TYPE: ClassVar[str] = "readOnly"
    access: ReadOnlyAccess = field(factory=FullAccessReadOnlyAccess)
    network_access: bool = False


@frozen
class ExternalSandboxSandboxPolicy:
    """The client runs the program in a sandbox of its own."""

    TYPE: ClassVar[str] = "externalSandbox"
    network_access: NetworkAccess = "restricted"


@frozen(kw_only=True)
class WorkspaceWriteSandboxPolicy:
    """The workspace may be written."""

    TYPE: ClassVar[str] = "workspaceWrite"
    exclude_slash_tmp: bool = False
    exclude_tmpdir_env_var: bool = False
    network_access: bool = False
    read_only_access: ReadOnlyAccess = field(factory=FullAccessReadOnlyAccess)
    writable_roots: tuple[AbsolutePathBuf, ...] = ()


SandboxPolicy: TypeAlias = (
    DangerFullAccessSandboxPolicy | ReadOnlySandboxPolicy | ExternalSandboxSandboxPolicy | WorkspaceWriteSandboxPolicy
)
"""A sandbox policy."""
