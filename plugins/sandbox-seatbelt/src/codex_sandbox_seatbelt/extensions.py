"""Write the rules for services of macOS that were granted to a command (as in Codex 0.118)."""

from __future__ import annotations

from codex_hookspecs.sandbox import MacosExtensions
from codex_sandbox_seatbelt.rules import named, rule

_PREFERENCES = ("com.apple.cfprefsd.agent", "com.apple.cfprefsd.daemon")
_LAUNCH_SERVICES = (
    "com.apple.coreservices.launchservicesd",
    "com.apple.coreservices.quarantine-resolver",
    "com.apple.lsd.mapdb",
    "com.apple.lsd.modifydb",
)
_CONTACTS = ("com.apple.AddressBook.ContactsAccountsService", "com.apple.contactsd.persistence")


def extension_rules(wanted: MacosExtensions) -> str:
    """Return the rules, or the empty string when nothing is granted."""
    rules = _preferences(wanted) + _automation(wanted)
    if wanted.launch_services:
        rules += [_lookup(*_LAUNCH_SERVICES), rule("allow", "lsopen")]
    if wanted.accessibility:
        rules.append(rule("allow", "mach-lookup", named("local-name", ["com.apple.axserver"])))
    if wanted.calendar or wanted.reminders:
        rules.append(_lookup("com.apple.CalendarAgent"))
    if wanted.reminders:
        rules.append(_lookup("com.apple.remindd"))
    if wanted.contacts != "none":
        rules.append(_lookup(*_CONTACTS))
        verb = "file-read*" if wanted.contacts == "read_only" else "file-read* file-write*"
        rules.append(rule("allow", verb, ['(home-subpath "/Library/Application Support/AddressBook")']))
    return "\n".join(rules)


def _preferences(wanted: MacosExtensions) -> list[str]:
    if wanted.preferences == "none":
        return []
    prefix = named("ipc-posix-name-prefix", ["apple.cfprefs."])
    rules = [
        rule("allow", "ipc-posix-shm-read*", prefix),
        _lookup(*_PREFERENCES),
        rule("allow", "user-preference-read"),
    ]
    if wanted.preferences == "read_write":
        rules.append(rule("allow", "user-preference-write"))
        rules.append(rule("allow", ["ipc-posix-shm-write-data", "ipc-posix-shm-write-create"], prefix))
    return rules


def _automation(wanted: MacosExtensions) -> list[str]:
    if wanted.automation == "none":
        return []
    applications = [] if wanted.automation == "all" else named("appleevent-destination", wanted.automation)
    return [_lookup("com.apple.coreservices.appleevents"), rule("allow", "appleevent-send", applications)]


def _lookup(*services: str) -> str:
    return rule("allow", "mach-lookup", named("global-name", services))
