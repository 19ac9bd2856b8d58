"""The permissions fragment: what commands may do, and when the model may request more."""

from __future__ import annotations

from codex_hookspecs.protocol import GranularApprovals, ThreadSettings
from codex_hookspecs.sandbox import SandboxPolicy

_START, _STOP = "<permissions instructions>", "</permissions instructions>"

_ESCALATION = (
    "To run a command outside the sandbox, call exec_command with `sandbox_permissions` set to "
    '"require_escalated" and a `justification`: one short question to the user that says what the command is for.'
)
_APPROVAL = {
    "never": (
        "Approval policy is `never`: nobody will be asked. Never request escalated permissions; when a command is "
        "refused, find another way or say what could not be done."
    ),
    "on-request": (
        "Approval policy is `on-request`: commands run in the sandbox without asking. "
        f"{_ESCALATION} Ask when the task needs it: a command that must write elsewhere, needs the network, or failed "
        "because of the sandbox and matters for the task. Ask before anything destructive that was not requested, and "
        "do not ask for what the sandbox already allows."
    ),
    "on-failure": (
        "Approval policy is `on-failure`: commands run in the sandbox first; when one fails because of it, the user is "
        "asked whether to run it without."
    ),
    "untrusted": (
        "Approval policy is `untrusted`: the user is asked before every command except plainly harmless ones that "
        f"only read. Keep commands simple and few. {_ESCALATION}"
    ),
}
_CATEGORIES = {
    "sandbox_approval": "running without the sandbox, dangerous commands, changing files elsewhere",
    "rules": "commands that rules require approval for",
    "skill_approval": "scripts of skills",
    "request_permissions": "more permissions for later commands",
    "mcp_elicitations": "questions of MCP servers",
}


def permissions_text(settings: ThreadSettings, *, temporary_directory: str) -> str:
    """Return the text of the permissions fragment for the policies of a turn.

    :param temporary_directory: ``$TMPDIR`` of the machine that commands run on.
    """
    sandbox = _sandbox(settings.sandbox, settings.cwd, temporary_directory)
    policy = settings.approval_policy
    approval = _APPROVAL[policy] if isinstance(policy, str) else _granular(policy.granular)
    return f"{_START}\n{sandbox}\n{approval}\n{_STOP}"


def _granular(allowed: GranularApprovals) -> str:
    """Return the text of a granular policy."""
    parts = [
        "Approval policy is `granular`: commands run in the sandbox without asking. For each category below either the "
        "user is asked, or what would need approval is refused without asking."
    ]
    for head, wanted in (("Asked", True), ("Refused", False)):
        names = [f"`{name}` ({what})" for name, what in _CATEGORIES.items() if getattr(allowed, name) is wanted]
        if names:
            parts.append(f"{head}: {', '.join(names)}.")
    if allowed.sandbox_approval:
        parts.append(_ESCALATION)
    else:
        parts.append("Never request escalated permissions; when a command is refused, find another way.")
    return " ".join(parts)


def _sandbox(policy: SandboxPolicy, cwd: str, temporary_directory: str) -> str:
    head = f"Sandbox mode is `{policy.mode}`:"
    network = f"Network access is {'allowed' if policy.network_access else 'blocked'}."
    if policy.kind == "dangerFullAccess":
        return f"{head} commands run without a sandbox; every file the user can change and the network are open."
    if policy.kind == "externalSandbox":
        return f"{head} commands run in a sandbox that others have set up around this program. {network}"
    if policy.kind == "readOnly":
        return f"{head} commands may read files and change none. {network}"
    roots = ", ".join(f"`{root}`" for root in _roots(policy, cwd, temporary_directory))
    return f"{head} commands may read files and write below {roots}. {network}"


def _roots(policy: SandboxPolicy, cwd: str, temporary_directory: str) -> list[str]:
    roots = [cwd, *policy.writable_roots]
    if not policy.exclude_slash_tmp:
        roots.append("/tmp")  # noqa: S108 - the policy names it
    if not policy.exclude_tmpdir_env_var and temporary_directory:
        roots.append(temporary_directory)
    return list(dict.fromkeys(roots))
