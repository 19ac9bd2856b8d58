"""Remember what a client has allowed: for the session, or for good in the user's rules file."""

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
    """Answers that hold for the calls to come of one thread.

    :param home: ``$CODEX_HOME``, whose rules file gets what a client allows for good.
    :param rules: what rules files say; ``None`` when there are none.
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
        """The rules of files, and what a client has allowed for good."""
        if self._rules is None:
            from codex_execpolicy.rules.matching import RuleBook

            self._rules = RuleBook()
        return self._rules

    def allow_for_session(self, keys: Iterable[Key]) -> None:
        """Remember that each of some things may be done."""
        self._session.update(keys)

    def allows(self, keys: Iterable[Key]) -> bool:
        """Tell whether all of some things were allowed for the session; nothing is not."""
        wanted = set(keys)
        return bool(wanted) and wanted <= self._session

    def grant(self, turn_id: str, approval: PermissionsApproval) -> None:
        """Remember what commands may use beyond the sandbox policy: in one turn, or for the session."""
        from codex_sandboxing.additional import merge

        if approval.scope == "session":
            self._granted = merge(self._granted, approval.granted)
        else:
            self._granted_for_turn = (turn_id, merge(self._granted_in(turn_id), approval.granted))

    def without_granted(
        self, turn_id: str, request: CommandRequest
    ) -> tuple[CommandRequest, AdditionalPermissions | None]:
        """Return what of a request has to be approved, and what the command gets beyond the sandbox policy then."""
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
        """Remember for good that commands with a beginning may run.

        :return: why it is remembered for this session only, if it is.
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
    """Return what tells one command from another: not how its words are quoted, nor which shell runs them."""
    from codex_execpolicy.known_commands import commands_of, script_of

    commands = commands_of(request.argv, shell=request.shell)
    argv: tuple[str, ...] = request.argv
    if commands is not None and len(commands) == 1:
        argv = tuple(word.text for word in commands[0])
    elif (script := script_of(request.argv, shell=request.shell)) is not None:
        argv = ("script", script)
    return ("command", argv, request.cwd, request.tty, request.escalated, request.additional)
