"""Get bearer tokens from a command of the user: ``[model_providers.<name>.auth]``."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from codex_hookspecs import frozen
from codex_hookspecs.errors import ModelError

KEYS: Final = ("command", "args", "timeout_ms", "refresh_interval_ms", "cwd")
_LONGEST: Final = 64 * 1024


@frozen(kw_only=True)
class AuthCommand:
    """A command that prints a token.

    :param seconds: how long it may take.
    :param lifetime: seconds until it is run again, 0 for only when a token was refused.
    """

    command: str
    args: tuple[str, ...] = ()
    cwd: str | None = None
    seconds: float = 5.0
    lifetime: float = 300.0


class CommandTokens:
    """Runs the command when a token is wanted and none is fresh.

    :param key: name of the table, for errors.
    """

    def __init__(self, command: AuthCommand, key: str) -> None:
        self._command = command
        self._key = key
        self._token: str | None = None
        self._until = 0.0

    async def token(self) -> str:
        """Return a token.

        :raises ModelError: when the command does not give one.
        """
        now = asyncio.get_running_loop().time()
        if self._token is None or (self._command.lifetime and now >= self._until):
            self._token = await self._run()
            self._until = now + self._command.lifetime
        return self._token

    def refused(self) -> None:
        """Forget the token that a server did not accept."""
        self._token = None

    async def _run(self) -> str:
        process = await self._started()
        try:
            async with asyncio.timeout(self._command.seconds):
                output, errors = await asyncio.gather(_head(process.stdout), _head(process.stderr))
                status = await process.wait()
        except TimeoutError as error:
            raise self._failed(f"took longer than {self._command.seconds:g} s") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if status != 0:
            from codex_responses.redaction import redact  # only after a failure

            told = redact(errors.decode("utf-8", "replace")).strip().splitlines()
            raise self._failed(f"ended with status {status}" + (f": {told[-1][:200]}" if told else ""))
        token = output.decode("utf-8", "replace").strip()
        if not token or not (token.isascii() and token.isprintable()) or " " in token:
            raise self._failed("did not print one token")
        return token

    async def _started(self) -> asyncio.subprocess.Process:
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
            raise self._failed(f"can't be started: {reason}") from error

    def _failed(self, what: str) -> ModelError:
        return ModelError(
            f"The command {self._command.command!r} of {self._key}.auth, which gives the token of the model provider, "
            f"{what}.",
            info="unauthorized",
        )


async def _head(stream: Any) -> bytes:
    """Read a stream to its end, keeping its beginning."""
    kept = b""
    while piece := await stream.read(_LONGEST):
        kept = (kept + piece)[:_LONGEST]
    return kept
