"""A policy in the language of macOS allows what the policy means and nothing else."""

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
from codex_sandbox_seatbelt.network import Reach
from codex_sandbox_seatbelt.policy import SeatbeltPolicy, seatbelt_policy
from codex_sandboxing.legacy import to_split
from codex_sandboxing.resolved import PolicyContext, ResolvedPolicy

sys.path.insert(0, str(Path(__file__).parent))
from seatbelt_language import Evaluator

CLOSED = Reach(enabled=False)
CACHE = "/private/var/folders/c"
WS = "/Users/me/ws"


def canonical(path: str) -> str:
    """Resolve as macOS does, where three directories are links."""
    for link in ("/var", "/tmp", "/etc"):
        if path == link or path.startswith(f"{link}/"):
            return f"/private{path}"
    return path


def written(
    *entries: FileSystemEntry, reach: Reach = CLOSED, env: dict[str, str] | None = None, **more
) -> SeatbeltPolicy:
    files = ResolvedPolicy(FileSystemPolicy("restricted", entries), PolicyContext(cwd=WS, tmpdir="/var/folders/t"))
    return seatbelt_policy(files, reach, env or {}, CACHE, canonical=canonical, **more)


def policy(*entries: FileSystemEntry, **more) -> Evaluator:
    made = written(*entries, **more)
    return Evaluator(made.text, made.parameters)


def legacy(wanted: SandboxPolicy) -> Evaluator:
    return policy(*to_split(wanted).file_system.entries)


READ_ALL = FileSystemEntry(ROOT, "read")
WORKSPACE = (READ_ALL, FileSystemEntry(CWD, "write"))


def test_the_base_lets_programs_run_but_not_reach_others() -> None:
    held = policy(READ_ALL)

    assert held.allows("process-exec", "/bin/ls")
    assert held.allows("process-fork")
    assert held.allows("signal", target="same-sandbox")
    assert not held.allows("signal", target="others")
    assert held.allows("sysctl-read", **{"sysctl-name": "hw.ncpu"})
    assert held.allows("sysctl-read", **{"sysctl-name": "hw.perflevel0.physicalcpu"})
    assert not held.allows("sysctl-write", **{"sysctl-name": "kern.hostname"})
    assert held.allows("file-write-data", "/dev/null", **{"vnode-type": "CHARACTER-DEVICE"})
    assert not held.allows("file-write-data", "/dev/null", **{"vnode-type": "REGULAR-FILE"})
    assert held.allows("mach-lookup", **{"global-name": "com.apple.system.opendirectoryd.libinfo"})
    assert not held.allows("mach-lookup", **{"global-name": "com.apple.pasteboard.1"})


def test_terminals_can_be_used() -> None:
    held = policy(READ_ALL)

    assert held.allows("pseudo-tty")
    assert held.allows("file-write-data", "/dev/ptmx")
    assert held.allows("file-ioctl", "/dev/ttys003")


def test_read_only_reads_everything_and_writes_nothing() -> None:
    held = legacy(SandboxPolicy("readOnly"))

    assert held.reads("/etc/passwd")
    assert not any(held.writes(path) for path in (f"{WS}/a", "/private/tmp/a", "/dev/disk0"))


def test_the_workspace_and_temporary_directories_can_be_written_at_their_real_places() -> None:
    held = legacy(SandboxPolicy("workspaceWrite", writable_roots=("/opt/x",)))

    assert all(held.writes(path) for path in (WS, f"{WS}/a/b", "/private/var/folders/t/x", "/opt/x/y"))
    assert not any(held.writes(path) for path in (f"{WS}2", "/Users/me/other", "/var/folders/t/x", "/opt"))


@pytest.mark.parametrize("name", [".git", ".agents", ".codex", ".aws"])
def test_protected_names_can_be_neither_made_nor_written(name: str) -> None:
    held = policy(*WORKSPACE)

    assert not held.writes(f"{WS}/{name}")
    assert not held.writes(f"{WS}/{name}/config")
    assert held.writes(f"{WS}/sub/{name}/config")
    assert held.writes(f"{WS}/{name}x")


