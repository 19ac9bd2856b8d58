"""The arguments of bwrap are those of Codex 0.118 where its behaviour is kept, and more where more is protected."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codex_hookspecs.errors import SandboxUnavailable
from codex_hookspecs.sandbox import (
    FileSystemEntry,
    FileSystemPolicy,
    GlobPattern,
    LaunchRequest,
    Permissions,
    SandboxPolicy,
    SpecialPath,
)
from codex_sandbox_bwrap.arguments import BwrapOptions, bwrap_arguments
from codex_sandbox_bwrap.link_mounts import with_link_mounts
from codex_sandbox_bwrap.mounts import NOTHING, MountPlan, plan_mounts
from codex_sandboxing.core_form import read_policy
from codex_sandboxing.legacy import to_split
from codex_sandboxing.protected_paths import PROTECTED
from codex_sandboxing.requests import resolved
from codex_sandboxing.resolved import PolicyContext, ResolvedPolicy
from codex_sandboxing.split_form import read_file_system

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "bwrap-0.118.json").read_text())
CHANGED = {
    "workspace_write_codex_symlink_to_dir": "a link is protected itself, not masked",
    "workspace_write_codex_symlink_to_file": "a link is protected itself, not masked",
}
KEPT = sorted(set(RECORDED) - set(CHANGED))
READ_ALL = FileSystemEntry(SpecialPath("root"), "read")
READ_ONLY = SandboxPolicy("readOnly")
ONLY_WORKSPACE = {"type": "workspace-write", "exclude_tmpdir_env_var": True, "exclude_slash_tmp": True}


@pytest.fixture
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("base").resolve()


def build(base: Path, case: str) -> Path:
    """Make the workspace that a case was recorded in."""
    workspace = base / "ws"
    bare = ("nothing_protected_exists", "git_file", "codex_symlink", "agents_is_file")
    if not any(mark in case for mark in bare):
        for name in (".git", ".agents", ".codex"):
            (workspace / name).mkdir(parents=True)
    workspace.mkdir(exist_ok=True)
    if "extra_root" in case:
        for name in (".git", ".codex"):
            (base / "extra" / name).mkdir(parents=True)
    if "nested_root" in case:
        (workspace / "sub" / ".git").mkdir(parents=True)
    if "git_file" in case:
        target = (workspace if "inside" in case else base) / "gd" / "x"
        target.mkdir(parents=True)
        (workspace / ".git").write_text(f"gitdir: {os.path.relpath(target, workspace)}\n")
        (workspace / ".codex").mkdir()
    if "agents_is_file" in case:
        (workspace / ".agents").write_text("")
        (workspace / ".codex").mkdir()
    if "deny" in case or "carveout" in case:
        (workspace / "secret" / "pub").mkdir(parents=True)
        (workspace / "s.txt").write_text("s")
    return workspace


def located(value: Any, base: Path) -> Any:
    text = json.dumps(value).replace("$WS", str(base / "ws")).replace("$BASE", str(base))
    return json.loads(text)


def planned(base: Path, recorded: dict[str, Any]) -> MountPlan:
    policy = read_policy(recorded["policy"])
    permissions = None
    if "file_system" in recorded:
        permissions = Permissions(read_file_system(recorded["file_system"]), to_split(policy).network)
    workspace = str(base / "ws")
    return plan_mounts(
        resolved(LaunchRequest(argv=("true",), cwd=workspace, env={}, policy=policy, permissions=permissions))
    )


def operations(arguments: Iterator[str]) -> list[tuple[str, ...]]:
    """Split mounts into single operations; descriptors are left out."""
    sizes = {"--ro-bind": 2, "--bind": 2, "--ro-bind-data": 2, "--perms": 1}
    found: list[tuple[str, ...]] = []
    for word in arguments:
        operands = tuple(next(arguments) for _ in range(sizes.get(word, 1)))
        found.append((word, operands[1]) if word == "--ro-bind-data" else (word, *operands))
    return found


def comparable(found: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Translate recorded mounts: a placeholder for a masked missing path, and no mount that a later one repeats."""
    own = [(word, operands[-1], operands[-1]) if operands[0] == os.devnull else (word, *operands)
           for word, *operands in found]  # fmt: skip
    return [each for index, each in enumerate(own) if each[0] != "--ro-bind" or each not in own[index + 1 :]]


