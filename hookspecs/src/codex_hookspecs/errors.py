"""Errors that cross the boundary between host and plugins.

- CodexError
  - ConfigError            a configuration value, file or command line is invalid
    - ConfigConflict       a configuration file has changed since it was read
    - UsageError           a command line is invalid
  - PluginError            a plugin can't be admitted, loaded or called
    - ManifestError        ``codex-plugin.toml`` is missing or invalid
    - HookSpecError        an implementation does not fit its hook specification
  - ModelError             a model request failed finally
  - ToolError              a tool call failed; the text goes to the model
    - ToolRejected         a person, hook or policy refused the call
  - ExecError              the environment could not start or drive a process
    - ExecRejected         an exec-server rejected a request for one
    - EnvironmentLost      the environment can't be reached
    - HttpError            the environment could not make an HTTP request
  - FileSystemError        the environment refused a file operation
  - SandboxUnavailable     no launcher can enforce the policy
  - StorageError           a thread can't be stored, found or read
    - ThreadNotFound
    - ThreadBusy           another process writes this thread
  - RpcError               a JSON-RPC request is answered with an error object
  - WireError              a document does not have the expected shape
"""

from __future__ import annotations

__all__ = [
    "CodexError",
    "ConfigConflict",
    "ConfigError",
    "EnvironmentLost",
    "ExecError",
    "ExecRejected",
    "FileSystemError",
    "FilesLost",
    "HookSpecError",
    "HttpError",
    "ManifestError",
    "ModelError",
    "PluginError",
    "RpcError",
    "SandboxUnavailable",
    "StorageError",
    "ThreadBusy",
    "ThreadNotFound",
    "ToolError",
    "ToolRejected",
    "UsageError",
    "WireError",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from codex_hookspecs.types.approvals import RejectionKind


class CodexError(Exception):
    """Base of all errors that the host and first-party plugins raise on purpose; ``str()`` is a message for users."""


class ConfigError(CodexError):
    """Raised when the configuration or a command line is invalid.

    :param message: what was being done, what was found and what is allowed.
    :param source: the file, flag or key that it comes from, shown before the message.
    """

    def __init__(self, message: str, *, source: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.source = source

    def __str__(self) -> str:
        return f"{self.source}: {self.message}" if self.source else self.message


class ConfigConflict(ConfigError):
    """Raised when a configuration file is to be changed and no longer has the expected version."""


class UsageError(ConfigError):
    """Raised when a command line is invalid; the program ends with status 2.

    :param message: what is wrong with the command line.
    :param tip: a suggestion for the user.
    :param usage: usage line of the command, with the word ``Usage:``.
    """

    def __init__(self, message: str, *, tip: str | None = None, usage: str | None = None) -> None:
        super().__init__(message)
        self.tip = tip
        self.usage = usage


class PluginError(CodexError):
    """Raised when a plugin can't be admitted, loaded or called.

    :param message: text for users.
    :param plugin: entry-point name of the plugin.
    """

    def __init__(self, message: str, *, plugin: str) -> None:
        super().__init__(message)
        self.plugin = plugin


class ManifestError(PluginError):
    """Raised when ``codex-plugin.toml`` is missing or invalid."""


class HookSpecError(PluginError):
    """Raised at registration when an implementation does not fit its specification.

    :param message: what was found, and the fix.
    :param plugin: entry-point name of the plugin.
    :param hook: name of the hook.
    """

    def __init__(self, message: str, *, plugin: str, hook: str) -> None:
        super().__init__(message, plugin=plugin)
        self.hook = hook


class ModelError(CodexError):
    """Raised by a model provider when a request failed and is not retried.

    :param message: text for users.
    :param info: the ``codexErrorInfo`` of the app-server protocol: a word, or a one-key object.
    :param details: additional text for users, or ``None``.
    """

    def __init__(self, message: str, *, info: str | dict[str, Any] = "other", details: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.info = info
        self.details = details


class ToolError(CodexError):
    """Raised by a tool whose call failed; the text is the output for the model."""


class ToolRejected(ToolError):
    """Raised when the user, a hook or a policy refused a call; the text is the output for the model.

    :param message: text for the model.
    :param kind: who refused it, see :data:`~codex_hookspecs.types.approvals.RejectionKind`.
    :param reason: the reason for users, if it differs from the message.
    """

    def __init__(self, message: str, *, kind: RejectionKind = "denied", reason: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.reason = message if reason is None else reason

    def with_message(self, message: str) -> ToolRejected:
        """Return a copy of the refusal with another text for the model."""
        return ToolRejected(message, kind=self.kind, reason=self.reason)


class ExecError(CodexError):
    """Raised when an environment could not start a process or lost it.

    :param message: the error text of the system.
    :param code: JSON-RPC code that the exec-server protocol uses for it.
    """

    def __init__(self, message: str, *, code: int = -32603) -> None:
        super().__init__(message)
        self.code = code


class ExecRejected(ExecError):
    """Raised when an exec-server rejected a request; the model is told so, and the code."""


class EnvironmentLost(ExecError):
    """Raised when an environment can't be reached or the connection was lost; the request may have been carried out.

    :param message: text for users.
    :param environment: name of the environment, or ``None`` if unknown.
    """

    def __init__(self, message: str, *, environment: str | None = None) -> None:
        super().__init__(message)
        self.environment = environment


class HttpError(ExecError):
    """Raised when an environment could not make an HTTP request, or its response is incomplete.

    The request may have been carried out. HTTP error statuses are responses, not errors.
    """


class FileSystemError(CodexError):
    """Raised when an environment refused a file operation.

    :param message: the error text of the system: ``Permission denied (os error 13)``.
    :param path: the requested path.
    :param errno: operating system error number, or ``None``.
    """

    def __init__(self, message: str, *, path: str, errno: int | None = None) -> None:
        super().__init__(message)
        self.path = path
        self.errno = errno


class FilesLost(FileSystemError):
    """Raised when the environment of a file can't be reached; says nothing about the path."""


class SandboxUnavailable(CodexError):
    """Raised when no launcher can enforce the policy; the command has not been run."""


class StorageError(CodexError):
    """Raised when a thread can't be stored or read.

    :param message: text for users.
    :param thread_id: the thread, or ``None`` if the whole store failed.
    """

    def __init__(self, message: str, *, thread_id: str | None = None) -> None:
        super().__init__(message)
        self.thread_id = thread_id


class ThreadNotFound(StorageError):
    """Raised when no thread with the id is stored."""


class ThreadBusy(StorageError):
    """Raised when another process is writing the thread."""


class RpcError(CodexError):
    """Raised by an RPC method to respond with an error object, and by a client that received one.

    :param message: text of the error object.
    :param code: JSON-RPC error code.
    :param data: member ``data`` of the error object, or ``None``.
    """

    def __init__(self, message: str, *, code: int = -32600, data: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.data = data


class WireError(CodexError):
    """Raised when a document does not have the expected shape; the text has one line ``what @ path`` per fault.

    :param faults: what is wrong and where, e.g. ``("missing field `id`", "$.item")``; at least one.
    """

    def __init__(self, faults: tuple[tuple[str, str], ...]) -> None:
        super().__init__("\n".join(f"{what} @ {path}" for what, path in faults))
        self.faults = faults
