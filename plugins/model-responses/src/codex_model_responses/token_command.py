"""Get bearer tokens from a command that the user configures: ``[model_providers.<name>.auth]``."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from codex_hookspecs import frozen
from codex_hookspecs.errors import ModelError

KEYS: Final = ("command", "args", "timeout_ms", "refresh_interval_ms", "cwd")
_MAX_OUTPUT_BYTES: Final = 64 * 1024


@frozen(kw_only=True)
class AuthCommand:
    """A command that prints a token.

    :param seconds: timeout of the command.
    :param lifetime: seconds for which a token is reused; with 0, until the server rejects it.
    """

    command: str
    args: tuple[str, ...] = ()
    cwd: str | None = None
    seconds: float = 5.0
    lifetime: float = 300.0


class CommandTokens:
    """Caches the token of a command and runs the command again when the token has expired.

    :param key: name of the table, for error messages.
    """

    def __init__(self, command: AuthCommand, key: str) -> None:
        self._command = command
        self._key = key
        self._token: str | None = None
        self._until = 0.0

    async def token(self) -> str:
        """Return the cached token, or run the command for a new one.

        :raises ModelError: when the command does not print a token.
        """
        now = asyncio.get_running_loop().time()
        if self._token is None or (self._command.lifetime and now >= self._until):
            self._token = await self._run()
            self._until = now + self._command.lifetime
        return self._token

    def discard(self) -> None:
        """Discard the token, which the server rejected."""
        self._token = None

    async def _run(self) -> str:
        process = await self._start()
        try:
            async with asyncio.timeout(self._command.seconds):
                output, errors = await asyncio.gather(_read_beginning(process.stdout), _read_beginning(process.stderr))
                status = await process.wait()
        except TimeoutError as error:
            raise self._error(f"took longer than {self._command.seconds:g} s") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if status != 0:
            from codex_responses.redaction import redact  # only after a failure

            lines = redact(errors.decode("utf-8", "replace")).strip().splitlines()
            raise self._error(f"ended with status {status}" + (f": {lines[-1][:200]}" if lines else ""))
        token = output.decode("utf-8", "replace").strip()
        if not token or not (token.isascii() and token.isprintable()) or " " in token:
            raise self._error("did not print one token")
        return token

    async def _start(self) -> asyncio.subprocess.Process:
        pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        try:
            return await asyncio.create_subprocess_exec(
                self._command.command,
                *self._command.args,
                cwd=self._command.cwd,
                stdin=null,
                stdout=pipe,
                stderr=pipe,
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise self._error(f"can't be started: {reason}") from error

    def _error(self, what: str) -> ModelError:
        return ModelError(
            f"The command {self._command.command!r} of {self._key}.auth, which gives the token of the model provider, "
            f"{what}.",
            info="unauthorized",
        )


async def _read_beginning(stream: Any) -> bytes:
    """Read a stream to its end and return its beginning."""
    kept = b""
    while piece := await stream.read(_MAX_OUTPUT_BYTES):
        kept = (kept + piece)[:_MAX_OUTPUT_BYTES]
    return kept
