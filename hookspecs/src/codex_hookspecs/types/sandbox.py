"""What a command may touch, as the configuration and the protocol name it (0.118 ``SandboxPolicy``)."""

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
    """One policy of the four kinds.

    :param kind: wire tag.
    :param network_access: commands may use the network.
    :param writable_roots: absolute directories writable beside the cwd (``workspaceWrite`` only).
    :param exclude_slash_tmp: ``/tmp`` is not writable (``workspaceWrite`` only).
    :param exclude_tmpdir_env_var: ``$TMPDIR`` is not writable (``workspaceWrite`` only).
    :param readable_roots: all that can be read beside what can be written; ``None`` when everything can be read.
    :param platform_defaults: what programs of the platform need can be read too, if not everything can.
    """

    kind: PolicyKind = field(metadata={"wire": "type"})
    network_access: bool = False
    writable_roots: tuple[str, ...] = field(default=(), kw_only=True)
    exclude_slash_tmp: bool = field(default=False, kw_only=True)
    exclude_tmpdir_env_var: bool = field(default=False, kw_only=True)
    readable_roots: tuple[str, ...] | None = field(default=None, kw_only=True)
    platform_defaults: bool = field(default=True, kw_only=True)

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
        """Whether the policy puts no limit on file access."""
        return self.kind in ("dangerFullAccess", "externalSandbox")

    @property
    def needs_sandbox(self) -> bool:
        """Whether a sandbox launcher is needed."""
        return not self.unrestricted or (self.kind == "externalSandbox" and not self.network_access)


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
    :param cwd: absolute working directory.
    :param env: the complete environment.
    :param policy: the policy in the form of four kinds.
    :param permissions: the policy in the split form, where the legacy one does not say it all.
    :param policy_cwd: absolute workspace of the policy, when it is not the working directory.
    :param project_roots: absolute directories of the project, when it is not the workspace alone.
    :param tty: it gets a terminal of its own.
    :param managed_network: the network can be used through the proxies that the environment names, and not else.
    :param macos: what it may use of macOS beside files and network.
    :param devices: paths and patterns below ``/dev`` that it may use beside the harmless devices, on Linux.
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
    """How to run a command so that its policy holds; whoever gets it closes it when the program is over.

    As a context manager it does so at the end of the block; :meth:`started` is called inside, once the program runs.
    A program that outlives the block is closed with :meth:`close` instead.

    :param argv: program and arguments to execute instead.
    :param env: the complete environment of the program.
    :param arg0: what the program sees as its name, or ``None`` for ``argv[0]``.
    :param sandbox_type: name that clients are shown, e.g. ``linuxSeccomp``.
    :param descriptors: open descriptors that the program inherits under the same numbers.
    :param prepare: called in the child between fork and exec, when the sandbox is the process's own doing; must not
        wait, lock or import.
    :param on_started: called once, when the program was started or could not be; lets go of the descriptors.
    :param on_ended: called once, when the program is over or was never started; clears up what it needed.
    :param interrupt: interrupts the command inside, while the program runs; tells whether it could. Without it the
        program's process group is interrupted.
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
        """Let go of what the program has inherited; to be called as soon as it was started."""
        self._call_down_to(1)

    def close(self) -> None:
        """Clear up after the program, which is over or was never started; may be called twice."""
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
