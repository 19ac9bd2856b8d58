"""Remember a client's answers: for the session, or permanently in the user's rules file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from codex_hookspecs.errors import ConfigError

if TYPE_CHECKING:
    from codex_execpolicy.rules.matching import RuleBook
    from codex_hookspecs.types.approvals import CommandRequest, PermissionsApproval
    from codex_hookspecs.types.grants import AdditionalPermissions

Key = tuple[object, ...]


class RememberedAnswers:
    """Remembered answers of one thread.

    :param home: ``$CODEX_HOME``, with the rules file for permanent answers.
    :param rules: execpolicy rules, or ``None``.
    """

    def __init__(self, home: str, rules: RuleBook | None = None) -> None:
        self._home = home
        self._rules = rules
        self._session: set[Key] = set()
        self._granted: AdditionalPermissions | None = None
        self._granted_for_turn: tuple[str, AdditionalPermissions | None] = ("", None)

    @property
    def has_rules(self) -> bool:
        """Whether there is any rule."""
        return self._rules is not None

    @property
    def rules(self) -> RuleBook:
        """The execpolicy rules, including those that the client added."""
        if self._rules is None:
            from codex_execpolicy.rules.matching import RuleBook

            self._rules = RuleBook()
        return self._rules

    def allow_for_session(self, keys: Iterable[Key]) -> None:
        """Remember keys as allowed for the session."""
        self._session.update(keys)

    def allows(self, keys: Iterable[Key]) -> bool:
        """Return whether all keys are allowed for the session; false without keys."""
        wanted = set(keys)
        return bool(wanted) and wanted <= self._session

    def grant(self, turn_id: str, approval: PermissionsApproval) -> None:
        """Remember granted additional permissions, for the turn or the session."""
        from codex_sandboxing.additional import merge

        if approval.scope == "session":
            self._granted = merge(self._granted, approval.granted)
        else:
            self._granted_for_turn = (turn_id, merge(self._granted_in(turn_id), approval.granted))

    def split_granted(
        self, turn_id: str, request: CommandRequest
    ) -> tuple[CommandRequest, AdditionalPermissions | None]:
        """Return a request without permissions granted before, and all permissions that the command would get."""
        in_turn = self._granted_in(turn_id)
        if request.additional is None and self._granted is None and in_turn is None:
            return request, None
        from attrs import evolve

        from codex_sandboxing.additional import covers, merge

        granted = merge(self._granted, in_turn)
        if request.additional is not None and covers(granted, request.additional):
            return evolve(request, additional=None), granted
        return request, merge(granted, request.additional)

    def _granted_in(self, turn_id: str) -> AdditionalPermissions | None:
        return self._granted_for_turn[1] if self._granted_for_turn[0] == turn_id else None

    def allow_prefix(self, prefix: tuple[str, ...]) -> str | None:
        """Allow commands with a prefix permanently.

        :return: why it could only be remembered for this session, or ``None``.
        """
        from codex_execpolicy.rules.files import append_allowed
        from codex_execpolicy.rules.matching import Rule

        self.rules.add(Rule(tuple((word,) for word in prefix)))
        try:
            append_allowed(self._home, prefix)
        except ConfigError as error:
            return f"the rule is kept for this session only: {error}"
        except OSError as error:
            return f"the rule is kept for this session only: {self._home}/rules: {error.strerror or error}"
        return None


def command_key(request: CommandRequest) -> Key:
    """Return the key that identifies a command, regardless of quoting and of the shell that runs it."""
    from codex_execpolicy.known_commands import commands_of, script_of

    commands = commands_of(request.argv, shell=request.shell)
    argv: tuple[str, ...] = request.argv
    if commands is not None and len(commands) == 1:
        argv = tuple(word.text for word in commands[0])
    elif (script := script_of(request.argv, shell=request.shell)) is not None:
        argv = ("script", script)
    return ("command", argv, request.cwd, request.tty, request.escalated, request.additional)
