"""The plan follows from the policy, the disk and the kernel; what can't be enforced is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from codex_hookspecs.errors import SandboxUnavailable
from codex_hookspecs.sandbox import CWD, MINIMAL, ROOT, FileSystemEntry, FileSystemPolicy, GlobPattern
from codex_sandbox_landlock import rights
from codex_sandbox_landlock.kernel import Kernel
from codex_sandbox_landlock.plan import Plan, plan
from codex_sandboxing.resolved import PolicyContext, ResolvedPolicy

FULL = Kernel(7)
BARE = Kernel(7, "Operation not permitted")
READ_ALL = FileSystemEntry(ROOT, "read")
WORKSPACE = (READ_ALL, FileSystemEntry(CWD, "write"))


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "ws"
    folder.mkdir()
    return folder


def planned(
    cwd: Path, *entries: FileSystemEntry, kernel: Kernel = FULL, network: bool = False, unprotected: bool = False
) -> Plan:
    resolved = ResolvedPolicy(FileSystemPolicy("restricted", entries), PolicyContext(cwd=str(cwd)))
    return plan(resolved, network=network, kernel=kernel, mode="workspace-write", unprotected=unprotected)


def refusal(cwd: Path, *entries: FileSystemEntry, kernel: Kernel = FULL) -> str:
    with pytest.raises(SandboxUnavailable) as caught:
        planned(cwd, *entries, kernel=kernel)
    return str(caught.value)


def values(made: Plan, operation: str) -> list[str]:
    return [value for name, value in made.operations if name == operation]


def test_a_read_only_policy_makes_the_tree_read_only_and_has_no_rule_for_reading(workspace: Path) -> None:
    made = planned(workspace, READ_ALL)

    assert values(made, "unshare") == ["user,mounts,ipc,pids,network"]
    assert values(made, "readonly") == ["/"]
    assert values(made, "landlock") == [f"7,{rights.write_rights(7)},3,3"]


def test_a_writable_root_is_bound_and_what_is_protected_in_it_pinned(workspace: Path) -> None:
    (workspace / ".git").mkdir()

    made = planned(workspace, *WORKSPACE)

    mounts = [each for each in made.operations if each[0] in ("bind", "pin")]
    assert mounts[0] == ("bind", str(workspace))
    assert ("pin", f"{workspace}/.git") in mounts
    assert made.missing == tuple(f"{workspace}/{name}" for name in (".agents", ".codex", ".aws"))


def test_mounts_go_from_the_outside_to_the_inside(workspace: Path) -> None:
    (workspace / "docs" / "open").mkdir(parents=True)
    entries = (
        *WORKSPACE,
        FileSystemEntry(f"{workspace}/docs", "read"),
        FileSystemEntry(f"{workspace}/docs/open", "write"),
    )

    made = planned(workspace, *entries)

    order = [each for each in made.operations if str(workspace) in each[1] and each[0] in ("bind", "pin")]
    wanted = [("bind", str(workspace)), ("pin", f"{workspace}/docs"), ("bind", f"{workspace}/docs/open")]
    assert [each for each in order if each in wanted] == wanted


def test_a_denied_directory_is_hidden(workspace: Path) -> None:
    (workspace / "secret").mkdir()

    made = planned(workspace, *WORKSPACE, FileSystemEntry(f"{workspace}/secret", "none"))

    assert values(made, "hide") == [f"{workspace}/secret"]


def test_restricted_reading_is_enforced_by_rules(workspace: Path) -> None:
    made = planned(workspace, FileSystemEntry(MINIMAL, "read"), FileSystemEntry(CWD, "read"))

    assert f"{rights.READ}:{workspace}" in values(made, "allow")
    assert f"{rights.READ}:{os.path.realpath('/usr')}" in values(made, "allow")
    assert values(made, "landlock") == [f"7,{rights.write_rights(7) | rights.READ},3,3"]


def test_an_open_network_keeps_its_namespace_and_its_ports(workspace: Path) -> None:
    made = planned(workspace, READ_ALL, network=True)

    assert values(made, "unshare") == ["user,mounts,ipc,pids"]
    assert values(made, "landlock") == [f"7,{rights.write_rights(7)},0,{rights.SCOPE_SIGNAL}"]


@pytest.mark.parametrize(("abi", "files"), [(1, 0x1FF2), (2, 0x3FF2), (3, 0x7FF2), (5, 0xFFF2)])
def test_the_ruleset_has_only_rights_that_the_kernel_knows(workspace: Path, abi: int, files: int) -> None:
    made = planned(workspace, READ_ALL, kernel=Kernel(abi))

    assert values(made, "landlock") == [f"{abi},{files},{3 if abi >= 4 else 0},0"]


def test_without_namespaces_a_read_only_policy_is_enforced(workspace: Path) -> None:
    made = planned(workspace, READ_ALL, kernel=BARE)

    assert {name for name, _ in made.operations} == {"landlock", "allow"}
    assert not made.metadata


def test_without_namespaces_a_writable_root_is_refused_with_reason_and_remedy(workspace: Path) -> None:
    text = refusal(workspace, *WORKSPACE, kernel=BARE)

    assert "sandbox-landlock can't enforce the sandbox policy workspace-write" in text
    assert "Operation not permitted" in text
    assert "plugins.sandbox-landlock.unprotected=true" in text
    assert "bubblewrap" in text
    assert "\n" not in text


def test_the_user_can_accept_that_protected_names_are_writable(workspace: Path) -> None:
    made = planned(workspace, *WORKSPACE, kernel=BARE, unprotected=True)

    assert f"{rights.write_rights(7)}:{workspace}" in values(made, "allow")
    assert values(made, "pin") == []


def test_accepting_writable_names_does_not_make_read_only_paths_of_the_policy_writable(workspace: Path) -> None:
    (workspace / "docs").mkdir()

    with pytest.raises(SandboxUnavailable, match=r"docs read-only inside a writable tree"):
        planned(workspace, *WORKSPACE, FileSystemEntry(f"{workspace}/docs", "read"), kernel=BARE, unprotected=True)


def test_accepting_writable_names_does_not_let_a_link_to_the_workspace_be_replaced(workspace: Path) -> None:
    (workspace.parent / "link").symlink_to("/usr")
    entries = (READ_ALL, FileSystemEntry(CWD, "write"), FileSystemEntry(str(workspace.parent), "write"))

    with pytest.raises(SandboxUnavailable, match="link has to be protected, which takes namespaces"):
        planned(workspace.parent / "link", *entries, kernel=BARE, unprotected=True)


def test_a_kernel_without_landlock_is_refused(workspace: Path) -> None:
    assert "this kernel has no Landlock" in refusal(workspace, READ_ALL, kernel=Kernel(0))


def test_what_a_pattern_matches_is_hidden(workspace: Path) -> None:
    (workspace / "x.env").touch()

    made = planned(workspace, *WORKSPACE, FileSystemEntry(GlobPattern(f"{workspace}/**/*.env"), "none"))

    assert values(made, "hide") == [f"{workspace}/x.env"]
    assert f"{rights.READ}:/" in values(made, "allow")


def test_without_namespaces_what_a_pattern_matches_is_refused(workspace: Path) -> None:
    (workspace / "x.env").touch()

    text = refusal(workspace, READ_ALL, FileSystemEntry(GlobPattern(f"{workspace}/**/*.env"), "none"), kernel=BARE)

    assert f"it denies {workspace}/x.env inside a readable tree" in text


def test_a_path_reopened_below_a_denied_one_is_mounted_after_it(workspace: Path) -> None:
    (workspace / "secret" / "pub").mkdir(parents=True)
    entries = (FileSystemEntry(f"{workspace}/secret", "none"), FileSystemEntry(f"{workspace}/secret/pub", "read"))

    operations = planned(workspace, *WORKSPACE, *entries).operations

    assert operations.index(("hide", f"{workspace}/secret")) < operations.index(("pin", f"{workspace}/secret/pub"))


def test_the_parents_of_a_mount_are_mounts_too_and_can_not_be_renamed(workspace: Path) -> None:
    (workspace / "a" / "b" / "docs").mkdir(parents=True)

    made = planned(workspace, *WORKSPACE, FileSystemEntry(f"{workspace}/a/b/docs", "read"))

    assert values(made, "bind") == [str(workspace), f"{workspace}/a", f"{workspace}/a/b"]


def test_a_protected_path_that_is_a_link_is_pinned(workspace: Path) -> None:
    (workspace / ".git").symlink_to(workspace.parent)

    assert values(planned(workspace, *WORKSPACE), "pin-link") == [f"{workspace}/.git"]


def test_a_rule_through_a_link_that_the_command_could_replace_pins_the_link(workspace: Path) -> None:
    (workspace / "real" / "secret").mkdir(parents=True)
    (workspace / "link").symlink_to("real")

    made = planned(workspace, *WORKSPACE, FileSystemEntry(f"{workspace}/link/secret", "none"))

    assert values(made, "pin-link") == [f"{workspace}/link"]
    assert values(made, "hide") == [f"{workspace}/real/secret"]
    assert f"{workspace}/real" in values(made, "bind")


def test_where_everything_is_writable_the_parents_of_a_read_only_path_can_not_be_renamed(workspace: Path) -> None:
    made = planned(workspace, FileSystemEntry(ROOT, "write"), FileSystemEntry(f"{workspace}/docs", "read"))

    assert values(made, "bind") == [*map(str, reversed(workspace.parents)), str(workspace)][1:]
    assert made.missing == (f"{workspace}/docs",)


def test_a_root_that_does_not_exist_is_left_out(workspace: Path) -> None:
    made = planned(workspace, READ_ALL, FileSystemEntry(f"{workspace}/none", "write"))

    assert values(made, "bind") == []
