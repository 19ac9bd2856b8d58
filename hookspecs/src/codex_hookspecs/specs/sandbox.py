"""Sandbox launchers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.markers import choose

if TYPE_CHECKING:
    from codex_hookspecs.ports.host import Host
    from codex_hookspecs.ports.sandbox import SandboxLauncher
    from codex_hookspecs.types.sandbox import SandboxPolicy


@choose(requires=("launch",))
def sandbox_launcher(policy: SandboxPolicy, platform: str, host: Host) -> SandboxLauncher | None:
    """Choose the launcher for a sandbox policy; not called for policies without restrictions.

    :param policy: the policy to enforce.
    :param platform: ``linux``, ``macos`` or ``windows``.
    :param host: the running program.
    :return: a launcher that can enforce the whole policy, or ``None``.

    The first answer is used. Without an answer, or if the launcher fails, the command is not run.

    Example::

        from codex_hookspecs import SandboxUnavailable, hookimpl

        class Refusing:
            name = "refusing"

            def launch(self, request):
                raise SandboxUnavailable("refusing: nothing runs here")

        @hookimpl
        def sandbox_launcher(policy, platform):
            return Refusing()
    """
