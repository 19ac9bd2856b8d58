"""The SBPL text allows what the policy allows and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_hookspecs.sandbox import (
    CWD,
    MINIMAL,
    ROOT,
    FileSystemEntry,
    FileSystemPolicy,
    GlobPattern,
    MacosExtensions,
    SandboxPolicy,
)
from codex_sandbox_seatbelt.network import NetworkAccess
from codex_sandbox_seatbelt.policy import SeatbeltPolicy, seatbelt_policy
from codex_sandboxing.legacy import to_split
from codex_sandboxing.protected_paths import PROTECTED
from codex_sandboxing.resolved import PolicyContext, ResolvedPolicy

sys.path.insert(0, str(Path(__file__).parent))
from seatbelt_language import Evaluator

CLOSED = NetworkAccess(enabled=False)
CACHE = "/private/var/folders/c"
WS = "/Users/me/ws"


def canonical(path: str) -> str:
    """Resolve as macOS does, where three directories are links."""
    for link in ("/var", "/tmp", "/etc"):
        if path == link or path.startswith(f"{link}/"):
            return f"/private{path}"
    return path


def written(
    *entries: FileSystemEntry, access: NetworkAccess = CLOSED, env: dict[str, str] | None = None, **more
) -> SeatbeltPolicy:
    files = ResolvedPolicy(FileSystemPolicy("restricted", entries), PolicyContext(cwd=WS, tmpdir="/var/folders/t"))
    return seatbelt_policy(files, access, env or {}, CACHE, canonical=canonical, **more)


def policy(*entries: FileSystemEntry, **more) -> Evaluator:
    made = written(*entries, **more)
    return Evaluator(made.text, made.parameters)


def legacy(wanted: SandboxPolicy) -> Evaluator:
    return policy(*to_split(wanted).file_system.entries)


READ_ALL = FileSystemEntry(ROOT, "read")
WORKSPACE = (READ_ALL, FileSystemEntry(CWD, "write"))


def test_the_base_lets_programs_run_but_not_reach_others() -> None:
    evaluator = policy(READ_ALL)

    assert evaluator.allows("process-exec", "/bin/ls")
    assert evaluator.allows("process-fork")
    assert evaluator.allows("signal", target="same-sandbox")
    assert not evaluator.allows("signal", target="others")
    assert evaluator.allows("sysctl-read", **{"sysctl-name": "hw.ncpu"})
    assert evaluator.allows("sysctl-read", **{"sysctl-name": "hw.perflevel0.physicalcpu"})
    assert not evaluator.allows("sysctl-write", **{"sysctl-name": "kern.hostname"})
    assert evaluator.allows("file-write-data", "/dev/null", **{"vnode-type": "CHARACTER-DEVICE"})
    assert not evaluator.allows("file-write-data", "/dev/null", **{"vnode-type": "REGULAR-FILE"})
    assert evaluator.allows("mach-lookup", **{"global-name": "com.apple.system.opendirectoryd.libinfo"})
    assert not evaluator.allows("mach-lookup", **{"global-name": "com.apple.pasteboard.1"})


def test_terminals_can_be_used() -> None:
    evaluator = policy(READ_ALL)

    assert evaluator.allows("pseudo-tty")
    assert evaluator.allows("file-write-data", "/dev/ptmx")
    assert evaluator.allows("file-ioctl", "/dev/ttys003")


def test_read_only_reads_everything_and_writes_nothing() -> None:
    evaluator = legacy(SandboxPolicy("readOnly"))

    assert evaluator.reads("/etc/passwd")
    assert not any(evaluator.writes(path) for path in (f"{WS}/a", "/private/tmp/a", "/dev/disk0"))


def test_the_workspace_and_temporary_directories_are_writable_under_their_resolved_paths() -> None:
    evaluator = legacy(SandboxPolicy("workspaceWrite", writable_roots=("/opt/x",)))

    assert all(evaluator.writes(path) for path in (WS, f"{WS}/a/b", "/private/var/folders/t/x", "/opt/x/y"))
    assert not any(evaluator.writes(path) for path in (f"{WS}2", "/Users/me/other", "/var/folders/t/x", "/opt"))


@pytest.mark.parametrize("name", PROTECTED)
def test_protected_names_can_be_neither_created_nor_written(name: str) -> None:
    evaluator = policy(*WORKSPACE)

    assert not evaluator.writes(f"{WS}/{name}")
    assert not evaluator.writes(f"{WS}/{name}/config")
    assert evaluator.writes(f"{WS}/sub/{name}/config")
    assert evaluator.writes(f"{WS}/{name}x")


def test_protected_names_are_protected_in_capital_letters_too() -> None:
    evaluator = policy(*WORKSPACE, FileSystemEntry(f"{WS}/.codex", "write"))

    assert not any(evaluator.writes(f"{WS}/{name}") for name in (".GIT", ".Git/hooks/x", ".aGents", ".AWS/config"))
    assert evaluator.writes(f"{WS}/.gitx")
    assert evaluator.writes(f"{WS}/.codex/a")


def test_a_read_only_path_is_read_only_under_every_name_of_its_root() -> None:
    evaluator = policy(READ_ALL, FileSystemEntry("/var/ws", "write"), FileSystemEntry("/private/var/ws/docs", "read"))

    assert evaluator.writes("/private/var/ws/a")
    assert not evaluator.writes("/private/var/ws/docs/a")


def test_a_root_within_a_root_is_protected_too() -> None:
    evaluator = policy(*WORKSPACE, FileSystemEntry(f"{WS}/sub", "write"))

    assert evaluator.writes(f"{WS}/sub/a")
    assert not evaluator.writes(f"{WS}/sub/.git/config")


def test_a_protected_path_that_is_opened_by_name_can_be_written() -> None:
    evaluator = policy(*WORKSPACE, FileSystemEntry(f"{WS}/.git", "write"))

    assert evaluator.writes(f"{WS}/.git/index")
    assert not evaluator.writes(f"{WS}/.codex/a")


def test_a_narrower_path_stays_read_only_and_a_still_narrower_one_can_be_written() -> None:
    evaluator = policy(*WORKSPACE, FileSystemEntry(f"{WS}/docs", "read"), FileSystemEntry(f"{WS}/docs/open", "write"))

    assert not evaluator.writes(f"{WS}/docs/a")
    assert evaluator.writes(f"{WS}/docs/open/a")
    assert evaluator.reads(f"{WS}/docs/a")


def test_a_denied_path_is_inaccessible_except_for_what_is_reopened_in_it() -> None:
    evaluator = policy(*WORKSPACE, FileSystemEntry(f"{WS}/secret", "none"), FileSystemEntry(f"{WS}/secret/pub", "read"))

    assert not evaluator.reads(f"{WS}/secret/key")
    assert not evaluator.writes(f"{WS}/secret")
    assert evaluator.reads(f"{WS}/secret/pub/a")
    assert not evaluator.writes(f"{WS}/secret/pub/a")
    assert evaluator.reads("/etc/passwd")


def test_restricted_reading_allows_the_roots_and_only_the_metadata_of_their_parents() -> None:
    evaluator = policy(FileSystemEntry(CWD, "read"), FileSystemEntry("/data/x", "read"))

    assert evaluator.reads(f"{WS}/a")
    assert evaluator.reads("/data/x/y")
    assert not evaluator.reads("/data/z")
    assert evaluator.allows("file-read-metadata", "/data")
    assert not evaluator.reads("/usr/lib/libSystem.dylib")


def test_platform_defaults_allow_what_programs_need_but_no_home() -> None:
    evaluator = policy(FileSystemEntry(MINIMAL, "read"), FileSystemEntry(CWD, "read"))

    assert evaluator.reads("/usr/lib/libSystem.dylib")
    assert evaluator.reads("/private/etc/hosts")
    assert evaluator.allows("file-map-executable", "/System/Library/x.dylib")
    assert not evaluator.reads("/Users/me/.ssh/id")


def test_platform_defaults_do_not_allow_what_is_denied() -> None:
    evaluator = policy(
        FileSystemEntry(MINIMAL, "read"), FileSystemEntry("/etc/ssl", "none"), FileSystemEntry("/etc/ssl/certs", "read")
    )

    assert not evaluator.reads("/private/etc/ssl/private/key")
    assert evaluator.reads("/private/etc/ssl/certs/a.pem")
    assert evaluator.reads("/private/etc/hosts")


def test_codex_home_is_read_only_except_for_what_is_reopened_in_it() -> None:
    evaluator = policy(*WORKSPACE, FileSystemEntry(f"{WS}/state/room", "write"), home=f"{WS}/state")

    assert not evaluator.writes(f"{WS}/state")
    assert not evaluator.writes(f"{WS}/state/auth.json")
    assert evaluator.writes(f"{WS}/state/room/a")
    assert evaluator.reads(f"{WS}/state/config.toml")


def test_codex_home_is_writable_if_it_is_the_workspace() -> None:
    evaluator = policy(*WORKSPACE, home=WS)

    assert evaluator.writes(f"{WS}/config.toml")
    assert not evaluator.writes(f"{WS}/.git/config")


def test_the_workspace_is_protected_even_if_the_root_directory_is_writable() -> None:
    evaluator = policy(*WORKSPACE, FileSystemEntry("/", "write"))

    assert evaluator.writes("/etc/passwd")
    assert not evaluator.writes(f"{WS}/.git/config")


def test_full_write_writes_everywhere() -> None:
    assert policy(FileSystemEntry(ROOT, "write")).writes("/etc/passwd")


@pytest.mark.parametrize(
    ("pattern", "denied", "open_paths"),
    [
        (f"{WS}/**/*.env", ["a.env", "x/y/.env"], ["a.envx", "env"]),
        (f"{WS}/*.key", ["a.key"], ["x/a.key"]),
        (f"{WS}/?", ["a", "a/b"], ["ab", "ab/c"]),
        (f"{WS}/[!a]x", ["bx"], ["ax", "bbx"]),
        (f"{WS}/[ab^]x", ["ax", "^x"], ["cx"]),
        (f"{WS}/[x.", ["[x."], ["x", "xx"]),
        (f"{WS}/a.b*", ["a.b", "a.bc"], ["axb"]),
    ],
)
def test_denied_patterns_take_precedence_over_all_other_rules(
    pattern: str, denied: list[str], open_paths: list[str]
) -> None:
    evaluator = policy(*WORKSPACE, FileSystemEntry(MINIMAL, "read"), FileSystemEntry(GlobPattern(pattern), "none"))

    assert not any(evaluator.reads(f"{WS}/{name}") or evaluator.writes(f"{WS}/{name}") for name in denied)
    assert all(evaluator.reads(f"{WS}/{name}") and evaluator.writes(f"{WS}/{name}") for name in open_paths)


def test_a_denied_pattern_also_matches_the_resolved_path() -> None:
    evaluator = policy(
        READ_ALL,
        FileSystemEntry(GlobPattern("/var/x/*.key"), "none"),
        FileSystemEntry(GlobPattern("/var/plain"), "none"),
    )

    assert not evaluator.reads("/private/var/x/a.key")
    assert not evaluator.reads("/private/var/plain/deep")
    assert evaluator.reads("/private/var/x/a")


def test_no_network_is_no_rule() -> None:
    evaluator = policy(READ_ALL)

    assert not evaluator.allows("network-outbound", remote="localhost:80")
    assert not evaluator.allows("system-socket", **{"socket-domain": "AF_SYSTEM", "socket-protocol": "2"})


def test_the_whole_network_goes_both_ways() -> None:
    evaluator = policy(READ_ALL, access=NetworkAccess(enabled=True), env={"HTTP_PROXY": "http://proxy.example:3128"})

    assert evaluator.allows("network-outbound", remote="203.0.113.1:443")
    assert evaluator.allows("network-inbound", local="*:8080")
    assert evaluator.writes(f"{CACHE}/x")


def test_a_managed_network_reaches_only_its_proxies() -> None:
    env = {
        "https_proxy": "http://user:word@127.0.0.1:8123",
        "ALL_PROXY": "socks5h://localhost",
        "HTTP_PROXY": "proxy:80",
    }
    evaluator = policy(READ_ALL, access=NetworkAccess(enabled=True, managed=True), env=env)

    assert evaluator.allows("network-outbound", remote="localhost:8123")
    assert evaluator.allows("network-outbound", remote="localhost:1080")
    assert not evaluator.allows("network-outbound", remote="localhost:80")
    assert not evaluator.allows("network-outbound", remote="203.0.113.1:443")
    assert not evaluator.allows("network-bind", local="*:8080")
    assert not evaluator.allows("network-outbound", **{"remote-socket": "/run/x"})


@pytest.mark.parametrize("env", [{}, {"HTTP_PROXY": "http://proxy.example:3128"}, {"HTTP_PROXY": "http://[broken"}])
def test_a_managed_network_without_a_proxy_here_reaches_nothing(env: dict[str, str]) -> None:
    evaluator = policy(READ_ALL, access=NetworkAccess(enabled=True, managed=True), env=env)

    assert not evaluator.allows("network-outbound", remote="localhost:3128")
    assert not evaluator.allows("network-outbound", remote="proxy.example:3128")


def test_servers_on_this_machine_can_be_allowed() -> None:
    access = NetworkAccess(enabled=True, managed=True, local_binding=True)
    evaluator = policy(READ_ALL, access=access, env={"HTTP_PROXY": "localhost:8123"})

    assert evaluator.allows("network-bind", local="*:8080")
    assert evaluator.allows("network-inbound", local="localhost:8080")
    assert evaluator.allows("network-outbound", remote="localhost:8080")
    assert evaluator.allows("network-outbound", remote="203.0.113.1:53")
    assert not evaluator.allows("network-outbound", remote="203.0.113.1:443")


def test_sockets_are_allowed_by_path_sorted_and_without_duplicates() -> None:
    access = NetworkAccess(enabled=True, managed=True, unix_sockets=("/run/b", "/run/a", "relative", "/run/b/"))
    env = {"HTTP_PROXY": "localhost:8123"}
    evaluator = policy(READ_ALL, access=access, env=env)

    sockets = [pair for pair in written(READ_ALL, access=access, env=env).parameters if pair[0].startswith("UNIX")]
    assert sockets == [("UNIX_SOCKET_PATH_0", "/run/a"), ("UNIX_SOCKET_PATH_1", "/run/b")]
    assert evaluator.allows("network-outbound", **{"remote-socket": "/run/b/x.sock"})
    assert evaluator.allows("network-bind", **{"local-socket": "/run/a"})
    assert evaluator.allows("system-socket", **{"socket-domain": "AF_UNIX"})
    assert not evaluator.allows("network-outbound", **{"remote-socket": "/run/c"})


def test_all_sockets_can_be_allowed() -> None:
    access = NetworkAccess(enabled=True, managed=True, unix_sockets="all")

    evaluator = policy(READ_ALL, access=access, env={"HTTP_PROXY": "localhost:8123"})

    assert evaluator.allows("network-outbound", **{"remote-socket": "/anywhere"})


def test_services_of_macos_are_granted_one_by_one() -> None:
    granted = MacosExtensions(
        preferences="read_write", automation=("com.apple.Notes",), reminders=True, accessibility=True
    )
    evaluator = policy(READ_ALL, extensions=granted)

    assert evaluator.allows("user-preference-write")
    assert evaluator.allows("appleevent-send", **{"appleevent-destination": "com.apple.Notes"})
    assert not evaluator.allows("appleevent-send", **{"appleevent-destination": "com.apple.Mail"})
    assert evaluator.allows("mach-lookup", **{"global-name": "com.apple.remindd"})
    assert evaluator.allows("mach-lookup", **{"global-name": "com.apple.CalendarAgent"})
    assert evaluator.allows("mach-lookup", **{"local-name": "com.apple.axserver"})
    assert not evaluator.allows("lsopen")


def test_every_service_of_macos_can_be_granted() -> None:
    granted = MacosExtensions(automation="all", launch_services=True, calendar=True, contacts="read_write")
    evaluator = policy(READ_ALL, extensions=granted)

    assert evaluator.allows("appleevent-send", **{"appleevent-destination": "com.apple.Mail"})
    assert evaluator.allows("lsopen")
    assert evaluator.allows("mach-lookup", **{"global-name": "com.apple.lsd.modifydb"})
    assert not evaluator.allows("mach-lookup", **{"global-name": "com.apple.remindd"})
    assert evaluator.writes("/Users/me/Library/Application Support/AddressBook/x")


def test_granting_nothing_adds_nothing() -> None:
    assert written(READ_ALL, extensions=MacosExtensions(preferences="none")).text == written(READ_ALL).text


def test_no_path_is_part_of_the_text() -> None:
    evil = '/Users/me/a") (allow default) ("'
    made = written(READ_ALL, FileSystemEntry(evil, "write"), FileSystemEntry(f"{evil}/b", "none"))
    evaluator = Evaluator(made.text, made.parameters)

    assert evil not in made.text
    assert evaluator.writes(f"{evil}/x")
    assert not evaluator.writes("/etc/passwd")


def test_parameters_come_in_the_order_of_the_sections() -> None:
    access = NetworkAccess(enabled=True, managed=True, unix_sockets=("/run/a",))
    made = written(FileSystemEntry(CWD, "write"), access=access, env={"HTTP_PROXY": "localhost:1"})

    kinds = [name.split("_ROOT")[0].split("_PATH")[0] for name, _ in made.parameters]
    assert list(dict.fromkeys(kinds)) == ["READABLE", "WRITABLE", "UNIX_SOCKET", "DARWIN_USER_CACHE_DIR"]


names = st.sampled_from(["a", "b", "c"])
paths = st.lists(names, max_size=4).map(lambda parts: "/" + "/".join(parts))
entries = st.lists(
    st.builds(FileSystemEntry, paths, st.sampled_from(["read", "write", "none"])), min_size=1, max_size=6
)


@given(entries, paths)
def test_the_text_agrees_with_the_policy(rules: list[FileSystemEntry], path: str) -> None:
    files = ResolvedPolicy(FileSystemPolicy("restricted", tuple(rules)), PolicyContext(cwd="/a"))
    made = seatbelt_policy(files, CLOSED, {}, CACHE, canonical=str)

    evaluator = Evaluator(made.text, made.parameters)

    assert evaluator.reads(path) == (files.access(path) != "none")
    assert evaluator.writes(path) == (files.access(path) == "write")