@pytest.mark.parametrize("case", KEPT)
def test_mounts_are_those_of_codex_and_further_ones_that_protect_more(case: str, base: Path) -> None:
    build(base, case)
    recorded = located(RECORDED[case], base)

    ours = operations(iter(planned(base, recorded).arguments))

    theirs = comparable(operations(iter(recorded["mounts"])))
    added = [each for each in ours if each not in theirs]
    assert [each for each in ours if each not in added] == theirs
    kept_in_place = {("--bind", str(way), str(way)) for way in (base / "ws" / "gd", *base.parents, base)}
    assert all(each in kept_in_place or (each[0] == "--ro-bind" and Path(each[-1]).name in PROTECTED) for each in added)


@pytest.mark.parametrize("name", PROTECTED)
def test_what_is_protected_by_default_is_protected_whether_it_exists_or_not(name: str, base: Path) -> None:
    workspace = build(base, "nothing_protected_exists")
    recorded = {"policy": ONLY_WORKSPACE}

    missing = planned(base, recorded)
    (workspace / name).mkdir()
    there = planned(base, recorded)

    path = str(workspace / name)
    assert path in missing.missing
    assert path not in there.missing
    assert missing.arguments == there.arguments


@pytest.mark.parametrize("target", ["directory", "file", "nothing"])
def test_a_protected_link_can_not_be_replaced_and_its_target_is_read_only(target: str, base: Path) -> None:
    workspace = build(base, "nothing_protected_exists")
    if target == "directory":
        (workspace / "decoy").mkdir()
    elif target == "file":
        (workspace / "decoy").write_text("")
    (workspace / ".codex").symlink_to(workspace / "decoy")

    plan = planned(base, {"policy": ONLY_WORKSPACE})

    decoy = str(workspace / "decoy")
    assert plan.links == (f"{workspace}/.codex",)
    assert ("--ro-bind", decoy, decoy) in operations(iter(plan.arguments))
    assert (decoy in plan.missing) == (target == "nothing")


def test_links_are_mounted_by_a_program_inside_that_does_not_get_the_loader_variables() -> None:
    words, loader_variables = with_link_mounts(("/w/.git",), {"LD_PRELOAD": "/w/x.so"}, ["ls", "-l"])

    assert words[1:4] == ["-I", "-S", "-c"]
    assert words[5:] == ["1", "/w/.git", "1", "LD_PRELOAD=/w/x.so", "ls", "-l"]
    assert loader_variables == {}


def test_without_a_new_proc_that_of_the_machine_is_read_only_too() -> None:
    options = BwrapOptions(
        ("--bind", "/", "/"),
        network=False,
        proc=False,
        proc_read_only=("/proc/sys",),
        new_session=True,
        filter_descriptor=9,
        capabilities=("CAP_X",),
    )

    arguments = " ".join(bwrap_arguments(options, ["true"], lambda: 3))

    assert "--ro-bind /proc/sys /proc/sys --cap-drop ALL --cap-add CAP_X --seccomp 9" in arguments
    assert "--proc /proc" not in arguments


def test_a_link_is_refused_when_the_policy_does_not_let_everything_be_read(base: Path) -> None:
    workspace = build(base, "nothing_protected_exists")
    (workspace / ".git").symlink_to("/nowhere")
    files = FileSystemPolicy(
        "restricted", (FileSystemEntry(SpecialPath("minimal"), "read"), FileSystemEntry(str(workspace), "write"))
    )

    with pytest.raises(
        SandboxUnavailable, match=r"the link .*/\.git has to be protected, which needs a policy that lets everything"
    ):
        plan_mounts(ResolvedPolicy(files, PolicyContext(cwd=str(workspace))))


def test_what_a_pattern_matches_is_masked(base: Path) -> None:
    workspace = build(base, "nothing_protected_exists")
    (workspace / "d.env").mkdir()
    (workspace / "x.env").touch()
    files = FileSystemPolicy("restricted", (READ_ALL, FileSystemEntry(GlobPattern(f"{workspace}/**/*.env"), "none")))

    found = operations(iter(plan_mounts(ResolvedPolicy(files, PolicyContext(cwd=str(workspace)))).arguments))

    assert ("--tmpfs", f"{workspace}/d.env") in found
    assert ("--ro-bind-data", f"{workspace}/x.env") in found