def test_protected_names_are_so_in_capital_letters_too() -> None:
    held = policy(*WORKSPACE, FileSystemEntry(f"{WS}/.codex", "write"))

    assert not any(held.writes(f"{WS}/{name}") for name in (".GIT", ".Git/hooks/x", ".aGents", ".AWS/config"))
    assert held.writes(f"{WS}/.gitx")
    assert held.writes(f"{WS}/.codex/a")


def test_what_is_closed_is_closed_under_every_name_of_its_root() -> None:
    held = policy(READ_ALL, FileSystemEntry("/var/ws", "write"), FileSystemEntry("/private/var/ws/docs", "read"))

    assert held.writes("/private/var/ws/a")
    assert not held.writes("/private/var/ws/docs/a")


def test_a_root_within_a_root_is_protected_too() -> None:
    held = policy(*WORKSPACE, FileSystemEntry(f"{WS}/sub", "write"))

    assert held.writes(f"{WS}/sub/a")
    assert not held.writes(f"{WS}/sub/.git/config")


def test_a_protected_path_that_is_opened_by_name_can_be_written() -> None:
    held = policy(*WORKSPACE, FileSystemEntry(f"{WS}/.git", "write"))

    assert held.writes(f"{WS}/.git/index")
    assert not held.writes(f"{WS}/.codex/a")


def test_a_narrower_path_stays_read_only_and_a_still_narrower_one_can_be_written() -> None:
    held = policy(*WORKSPACE, FileSystemEntry(f"{WS}/docs", "read"), FileSystemEntry(f"{WS}/docs/open", "write"))

    assert not held.writes(f"{WS}/docs/a")
    assert held.writes(f"{WS}/docs/open/a")
    assert held.reads(f"{WS}/docs/a")


def test_a_denied_path_can_not_be_touched_but_what_is_opened_in_it() -> None:
    held = policy(*WORKSPACE, FileSystemEntry(f"{WS}/secret", "none"), FileSystemEntry(f"{WS}/secret/pub", "read"))

    assert not held.reads(f"{WS}/secret/key")
    assert not held.writes(f"{WS}/secret")
    assert held.reads(f"{WS}/secret/pub/a")
    assert not held.writes(f"{WS}/secret/pub/a")
    assert held.reads("/etc/passwd")


def test_restricted_reading_knows_the_roots_and_their_ancestors_by_name_alone() -> None:
    held = policy(FileSystemEntry(CWD, "read"), FileSystemEntry("/data/x", "read"))

    assert held.reads(f"{WS}/a")
    assert held.reads("/data/x/y")
    assert not held.reads("/data/z")
    assert held.allows("file-read-metadata", "/data")
    assert not held.reads("/usr/lib/libSystem.dylib")


def test_platform_defaults_open_what_programs_need_but_no_home() -> None:
    held = policy(FileSystemEntry(MINIMAL, "read"), FileSystemEntry(CWD, "read"))

    assert held.reads("/usr/lib/libSystem.dylib")
    assert held.reads("/private/etc/hosts")
    assert held.allows("file-map-executable", "/System/Library/x.dylib")
    assert not held.reads("/Users/me/.ssh/id")


def test_platform_defaults_do_not_open_what_is_denied() -> None:
    held = policy(
        FileSystemEntry(MINIMAL, "read"), FileSystemEntry("/etc/ssl", "none"), FileSystemEntry("/etc/ssl/certs", "read")
    )

    assert not held.reads("/private/etc/ssl/private/key")
    assert held.reads("/private/etc/ssl/certs/a.pem")
    assert held.reads("/private/etc/hosts")


def test_the_programs_own_directory_can_not_be_written_but_what_is_opened_in_it() -> None:
    held = policy(*WORKSPACE, FileSystemEntry(f"{WS}/state/room", "write"), home=f"{WS}/state")

    assert not held.writes(f"{WS}/state")
    assert not held.writes(f"{WS}/state/auth.json")
    assert held.writes(f"{WS}/state/room/a")
    assert held.reads(f"{WS}/state/config.toml")


def test_who_works_in_the_programs_own_directory_can_write_it() -> None:
    held = policy(*WORKSPACE, home=WS)

    assert held.writes(f"{WS}/config.toml")
    assert not held.writes(f"{WS}/.git/config")


