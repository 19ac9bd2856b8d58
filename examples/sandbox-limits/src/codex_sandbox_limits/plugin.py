"""Limit the size of the files that sandboxed commands write; the next launcher enforces their policy."""

import shutil

import attrs

from codex_hookspecs.host import Host
from codex_hookspecs.sandbox import Launch, LaunchRequest, SandboxLauncher, SandboxPolicy, SandboxUnavailable, hookimpl


class LimitingLauncher:
    name = "limits"

    def __init__(self, inner: SandboxLauncher, size: int) -> None:
        self._inner = inner
        self._size = size

    def launch(self, request: LaunchRequest) -> Launch:
        prlimit = shutil.which("prlimit")
        if prlimit is None:
            raise SandboxUnavailable("the command was not run: limits needs prlimit; install util-linux")
        limited = (prlimit, f"--fsize={self._size}", *request.argv)
        return self._inner.launch(attrs.evolve(request, argv=limited))


@hookimpl(tryfirst=True)
def sandbox_launcher(policy: SandboxPolicy, platform: str, host: Host) -> SandboxLauncher | None:
    if platform != "linux":
        return None
    return LimitingLauncher(host.launcher(policy), host.config.get("plugins.sandbox-limits.file_size", 100_000_000))
