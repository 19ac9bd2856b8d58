"""Handle ``initialize`` and the methods ``process/*``."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from codex_exec_server.connection import Connection, Method
from codex_exec_server.decoding import (
    REQUIRED,
    boolean,
    data,
    invalid_params,
    mapping,
    opaque,
    optional,
    sequence,
    size,
    string,
    struct,
    unsigned,
    variant,
    working_directory,
)
from codex_exec_server.environ import build_child_environ, read_policy
from codex_exec_server.environment_methods import environment_info
from codex_exec_server.sandbox import read_managed_network, read_sandbox
from codex_hookspecs.environments import ExecParams
from codex_hookspecs.errors import RpcError
from codex_hookspecs.sandbox import Launch

if TYPE_CHECKING:
    from collections.abc import Collection

    from codex_exec_server.processes import ServedProcess
    from codex_exec_server.sessions import Session

MAX_WAIT_MS = 24 * 3600 * 1000
_NEEDS = "exec"

_initialize = struct(
    "InitializeParams", {"clientName": (string, REQUIRED), "resumeSessionId": (optional(string), None)}
)
_metadata = struct("ExecMetadata", {"threadId": (optional(string), None), "toolCallId": (optional(string), None)})
_start = struct(
    "WireExecParams",
    {
        "processId": (string, REQUIRED),
        "argv": (sequence(string), REQUIRED),
        "cwd": (working_directory, REQUIRED),
        "envPolicy": (optional(read_policy), None),
        "env": (mapping, REQUIRED),
        "tty": (boolean, REQUIRED),
        "pipeStdin": (boolean, False),
        "arg0": (optional(string), None),
        "sandbox": (read_sandbox, None),
        "enforceManagedNetwork": (boolean, False),
        "managedNetwork": (optional(read_managed_network), None),
        "networkProxy": (optional(opaque("RemoteNetworkProxyLaunchConfig")), None),
        "metadata": (optional(_metadata), None),
        "rows": (unsigned, 24),
        "columns": (unsigned, 80),
    },
    elements=14,
)
_id = struct("TerminateParams", {"processId": (string, REQUIRED)})
_read = struct(
    "ReadParams",
    {
        "processId": (string, REQUIRED),
        "afterSeq": (optional(unsigned), None),
        "maxBytes": (optional(size), None),
        "waitMs": (optional(unsigned), None),
    },
)
_write = struct(
    "WriteParams", {"processId": (string, REQUIRED), "chunk": (data, REQUIRED), "writeId": (optional(string), None)}
)
_signal = struct("SignalParams", {"processId": (string, REQUIRED), "signal": (variant("interrupt"), REQUIRED)})
_resize = struct(
    "ResizeParams", {"processId": (string, REQUIRED), "rows": (unsigned, REQUIRED), "columns": (unsigned, REQUIRED)}
)
_flow = struct("FlowParams", {"processId": (string, REQUIRED), "flowing": (boolean, REQUIRED)})


def _read_start(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = _start(value)
    if not found["argv"]:
        raise invalid_params("argv must not be empty")
    if not (0 < found["rows"] < 65536 and 0 < found["columns"] < 65536):
        raise invalid_params("rows and columns must be between 1 and 65535")
    return found


def _read_write(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = _write(value)
    if found["writeId"] == "":
        raise invalid_params("writeId must not be empty")
    return found


def initialize(connection: Connection, params: dict[str, Any]) -> Any:
    """Open or resume a session; this part is synchronous because ``initialized`` may arrive in the same read."""
    if connection.session is not None:
        raise RpcError("initialize may only be sent once per connection")
    sessions = connection.server.sessions
    resume_id = params["resumeSessionId"]
    session = sessions.open() if resume_id is None else sessions.find(resume_id)
    connection.session = session
    return _attach(connection, session)


async def _attach(connection: Connection, session: Session) -> dict[str, Any]:
    await session.attach(connection.peer)
    return {"sessionId": session.id, "environmentInfo": await environment_info(connection.server)}


def _proxy_ports(params: dict[str, Any]) -> Collection[int] | None:
    """Return the loopback ports of the proxies of a managed network, ``None`` when the network is not managed.

    :raises RpcError: when the network is to be managed, but the parameters do not describe it.
    """
    if not params["enforceManagedNetwork"]:
        return None
    if params["networkProxy"] is not None:
        raise RpcError("the managed network is enforced, but this server has no proxy that could hold it", code=-32603)
    ports: tuple[int, ...] | None = params["managedNetwork"]
    if ports is None:
        raise RpcError("the managed network is enforced, but managedNetwork does not say what it is", code=-32603)
    return ports


async def start(connection: Connection, params: dict[str, Any]) -> Any:
    """Start a process."""
    session, server = connection.session, connection.server
    assert session is not None
    ports = _proxy_ports(params)
    argv, arg0 = tuple(params["argv"]), params["arg0"]
    env = build_child_environ(server.environ, params["env"], params["envPolicy"])
    sandbox = params["sandbox"]
    process_id = params["processId"]
    if sandbox is None and argv[0].endswith("codex-linux-sandbox"):
        from codex_exec_server.helper_argv import unwrap

        argv, sandbox, ports = unwrap(argv, params["cwd"], env) or (argv, sandbox, ports)
        arg0 = arg0 if sandbox is None else None
    launch = Launch(argv=argv, env=env, arg0=arg0)
    if (sandbox is not None or ports is not None) and process_id not in session.processes:
        launch = server.launch(argv, params["cwd"], env, sandbox, tty=params["tty"], proxy_ports=ports)
    exec_params = ExecParams(
        process_id=f"{session.id}/{process_id}",
        argv=launch.argv,
        cwd=params["cwd"],
        env=launch.env,
        tty=params["tty"],
        pipe_stdin=params["pipeStdin"],
        rows=params["rows"],
        columns=params["columns"],
        arg0=launch.arg0 or arg0,
        descriptors=launch.descriptors,
        prepare=launch.prepare,
        interrupt=launch.interrupt,
        metadata=params["metadata"] or {},
    )
    await session.start(process_id, exec_params, launch)
    return {"processId": process_id, "sandboxType": launch.sandbox_type}


async def read(connection: Connection, params: dict[str, Any]) -> Any:
    """Return retained output."""
    served = _find(connection, params)
    wait = min(params["waitMs"] or 0, MAX_WAIT_MS) / 1000
    result = await served.read(params["afterSeq"] or 0, params["maxBytes"], wait) if served is not None else None
    if result is None:
        raise RpcError(f"unknown process id {params['processId']}")
    return {
        "chunks": [
            {"seq": chunk.seq, "stream": chunk.stream, "chunk": b64encode(chunk.data).decode()}
            for chunk in result.chunks
        ],
        "nextSeq": result.next_seq,
        "exited": result.exited,
        "exitCode": result.exit_code,
        "closed": result.closed,
        "failure": result.failure,
        "sandboxDenied": result.sandbox_denied,
    }


async def write(connection: Connection, params: dict[str, Any]) -> Any:
    """Write to stdin."""
    served = _find(connection, params)
    if served is None:
        return {"status": "unknownProcess"}
    return {"status": await served.write(params["chunk"], params["writeId"])}


async def signal(connection: Connection, params: dict[str, Any]) -> Any:
    """Interrupt a process; the result does not tell whether it exists."""
    served = _find(connection, params)
    process = await served.process() if served is not None else None
    if process is not None:
        await process.interrupt()
    return {}


async def terminate(connection: Connection, params: dict[str, Any]) -> Any:
    """Kill a process and its descendants."""
    served = _find(connection, params)
    return {"running": await served.terminate() if served is not None else False}


async def resize(connection: Connection, params: dict[str, Any]) -> Any:
    """Change the size of a terminal; an extension of the protocol."""
    served = _find(connection, params)
    process = await served.process() if served is not None else None
    if process is not None and 0 < params["rows"] < 65536 and 0 < params["columns"] < 65536:
        await process.resize(params["rows"], params["columns"])
    return {}


def set_flow(connection: Connection, params: dict[str, Any]) -> Any:
    """Pause or resume the output of one process; an extension of the protocol."""
    served = _find(connection, params)
    if served is not None:
        served.set_flow(flowing=params["flowing"])
    return {}


def _find(connection: Connection, params: dict[str, Any]) -> ServedProcess | None:
    assert connection.session is not None
    return connection.session.processes.get(params["processId"])


METHODS = {
    "initialize": Method(_initialize, initialize, urgent=True),
    "process/start": Method(_read_start, start, _NEEDS),
    "process/read": Method(_read, read, _NEEDS),
    "process/write": Method(_read_write, write, _NEEDS),
    "process/signal": Method(_signal, signal, _NEEDS, urgent=True),
    "process/terminate": Method(_id, terminate, _NEEDS, urgent=True),
    "process/resize": Method(_resize, resize, _NEEDS, urgent=True),
    "process/setFlow": Method(_flow, set_flow, _NEEDS, urgent=True),
}