def test_the_workspace_is_protected_beside_a_root_that_is_everything() -> None:
    held = policy(*WORKSPACE, FileSystemEntry("/", "write"))

    assert held.writes("/etc/passwd")
    assert not held.writes(f"{WS}/.git/config")


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
def test_denied_patterns_are_denied_whatever_else_allows(
    pattern: str, denied: list[str], open_paths: list[str]
) -> None:
    held = policy(*WORKSPACE, FileSystemEntry(MINIMAL, "read"), FileSystemEntry(GlobPattern(pattern), "none"))

    assert not any(held.reads(f"{WS}/{name}") or held.writes(f"{WS}/{name}") for name in denied)
    assert all(held.reads(f"{WS}/{name}") and held.writes(f"{WS}/{name}") for name in open_paths)


def test_a_denied_pattern_holds_at_the_real_place_of_its_path() -> None:
    held = policy(
        READ_ALL,
        FileSystemEntry(GlobPattern("/var/x/*.key"), "none"),
        FileSystemEntry(GlobPattern("/var/plain"), "none"),
    )

    assert not held.reads("/private/var/x/a.key")
    assert not held.reads("/private/var/plain/deep")
    assert held.reads("/private/var/x/a")


def test_no_network_is_no_rule() -> None:
    held = policy(READ_ALL)

    assert not held.allows("network-outbound", remote="localhost:80")
    assert not held.allows("system-socket", **{"socket-domain": "AF_SYSTEM", "socket-protocol": "2"})


def test_the_whole_network_goes_both_ways() -> None:
    held = policy(READ_ALL, reach=Reach(enabled=True), env={"HTTP_PROXY": "http://proxy.example:3128"})

    assert held.allows("network-outbound", remote="203.0.113.1:443")
    assert held.allows("network-inbound", local="*:8080")
    assert held.writes(f"{CACHE}/x")


def test_a_managed_network_reaches_its_proxies_alone() -> None:
    env = {
        "https_proxy": "http://user:word@127.0.0.1:8123",
        "ALL_PROXY": "socks5h://localhost",
        "HTTP_PROXY": "proxy:80",
    }
    held = policy(READ_ALL, reach=Reach(enabled=True, managed=True), env=env)

    assert held.allows("network-outbound", remote="localhost:8123")
    assert held.allows("network-outbound", remote="localhost:1080")
    assert not held.allows("network-outbound", remote="localhost:80")
    assert not held.allows("network-outbound", remote="203.0.113.1:443")
    assert not held.allows("network-bind", local="*:8080")
    assert not held.allows("network-outbound", **{"remote-socket": "/run/x"})


@pytest.mark.parametrize("env", [{}, {"HTTP_PROXY": "http://proxy.example:3128"}, {"HTTP_PROXY": "http://[broken"}])
def test_a_managed_network_without_a_proxy_here_reaches_nothing(env: dict[str, str]) -> None:
    held = policy(READ_ALL, reach=Reach(enabled=True, managed=True), env=env)

    assert not held.allows("network-outbound", remote="localhost:3128")
    assert not held.allows("network-outbound", remote="proxy.example:3128")


def test_servers_on_this_machine_can_be_allowed() -> None:
    reach = Reach(enabled=True, managed=True, local_binding=True)
    held = policy(READ_ALL, reach=reach, env={"HTTP_PROXY": "localhost:8123"})

    assert held.allows("network-bind", local="*:8080")
    assert held.allows("network-inbound", local="localhost:8080")
    assert held.allows("network-outbound", remote="localhost:8080")
    assert held.allows("network-outbound", remote="203.0.113.1:53")
    assert not held.allows("network-outbound", remote="203.0.113.1:443")