def test_many_masked_files_take_no_more_descriptors_than_there_are(base: Path) -> None:
    workspace = build(base, "nothing_protected_exists")
    for number in range(100):
        (workspace / f"{number}.env").touch()
    files = FileSystemPolicy("restricted", (READ_ALL, FileSystemEntry(GlobPattern(f"{workspace}/*.env"), "none")))

    arguments = plan_mounts(ResolvedPolicy(files, PolicyContext(cwd=str(workspace)))).arguments

    assert arguments.count(NOTHING) == 32
    assert arguments.count(os.devnull) == 68


def test_a_folder_that_its_owner_can_not_write_is_read_only_and_its_entries_are_writable(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = build(base, "nothing_protected_exists")
    (workspace / "sub").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: os.stat(workspace).st_uid or 1)
    monkeypatch.setattr("codex_sandboxing.linux.disk_plan._is_own", lambda path: True)
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    found = operations(iter(planned(base, {"policy": ONLY_WORKSPACE}).arguments))

    assert found[-2:] == [
        ("--ro-bind", str(workspace), str(workspace)),
        ("--bind", f"{workspace}/sub", f"{workspace}/sub"),
    ]


def test_where_everything_is_writable_the_parents_of_a_read_only_path_can_not_be_renamed(base: Path) -> None:
    workspace = build(base, "nothing_protected_exists")
    files = FileSystemPolicy(
        "restricted", (FileSystemEntry(SpecialPath("root"), "write"), FileSystemEntry(f"{workspace}/docs", "read"))
    )

    found = operations(iter(plan_mounts(ResolvedPolicy(files, PolicyContext(cwd=str(workspace)))).arguments))

    ways = [("--bind", str(way), str(way)) for way in (*reversed(base.parents), base, workspace)][1:]
    assert [each for each in found if each in ways] == ways
    assert found[-1] == ("--ro-bind", f"{workspace}/docs", f"{workspace}/docs")


def test_a_loop_of_links_is_refused_in_one_line(base: Path) -> None:
    (base / "a").symlink_to(base / "b")
    (base / "b").symlink_to(base / "a")
    policy = SandboxPolicy("workspaceWrite", writable_roots=(f"{base}/a",))

    with pytest.raises(SandboxUnavailable, match=f"{base}/a: Too many levels of symbolic links") as caught:
        plan_mounts(resolved(LaunchRequest(argv=("true",), cwd=str(base), env={}, policy=policy)))

    assert "\n" not in str(caught.value)


def test_a_relative_workspace_is_refused() -> None:
    with pytest.raises(SandboxUnavailable, match="absolute working directory, found 'here'"):
        resolved(LaunchRequest(argv=("true",), cwd="here", env={}, policy=READ_ONLY))


def test_capabilities_and_inter_process_memory_are_taken_away_from_everybody() -> None:
    options = BwrapOptions(
        ("--ro-bind", "/", "/"),
        network=False,
        proc=True,
        proc_read_only=(),
        new_session=True,
        filter_descriptor=9,
    )

    arguments = " ".join(bwrap_arguments(options, ["true"], lambda: 3))

    assert arguments == (
        "--new-session --die-with-parent --ro-bind / / --unshare-user --unshare-pid --unshare-ipc --unshare-net "
        "--proc /proc --cap-drop ALL --seccomp 9 -- true"
    )


def test_each_masked_file_gets_a_descriptor_of_its_own() -> None:
    numbers = iter([7, 8])
    mounts = ("--perms", "000", "--ro-bind-data", NOTHING, "/a", "--perms", "000", "--ro-bind-data", NOTHING, "/b")
    options = BwrapOptions(mounts, network=True, proc=False, proc_read_only=(), new_session=False, filter_descriptor=9)

    arguments = " ".join(bwrap_arguments(options, ["true"], lambda: next(numbers)))

    assert "--ro-bind-data 7 /a --perms 000 --ro-bind-data 8 /b" in arguments
    assert "--unshare-net" not in arguments


def test_an_empty_root_is_read_only() -> None:
    options = BwrapOptions(
        ("--tmpfs", "/", "--dev", "/dev"),
        network=False,
        proc=True,
        proc_read_only=("/proc/sys",),
        new_session=True,
        filter_descriptor=9,
    )

    arguments = " ".join(bwrap_arguments(options, ["true"], lambda: 3))

    assert "--proc /proc --ro-bind /proc/sys /proc/sys --remount-ro / " in arguments
