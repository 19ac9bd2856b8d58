"""Sandbox policies in the form of configuration and protocol (0.118 ``SandboxPolicy``), and launches."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Self

from attrs import field

from codex_hookspecs.types._checking import Checked
from codex_hookspecs.values import frozen

if TYPE_CHECKING:
    from types import TracebackType

    from codex_hookspecs.types.grants import MacosExtensions
    from codex_hookspecs.types.permissions import Permissions

SandboxMode = Literal["read-only", "workspace-write", "danger-full-access"]
PolicyKind = Literal["dangerFullAccess", "readOnly", "workspaceWrite", "externalSandbox"]


@frozen
class SandboxPolicy:
    """A sandbox policy of one of four kinds.

    :param kind: wire tag.
    :param network_access: whether commands may use the network.
    :param writable_roots: absolute directories writable beside the cwd (``workspaceWrite`` only).
    :param exclude_slash_tmp: whether ``/tmp`` is not writable (``workspaceWrite`` only).
    :param exclude_tmpdir_env_var: whether ``$TMPDIR`` is not writable (``workspaceWrite`` only).
    :param readable_roots: readable directories beside the writable ones; ``None`` if everything is readable.
    :param platform_defaults: whether system files that programs need are readable, if not everything is.
    """

    kind: PolicyKind = field(metadata={"wire": "type"})
    network_access: bool = False
    writable_roots: tuple[str, ...] = field(default=(), kw_only=True)
    exclude_slash_tmp: bool = field(default=False, kw_only=True)
    exclude_tmpdir_env_var: bool = field(default=False, kw_only=True)
    readable_roots: tuple[str, ...] | None = field(default=None, kw_only=True)
    platform_defaults: bool = field(default=True, kw_only=True)

    @property
    def mode(self) -> str:
        """The sandbox mode in the configuration: ``read-only``, ``workspace-write``, ``danger-full-access``."""
        return _MODE_OF_KIND[self.kind]

    @property
    def unrestricted(self) -> bool:
        """Whether the policy puts no limit on file access."""
        return self.kind in ("dangerFullAccess", "externalSandbox")

    @property
    def needs_sandbox(self) -> bool:
        """Whether a sandbox launcher is needed."""
        return not self.unrestricted or (self.kind == "externalSandbox" and not self.network_access)


_MODE_OF_KIND: dict[PolicyKind, str] = {
    "readOnly": "read-only",
    "workspaceWrite": "workspace-write",
    "dangerFullAccess": "danger-full-access",
    "externalSandbox": "external-sandbox",
}


@frozen(kw_only=True)
class LaunchRequest:
    """A command that is to run under a policy.

    :param argv: program and arguments of the command without a sandbox.
    :param cwd: absolute working directory.
    :param env: the complete environment variables.
    :param policy: the policy in the form of four kinds.
    :param permissions: the policy in the split form, if the legacy form can't express it.
    :param policy_cwd: absolute workspace of the policy, if it is not the working directory.
    :param project_roots: absolute directories of the project, if it is not just the workspace.
    :param tty: whether it runs on a terminal.
    :param managed_network: whether the network may be used only through the proxies named in the environment variables.
    :param macos: permissions for macOS services.
    :param devices: paths and patterns below ``/dev`` that it may use in addition to the standard devices, on Linux.
    """

    argv: tuple[str, ...]
    cwd: str
    env: dict[str, str]
    policy: SandboxPolicy
    permissions: Permissions | None = None
    policy_cwd: str | None = None
    project_roots: tuple[str, ...] = ()
    tty: bool = False
    managed_network: bool = False
    macos: MacosExtensions | None = None
    devices: tuple[str, ...] = ()


@frozen(kw_only=True)
class Launch(Checked):
    """How to run a command with its policy enforced; the caller closes it when the program has ended.

    As a context manager it is closed at the end of the block; call :meth:`started` inside once the program runs. For a
    program that outlives the block, call :meth:`close` instead.

    :param argv: program and arguments to execute instead.
    :param env: the complete environment variables of the program.
    :param arg0: ``argv[0]`` of the program, if different from the file to execute.
    :param sandbox_type: name of the sandbox for clients, e.g. ``linuxSeccomp``.
    :param descriptors: open descriptors that the program inherits with the same numbers.
    :param prepare: called in the child between fork and exec, if the process restricts itself; must not block, lock or
        import.
    :param on_started: called once, when the program was started or failed to start; closes the descriptors.
    :param on_ended: called once, when the program has ended or failed to start; cleans up.
    :param interrupt: interrupts the sandboxed command while the program runs; returns whether it succeeded. Without it,
        the program's process group is interrupted.
    """

    argv: tuple[str, ...]
    env: dict[str, str]
    arg0: str | None = None
    sandbox_type: str = "none"
    descriptors: tuple[int, ...] = ()
    prepare: Callable[[], None] | None = None
    on_started: Callable[[], None] | None = None
    on_ended: Callable[[], None] | None = None
    interrupt: Callable[[], bool] | None = None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        object.__setattr__(self, "_due", [self.on_ended, self.on_started])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def started(self) -> None:
        """Close the inherited descriptors; must be called as soon as the program was started."""
        self._call_down_to(1)

    def close(self) -> None:
        """Clean up after the program has ended or failed to start; may be called twice."""
        try:
            self.started()
        finally:
            self._call_down_to(0)

    def _call_down_to(self, left: int) -> None:
        due: list[Callable[[], None] | None] = vars(self)["_due"]
        if len(due) > left:
            callback = due.pop()
            if callback is not None:
                callback()
