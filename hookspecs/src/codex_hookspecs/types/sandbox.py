"""What a command may touch, as the configuration and the protocol name it (0.118 ``SandboxPolicy``)."""

from __future__ import annotations

from typing import Literal

from attrs import field

from codex_hookspecs.values import frozen

SandboxMode = Literal["read-only", "workspace-write", "danger-full-access"]
PolicyKind = Literal["dangerFullAccess", "readOnly", "workspaceWrite", "externalSandbox"]


@frozen
class SandboxPolicy:
    """One policy of the four kinds.

    :param kind: wire tag.
    :param network_access: commands may use the network.
    :param writable_roots: absolute directories writable beside the cwd (``workspaceWrite`` only).
    :param exclude_slash_tmp: ``/tmp`` is not writable (``workspaceWrite`` only).
    :param exclude_tmpdir_env_var: ``$TMPDIR`` is not writable (``workspaceWrite`` only).
    """

    kind: PolicyKind = field(metadata={"wire": "type"})
    network_access: bool = False
    writable_roots: tuple[str, ...] = field(default=(), kw_only=True)
    exclude_slash_tmp: bool = field(default=False, kw_only=True)
    exclude_tmpdir_env_var: bool = field(default=False, kw_only=True)

    @classmethod
    def of_mode(cls, mode: SandboxMode) -> SandboxPolicy:
        """Return the plain policy of a mode word."""
        return cls(_KIND_OF_MODE[mode])

    @property
    def mode(self) -> str:
        """The mode word that people configure: ``read-only``, ``workspace-write``, ``danger-full-access``."""
        return _MODE_OF_KIND[self.kind]

    @property
    def unrestricted(self) -> bool:
        """Whether commands need no launcher because nothing has to be held back by us."""
        return self.kind in ("dangerFullAccess", "externalSandbox")


_KIND_OF_MODE: dict[str, PolicyKind] = {
    "read-only": "readOnly",
    "workspace-write": "workspaceWrite",
    "danger-full-access": "dangerFullAccess",
}
_MODE_OF_KIND: dict[str, str] = {"externalSandbox": "external-sandbox"}
_MODE_OF_KIND.update((kind, mode) for mode, kind in _KIND_OF_MODE.items())


@frozen(kw_only=True)
class LaunchRequest:
    """A command that is to run under a policy.

    :param argv: program and arguments as the command would run without a sandbox.
    :param cwd: absolute working directory, which is the workspace of the policy.
    :param env: the complete environment.
    """

    argv: tuple[str, ...]
    cwd: str
    env: dict[str, str]
    policy: SandboxPolicy


@frozen(kw_only=True)
class Launch:
    """How to run a command so that its policy holds.

    :param argv: program and arguments to execute instead.
    :param arg0: what the program sees as its name, or ``None`` for ``argv[0]``.
    :param sandbox_type: name that clients are shown, e.g. ``linuxSeccomp``.
    """

    argv: tuple[str, ...]
    env: dict[str, str]
    arg0: str | None = None
    sandbox_type: str = "none"
