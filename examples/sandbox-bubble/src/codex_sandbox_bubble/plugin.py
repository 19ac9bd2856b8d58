"""Have bubblewrap enforce the policies that the launcher understands, before the program's own launchers."""

from codex_hookspecs.host import Host
from codex_hookspecs.sandbox import SandboxLauncher, SandboxPolicy, hookimpl


@hookimpl
def sandbox_launcher(policy: SandboxPolicy, platform: str, host: Host) -> SandboxLauncher | None:
    if platform != "linux" or policy.kind == "externalSandbox" or policy.readable_roots is not None:
        return None
    from codex_sandbox_bubble.launcher import BubbleLauncher

    return BubbleLauncher(host.codex_home)
