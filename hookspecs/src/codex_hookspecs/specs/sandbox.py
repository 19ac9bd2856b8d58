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
    """Choose who holds a policy; not asked for policies that hold nothing back.

    :param policy: what commands may touch.
    :param platform: ``linux``, ``macos`` or ``windows``.
    :param host: the running program.
    :return: a launcher that can hold the whole policy, or ``None`` when this plugin has none.

    The first answer wins. With no answer, or when the chosen launcher fails, the command is not run.

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