def test_sockets_are_opened_by_path_sorted_and_each_once() -> None:
    reach = Reach(enabled=True, managed=True, unix_sockets=("/run/b", "/run/a", "relative", "/run/b/"))
    env = {"HTTP_PROXY": "localhost:8123"}
    held = policy(READ_ALL, reach=reach, env=env)

    sockets = [pair for pair in written(READ_ALL, reach=reach, env=env).parameters if pair[0].startswith("UNIX")]
    assert sockets == [("UNIX_SOCKET_PATH_0", "/run/a"), ("UNIX_SOCKET_PATH_1", "/run/b")]
    assert held.allows("network-outbound", **{"remote-socket": "/run/b/x.sock"})
    assert held.allows("network-bind", **{"local-socket": "/run/a"})
    assert held.allows("system-socket", **{"socket-domain": "AF_UNIX"})
    assert not held.allows("network-outbound", **{"remote-socket": "/run/c"})


def test_all_sockets_can_be_opened() -> None:
    reach = Reach(enabled=True, managed=True, unix_sockets="all")

    held = policy(READ_ALL, reach=reach, env={"HTTP_PROXY": "localhost:8123"})

    assert held.allows("network-outbound", **{"remote-socket": "/anywhere"})


def test_services_of_macos_are_opened_one_by_one() -> None:
    granted = MacosExtensions(
        preferences="read_write", automation=("com.apple.Notes",), reminders=True, accessibility=True
    )
    held = policy(READ_ALL, extensions=granted)

    assert held.allows("user-preference-write")
    assert held.allows("appleevent-send", **{"appleevent-destination": "com.apple.Notes"})
    assert not held.allows("appleevent-send", **{"appleevent-destination": "com.apple.Mail"})
    assert held.allows("mach-lookup", **{"global-name": "com.apple.remindd"})
    assert held.allows("mach-lookup", **{"global-name": "com.apple.CalendarAgent"})
    assert held.allows("mach-lookup", **{"local-name": "com.apple.axserver"})
    assert not held.allows("lsopen")


def test_every_service_of_macos_can_be_granted() -> None:
    granted = MacosExtensions(automation="all", launch_services=True, calendar=True, contacts="read_write")
    held = policy(READ_ALL, extensions=granted)

    assert held.allows("appleevent-send", **{"appleevent-destination": "com.apple.Mail"})
    assert held.allows("lsopen")
    assert held.allows("mach-lookup", **{"global-name": "com.apple.lsd.modifydb"})
    assert not held.allows("mach-lookup", **{"global-name": "com.apple.remindd"})
    assert held.writes("/Users/me/Library/Application Support/AddressBook/x")


def test_granting_nothing_adds_nothing() -> None:
    assert written(READ_ALL, extensions=MacosExtensions(preferences="none")).text == written(READ_ALL).text


def test_no_path_is_part_of_the_text() -> None:
    evil = '/Users/me/a") (allow default) ("'
    made = written(READ_ALL, FileSystemEntry(evil, "write"), FileSystemEntry(f"{evil}/b", "none"))
    held = Evaluator(made.text, made.parameters)

    assert evil not in made.text
    assert held.writes(f"{evil}/x")
    assert not held.writes("/etc/passwd")


def test_parameters_come_in_the_order_of_the_sections() -> None:
    reach = Reach(enabled=True, managed=True, unix_sockets=("/run/a",))
    made = written(FileSystemEntry(CWD, "write"), reach=reach, env={"HTTP_PROXY": "localhost:1"})

    kinds = [name.split("_ROOT")[0].split("_PATH")[0] for name, _ in made.parameters]
    assert list(dict.fromkeys(kinds)) == ["READABLE", "WRITABLE", "UNIX_SOCKET", "DARWIN_USER_CACHE_DIR"]


names = st.sampled_from(["a", "b", "c"])
paths = st.lists(names, max_size=4).map(lambda parts: "/" + "/".join(parts))
entries = st.lists(
    st.builds(FileSystemEntry, paths, st.sampled_from(["read", "write", "none"])), min_size=1, max_size=6
)


@given(entries, paths)
def test_the_text_means_what_the_policy_means(rules: list[FileSystemEntry], path: str) -> None:
    files = ResolvedPolicy(FileSystemPolicy("restricted", tuple(rules)), PolicyContext(cwd="/a"))
    made = seatbelt_policy(files, CLOSED, {}, CACHE, canonical=str)

    held = Evaluator(made.text, made.parameters)

    assert held.reads(path) == (files.access(path) != "none")
    assert held.writes(path) == (files.access(path) == "write")
