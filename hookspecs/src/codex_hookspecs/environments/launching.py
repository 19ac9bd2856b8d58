"""Start processes under a sandbox launcher."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codex_hookspecs.ports.environment import ExecBackend, ExecProcess
    from codex_hookspecs.types.environment import ExecParams
    from codex_hookspecs.types.sandbox import Launch


async def start_launched(backend: ExecBackend, params: ExecParams, launch: Launch) -> ExecProcess:
    """Start a process with a launch; the caller closes the launch when the process has ended.

    :param params: parameters of the command without a sandbox.
    :raises ExecError: when it can't be started; the launch is closed then.
    """
    import attrs

    wrapped = attrs.evolve(
        params,
        argv=launch.argv,
        env=launch.env,
        arg0=launch.arg0,
        descriptors=launch.descriptors,
        prepare=launch.prepare,
        interrupt=launch.interrupt,
    )
    try:
        process = await backend.start(wrapped)
    except BaseException:
        launch.close()
        raise
    launch.started()
    return process
