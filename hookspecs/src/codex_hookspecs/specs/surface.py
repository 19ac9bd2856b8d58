"""Sub-commands, RPC methods, the app-server and doctor checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_hookspecs.markers import choose, offer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_hookspecs.ports.host import Host
    from codex_hookspecs.ports.surface import AppServer, CliCommand, DoctorCheck, RpcMethod, SurfaceHost


@offer(key="name", requires=("run",))
def cli_commands(host: SurfaceHost) -> Sequence[CliCommand] | None:
    """Offer sub-commands of ``codex``; the manifest must list them under ``[commands]``.

    :param host: the running program.
    :return: commands, or ``None``.

    Called when one of the plugin's commands is run. Of two plugins with the same command the first is used (first-party
    plugins come first unless ``plugin_order`` says otherwise); two third-party plugins whose order is not decided are
    an error that names both. A failing plugin offers nothing.

    Example::

        from codex_hookspecs import CliCommand, hookimpl

        async def greet(arguments, host):
            print("hello", *arguments)
            return 0

        @hookimpl
        def cli_commands():
            return [CliCommand(name="greet", help="Say hello.", run=greet)]
    """


@offer(key="name", requires=("handle",))
def rpc_methods(host: SurfaceHost) -> Sequence[RpcMethod] | None:
    """Offer methods of the app-server protocol.

    :param host: the running program.
    :return: methods, or ``None``.

    Of two methods with the same name that of the first plugin is used (first-party plugins come first unless
    ``plugin_order`` says otherwise), with a warning that names both plugins. A failing plugin offers nothing.

    The classes that a method names for its parameters, its result and its notifications are shown in the bindings that
    ``codex app-server generate-ts`` and ``generate-json-schema`` write.

    Example::

        from codex_hookspecs import RpcMethod, frozen, hookimpl

        @frozen
        class PingResponse:
            pong: str

        async def ping(params, context):
            return PingResponse(pong=context.client_name)

        @hookimpl
        def rpc_methods():
            return [RpcMethod(name="example/ping", params=None, result=PingResponse, handle=ping)]
    """


@choose(requires=("connect",))
def app_server(host: SurfaceHost) -> AppServer | None:
    """Choose the app-server, which processes the requests of all front ends; called on the first connection.

    :param host: the running program.
    :return: the app-server, or ``None``.

    The first answer is used; with none, front ends exit with an error.

    Example::

        from codex_hookspecs import hookimpl

        @hookimpl
        def app_server(host):
            return None
    """


@offer(key="name", requires=("run",))
def doctor_checks(host: Host) -> Sequence[DoctorCheck] | None:
    """Offer checks for ``codex plugins doctor``.

    :param host: the running program.
    :return: checks, or ``None``.

    Checks run in a child process per plugin, with a time limit; one that raises is reported as a problem.

    Example::

        from codex_hookspecs import DoctorCheck, hookimpl

        async def look():
            return []

        @hookimpl
        def doctor_checks():
            return [DoctorCheck("example", look)]
    """
