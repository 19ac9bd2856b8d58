"""A policy on a disk: what can be written, what stays, what can't be seen, and what is in the way of holding it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codex_hookspecs.errors import SandboxUnavailable
from codex_hookspecs.types.permissions import (
    CWD,
    EXTERNAL,
    MINIMAL,
    RANK,
    ROOT,
    UNRESTRICTED,
    Access,
    FileSystemEntry,
    FileSystemPolicy,
    GlobPattern,
)
from codex_sandboxing.linux.disk_plan import FilesystemPlan, plan_filesystem
from codex_sandboxing.linux.path_walk import trace
from codex_sandboxing.protected_paths import PROTECTED, protected_paths
from codex_sandboxing.resolved import PolicyContext, ResolvedPolicy, is_below

READ_ALL = FileSystemEntry(ROOT, "read")
WORKSPACE = (READ_ALL, FileSystemEntry(CWD, "write"))


@pytest.fixture
def ws(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "base" / "ws"
    folder.mkdir(parents=True)
    return folder


def laid(ws: Path, *entries: FileSystemEntry, home: Path | None = None) -> FilesystemPlan:
    policy = ResolvedPolicy(FileSystemPolicy("restricted", entries), PolicyContext(cwd=str(ws)))
    return plan_filesystem(policy, "bwrap", str(home) if home else None)


def refusal(ws: Path, *entries: FileSystemEntry, home: Path | None = None) -> str:
    with pytest.raises(SandboxUnavailable) as caught:
        laid(ws, *entries, home=home)
    text = str(caught.value)
    assert text.startswith("the command was not run: bwrap cannot enforce the sandbox policy: ")
    assert "\n" not in text
    return text


def paths(folder: Path, *names: str) -> tuple[str, ...]:
    return tuple(f"{folder}/{name}" for name in names)


class TestProtectedPaths:
    def test_they_are_kept_whether_they_exist_or_not(self, ws: Path) -> None:
        (ws / ".git").mkdir()

        layout = laid(ws, *WORKSPACE)

        assert layout.kept == paths(ws, *PROTECTED)
        assert layout.missing == paths(ws, *PROTECTED[1:])

    @pytest.mark.parametrize("spelled", ["gd/x", "./gd/../gd/x", "ABSOLUTE"])
    def test_a_pointer_protects_what_it_points_to(self, spelled: str, ws: Path) -> None:
        (ws / "gd/x").mkdir(parents=True)
        (ws / ".git").write_text(f"gitdir: {ws / 'gd/x' if spelled == 'ABSOLUTE' else spelled}\n")

        assert f"{ws}/gd/x" in laid(ws, *WORKSPACE).kept

    def test_a_pointer_protects_the_repository_behind_it(self, ws: Path) -> None:
        target = ws.parent / "main/.git/worktrees/ws"
        target.mkdir(parents=True)
        (target / "commondir").write_text("../..\n")
        (ws / ".git").write_text("gitdir: ../main/.git/worktrees/ws")

        kept = laid(ws, *WORKSPACE, FileSystemEntry(str(ws.parent), "write")).kept

        assert {str(target), f"{ws.parent}/main/.git"} <= set(kept)

    @pytest.mark.parametrize(
        "content", ["", "gitdir:", "gitdir: ", "gitdir: \0", "gitdir: /no/where", "nonsense", "gitdir: .git"]
    )
    def test_a_pointer_to_nothing_protects_itself(self, content: str, ws: Path) -> None:
        (ws / ".git").write_text(content)

        assert laid(ws, *WORKSPACE).kept == paths(ws, *PROTECTED)

    def test_a_named_pipe_keeps_nobody_waiting(self, ws: Path) -> None:
        os.mkfifo(ws / ".git")

        assert f"{ws}/.git" in laid(ws, *WORKSPACE).kept

    def test_a_root_that_is_a_file_has_none(self, ws: Path) -> None:
        (ws.parent / "file").touch()

        assert laid(ws, READ_ALL, FileSystemEntry(f"{ws.parent}/file", "write")) == FilesystemPlan(
            writable=(f"{ws.parent}/file",)
        )

    def test_one_that_the_policy_opens_by_name_is_open(self, ws: Path) -> None:
        (ws / ".git").mkdir()

        layout = laid(ws, *WORKSPACE, FileSystemEntry(f"{ws}/.git", "write"))

        assert f"{ws}/.git" in layout.writable
        assert f"{ws}/.git" not in layout.kept

    def test_where_everything_can_be_written_those_of_the_named_roots_are_kept(self, ws: Path) -> None:
        assert laid(ws, FileSystemEntry(ROOT, "write")) == FilesystemPlan(writable=("/",))
        assert laid(ws, FileSystemEntry(ROOT, "write"), FileSystemEntry(CWD, "write")).kept == paths(ws, *PROTECTED)

    @pytest.mark.parametrize("policy", [UNRESTRICTED, EXTERNAL])
    def test_a_policy_that_holds_nothing_back_keeps_nothing(self, policy: FileSystemPolicy, ws: Path) -> None:
        assert plan_filesystem(ResolvedPolicy(policy, PolicyContext(cwd=str(ws))), "bwrap", str(ws)) == FilesystemPlan(
            writable=("/",)
        )

    def test_what_stands_for_a_missing_path_is_missing_unless_somebody_uses_it(self, ws: Path) -> None:
        for name in PROTECTED:
            (ws / name).mkdir()
            (ws / name).chmod(0o1755)
        (ws / ".codex" / "config.toml").touch()

        assert laid(ws, *WORKSPACE).missing == paths(ws, ".git", ".agents", ".aws")


class TestLinks:
    def test_a_protected_link_is_held_and_what_it_leads_to_kept(self, ws: Path) -> None:
        (ws / "real").mkdir()
        (ws / ".git").symlink_to("real")

        layout = laid(ws, *WORKSPACE)

        assert layout.links == (f"{ws}/.git",)
        assert f"{ws}/real" in layout.kept

    def test_a_protected_link_that_leads_out_is_all_that_is_to_be_held(self, ws: Path) -> None:
        (ws.parent / "real").mkdir()
        (ws / ".codex").symlink_to("../real")

        layout = laid(ws, *WORKSPACE)

        assert layout.links == (f"{ws}/.codex",)
        assert f"{ws.parent}/real" not in layout.kept

    def test_every_link_on_the_way_is_held(self, ws: Path) -> None:
        (ws / "d/real").mkdir(parents=True)
        (ws / "second").symlink_to("d/real")
        (ws / ".git").symlink_to("second")

        layout = laid(ws, *WORKSPACE)

        assert layout.links == paths(ws, ".git", "second")
        assert f"{ws}/d/real" in layout.kept

    def test_what_a_link_leads_to_must_not_come_into_being(self, ws: Path) -> None:
        (ws / ".git").symlink_to("later/deep")

        assert f"{ws}/later" in laid(ws, *WORKSPACE).missing

    def test_a_loop_is_refused(self, ws: Path) -> None:
        (ws / ".git").symlink_to(".git")

        assert "/.git: Too many levels of symbolic links; correct the path" in refusal(ws, *WORKSPACE)

    def test_links_where_nothing_can_be_written_are_nobodys_concern(self, ws: Path) -> None:
        (ws.parent / "real").mkdir()
        (ws.parent / "link").symlink_to("real")

        layout = laid(ws, *WORKSPACE, FileSystemEntry(f"{ws.parent}/link", "none"))

        assert layout.links == ()
        assert layout.hidden == (f"{ws.parent}/real",)


class TestRoots:
    def test_they_are_real_and_each_there_once(self, ws: Path) -> None:
        (ws.parent / "link").symlink_to("ws")
        entries = (
            FileSystemEntry(f"{ws.parent}/link", "write"),
            FileSystemEntry(f"{ws}/./", "write"),
            FileSystemEntry(f"{ws}/none", "write"),
        )

        assert laid(ws, *WORKSPACE, *entries).writable == (str(ws),)

    def test_an_empty_one_may_be_sticky(self, ws: Path) -> None:
        ws.chmod(0o1755)

        assert laid(ws, *WORKSPACE).writable == (str(ws),)

    def test_one_within_another_keeps_its_own_protected_paths(self, ws: Path) -> None:
        (ws / "sub").mkdir()

        layout = laid(ws, *WORKSPACE, FileSystemEntry(f"{ws}/sub", "write"))

        assert layout.writable == (str(ws), f"{ws}/sub")
        assert f"{ws}/sub/.git" in layout.missing

    def test_one_that_commands_can_lead_elsewhere_is_refused(self, ws: Path) -> None:
        (ws / "out").symlink_to("../..")

        text = refusal(ws, *WORKSPACE, FileSystemEntry(f"{ws}/out", "write"))

        assert f"{ws}/out leads to {ws.parent.parent} through the link {ws}/out, which commands can make" in text
        assert "name the place itself in the policy" in text

    def test_one_that_leads_to_another_root_is_fine(self, ws: Path) -> None:
        (ws.parent / "other").mkdir()
        (ws / "out").symlink_to("../other")
        entries = (FileSystemEntry(f"{ws}/out", "write"), FileSystemEntry(f"{ws.parent}/other", "write"))

        assert laid(ws, *WORKSPACE, *entries).writable == (f"{ws}", f"{ws.parent}/other")

    def test_two_that_commands_can_lead_elsewhere_do_not_vouch_for_each_other(self, ws: Path) -> None:
        (ws / "one").symlink_to("/srv")
        (ws / "two").symlink_to("/srv")

        assert "which commands can make" in refusal(
            ws, *WORKSPACE, *(FileSystemEntry(f"{ws}/{n}", "write") for n in ("one", "two"))
        )

    def test_the_workspace_itself_may_be_behind_a_link_that_stays(self, ws: Path) -> None:
        (ws.parent / "link").symlink_to("/usr")
        entries = (READ_ALL, FileSystemEntry(CWD, "write"), FileSystemEntry(str(ws.parent), "write"))

        layout = laid(ws.parent / "link", *entries)

        assert "/usr" in layout.writable
        assert layout.links == (f"{ws.parent}/link",)

    def test_what_can_be_read_is_not_led_elsewhere_either(self, ws: Path) -> None:
        (ws / "data").symlink_to("/etc")

        assert "leads to /etc through the link" in refusal(
            ws, FileSystemEntry(CWD, "write"), FileSystemEntry(f"{ws}/data", "read")
        )

    def test_what_is_closed_is_closed_under_every_name_of_its_root(self, ws: Path) -> None:
        (ws / "docs").mkdir()
        (ws.parent / "link").symlink_to("ws")

        layout = laid(ws.parent / "link", *WORKSPACE, FileSystemEntry(f"{ws}/docs", "read"))

        assert f"{ws}/docs" in layout.kept


class TestOwnDirectory:
    def test_it_is_kept_within_a_root(self, ws: Path) -> None:
        home = ws / "state"
        home.mkdir()

        assert str(home) in laid(ws, *WORKSPACE, home=home).kept
        assert str(home) not in laid(home, *WORKSPACE, home=home.parent / "other").kept

    def test_a_link_to_it_stays(self, ws: Path) -> None:
        (ws / "state").mkdir()
        (ws / "link").symlink_to("state")

        layout = laid(ws, *WORKSPACE, home=ws / "link")

        assert layout.links == (f"{ws}/link",)
        assert f"{ws}/state" in layout.kept

    def test_a_root_within_it_is_open(self, ws: Path) -> None:
        home = ws / "state"
        (home / "work").mkdir(parents=True)

        layout = laid(ws, *WORKSPACE, FileSystemEntry(f"{home}/work", "write"), home=home)

        assert f"{home}/work" in layout.writable
        assert str(home) in layout.kept

    def test_who_works_in_it_can_write_it(self, ws: Path) -> None:
        layout = laid(ws, *WORKSPACE, FileSystemEntry(str(ws.parent), "write"), home=ws)

        assert str(ws) in layout.writable
        assert str(ws) not in layout.kept


class TestPatterns:
    def test_what_matches_is_hidden(self, ws: Path) -> None:
        (ws / "a").mkdir()
        (ws / "a" / ".env").touch()
        (ws / "plain").touch()
        (ws / "l.env").symlink_to("plain")

        layout = laid(ws, *WORKSPACE, FileSystemEntry(GlobPattern(f"{ws}/**/*.env"), "none"))

        assert layout.hidden == (f"{ws}/plain", f"{ws}/a/.env")

    def test_a_link_of_a_command_hides_no_place_of_the_work(self, ws: Path) -> None:
        (ws / "l.env").symlink_to("/")
        (ws / "m.env").symlink_to("..")

        assert laid(ws, *WORKSPACE, FileSystemEntry(GlobPattern(f"{ws}/*.env"), "none")).hidden == ()

    def test_one_that_denies_the_workspace_is_refused(self, ws: Path) -> None:
        assert "which can be written, is denied by" in refusal(
            ws, *WORKSPACE, FileSystemEntry(GlobPattern(f"{ws.parent}/*"), "none")
        )

    def test_one_that_takes_too_long_is_refused(self, ws: Path) -> None:
        assert "begin it with a narrower directory" in refusal(
            ws, *WORKSPACE, FileSystemEntry(GlobPattern("/**/*.env"), "none")
        )


def test_a_missing_path_that_may_be_missing_is_left_out(ws: Path) -> None:
    skipped = FileSystemEntry(f"{ws}/docs", "read", skip_missing=True)

    assert f"{ws}/docs" not in laid(ws, *WORKSPACE, skipped).missing
    assert f"{ws}/docs" in laid(ws, *WORKSPACE, FileSystemEntry(f"{ws}/docs", "read")).missing


def test_nothing_is_kept_from_coming_into_being_where_it_is_hidden_anyway(ws: Path) -> None:
    (ws / "secret").mkdir()

    layout = laid(ws, *WORKSPACE, FileSystemEntry(f"{ws}/secret", "none"), FileSystemEntry(f"{ws}/secret/none", "read"))

    assert f"{ws}/secret/none" not in layout.missing


def test_restricted_reading_lists_what_can_be_read(ws: Path) -> None:
    layout = laid(
        ws, FileSystemEntry(MINIMAL, "read"), FileSystemEntry(f"{ws}", "read"), FileSystemEntry("/nowhere", "read")
    )

    assert {str(ws), "/usr", "/etc"} <= set(layout.readable)
    assert "/nowhere" not in layout.readable


def test_a_path_is_followed_as_the_kernel_does(ws: Path) -> None:
    (ws / "a/b").mkdir(parents=True)
    (ws / "l").symlink_to("a/../a/b")

    assert trace(f"{ws}/l/../b/c/d").end == f"{ws}/a/b/c/d"
    assert trace(f"{ws}/l/x").links == (f"{ws}/l",)
    assert trace("/").end == "/"


NAMES = st.sampled_from(["a", "b", "link", "a/b", "b/a", "a/link"])
ACCESSES: st.SearchStrategy[Access] = st.sampled_from(["read", "write", "none"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules=st.lists(st.tuples(NAMES, ACCESSES), max_size=5), name=NAMES)
def test_each_place_is_as_open_as_the_nearest_rule_says(
    rules: list[tuple[str, Access]], name: str, tmp_path: Path
) -> None:
    base = Path(tempfile.mkdtemp(dir=tmp_path)).resolve()
    (base / "a/b").mkdir(parents=True)
    (base / "b/a").mkdir(parents=True)
    (base / "link").symlink_to("b")
    (base / "a/link").symlink_to("../b")
    entries = (READ_ALL, *(FileSystemEntry(f"{base}/{path}", access) for path, access in rules))
    policy = ResolvedPolicy(FileSystemPolicy("restricted", entries), PolicyContext(cwd=str(base / "a")))
    try:
        layout = plan_filesystem(policy, "bwrap")
    except SandboxUnavailable:
        return

    real = os.path.realpath(base / name)
    wanted = nearest_rule(policy, real)
    readable = ("/", *layout.kept, *(path for path, access in layout.opened if access == "read"))
    groups = {"write": layout.writable, "read": readable, "none": layout.hidden}
    depths = {kind: max((len(p) for p in group if is_below(real, p)), default=-1) for kind, group in groups.items()}
    got = max(("read", "write", "none"), key=lambda kind: (depths[kind], RANK[kind]))
    assert got == wanted


def nearest_rule(policy: ResolvedPolicy, real: str) -> str:
    """Answer by the real places of all rules alone."""
    found = [
        (len(place), RANK[rule.access], rule.access)
        for rule in policy.rules
        if policy.access(rule.path) == rule.access and is_below(real, place := os.path.realpath(rule.path))
    ]
    return max(found)[2]


def test_protected_paths_of_the_root_directory_have_one_slash() -> None:
    assert all(path.startswith("/.") for path in protected_paths("/"))
