"""Policies mean the same in every form, and no combination of them grants more than its parts."""

from __future__ import annotations

import posixpath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.types.permissions import (
    CWD,
    MINIMAL,
    ROOT,
    SLASH_TMP,
    TMPDIR,
    Access,
    FileSystemEntry,
    FileSystemPolicy,
    Permissions,
    SpecialPath,
)
from codex_hookspecs.types.sandbox import SandboxPolicy
from codex_sandboxing.core_form import read_policy, write_policy
from codex_sandboxing.denial import looks_denied
from codex_sandboxing.legacy import needs_direct_enforcement, to_legacy, to_split
from codex_sandboxing.resolved import PolicyContext, ResolvedPolicy
from codex_sandboxing.split_form import read_file_system

PLACE = PolicyContext(cwd="/w/project", tmpdir="/var/tmp/mine", slash_tmp=True)
RANKS = {"none": 2, "write": 1, "read": 0}
names = st.sampled_from(["a", "b", "c"])
paths = st.lists(names, max_size=4).map(lambda parts: "/" + "/".join(parts))
accesses: st.SearchStrategy[Access] = st.sampled_from(("none", "read", "write"))
entries = st.builds(FileSystemEntry, paths | st.sampled_from([ROOT, MINIMAL, CWD, SLASH_TMP, TMPDIR]), accesses)
policies = st.builds(FileSystemPolicy, st.just("restricted"), st.lists(entries, max_size=6).map(tuple))
access_lists = st.lists(paths, max_size=4).map(tuple)
legacies = st.builds(
    SandboxPolicy,
    st.sampled_from(["readOnly", "workspaceWrite", "dangerFullAccess", "externalSandbox"]),
    st.booleans(),
    writable_roots=access_lists,
    exclude_slash_tmp=st.booleans(),
    exclude_tmpdir_env_var=st.booleans(),
    readable_roots=st.none() | access_lists,
    platform_defaults=st.booleans(),
)


def oracle(policy: FileSystemPolicy, path: str) -> str:
    """Answer by trying every folder above a path, nearest first."""
    places = {"root": "/", "current_working_directory": PLACE.cwd, "slash_tmp": "/tmp", "tmpdir": PLACE.tmpdir}
    current = path
    while True:
        here = [
            entry.access
            for entry in policy.entries
            if (places.get(entry.where.kind) if isinstance(entry.where, SpecialPath) else entry.where) == current
        ]
        if here:
            return max(here, key=RANKS.__getitem__)
        if current == "/":
            return "none"
        current = posixpath.dirname(current)


@given(policies, st.one_of(paths, st.sampled_from(["/tmp/x", "/w/project/a", "/var/tmp/mine/b"])))
def test_resolution_agrees_with_a_naive_oracle(policy: FileSystemPolicy, path: str) -> None:
    assert ResolvedPolicy(policy, PLACE).access(path) == oracle(policy, path)


@given(policies)
def test_what_is_listed_can_be_done(policy: FileSystemPolicy) -> None:
    resolved = ResolvedPolicy(policy, PLACE)

    assert all(resolved.access(root) == "write" for root in resolved.writable_roots)
    assert all(resolved.access(root) != "none" for root in resolved.readable_roots)
    assert all(resolved.access(root) == "none" for root in resolved.unreadable_roots)
    assert "/" not in resolved.unreadable_roots
    assert not (resolved.full_read and (resolved.unreadable_roots or resolved.readable_roots))


@given(policies, paths)
def test_full_access_is_full_access_everywhere(policy: FileSystemPolicy, path: str) -> None:
    resolved = ResolvedPolicy(policy, PLACE)

    assert not resolved.full_read or resolved.access(path) != "none"
    assert not resolved.full_write or resolved.access(path) == "write"


@given(legacies)
def test_a_legacy_policy_means_the_same_after_its_document(policy: SandboxPolicy) -> None:
    assert to_split(read_policy(write_policy(policy))) == to_split(policy)


@given(legacies)
def test_what_a_legacy_policy_means_can_be_told_as_one_again(policy: SandboxPolicy) -> None:
    there = to_split(policy)

    back = to_split(to_legacy(there, PLACE))

    before, after = ResolvedPolicy(there.file_system, PLACE), ResolvedPolicy(back.file_system, PLACE)
    assert back.network == there.network
    assert set(after.writable_roots) == set(before.writable_roots) or before.full_write
    assert after.full_read == before.full_read
    assert set(after.unreadable_roots) == set(before.unreadable_roots)


@given(policies)
def test_what_the_old_form_can_not_tell_is_found_out(policy: FileSystemPolicy) -> None:
    permissions = Permissions(policy)
    if needs_direct_enforcement(permissions, PLACE):
        return

    back = to_split(to_legacy(permissions, PLACE))

    assert ResolvedPolicy(back.file_system, PLACE).signature == ResolvedPolicy(policy, PLACE).signature


@pytest.mark.parametrize(
    ("code", "output", "denied"),
    [
        (0, "permission denied", False),
        (1, "touch: Read-only file system", True),
        (1, "nothing of the kind", False),
        (127, "not found", False),
        (126, "Permission denied", True),
        (159, "", True),
    ],
)
def test_a_denial_is_guessed_from_code_and_output(code: int, output: str, denied: bool) -> None:
    assert looks_denied(code, output) is denied


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([], "the sandbox policy is [], expected an object"),
        ({}, "type of the sandbox policy is missing, allowed: danger-full-access, read-only"),
        ({"type": "none"}, 'type of the sandbox policy is "none", allowed'),
        ({"type": "workspace-write", "writable_roots": ["a"]}, "writable_roots of the sandbox policy has 'a'"),
        (
            {"type": "workspace-write", "writable_roots": "a"},
            'writable_roots of the sandbox policy is "a"',
        ),
        (
            {"type": "read-only", "network_access": 1},
            "network_access of the sandbox policy is 1, expected true",
        ),
        ({"type": "external-sandbox", "network_access": True}, "network_access of the sandbox policy is True"),
        ({"type": "read-only", "access": {"type": "x"}}, 'type of read access of the sandbox policy is "x"'),
    ],
)
def test_a_wrong_legacy_policy_is_one_clear_line(document: object, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_policy(document)

    assert str(caught.value).startswith(problem)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"kind": "x"}, 'kind of the file system policy is "x"'),
        ({"kind": "restricted", "entries": 1}, "entries of the file system policy is 1, expected a list"),
        ({"kind": "restricted", "entries": [{"path": "/a"}]}, "an entry of the file system policy has access null"),
        (
            {"kind": "restricted", "entries": [{"path": "a", "access": "read"}]},
            'a path of the file system policy is "a"',
        ),
        (
            {"kind": "restricted", "entries": [{"path": {"type": "glob_pattern", "pattern": "/*"}, "access": "read"}]},
            "pattern '/*' of the file system policy has access read, allowed: none",
        ),
    ],
)
def test_a_wrong_split_policy_is_one_clear_line(document: object, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_file_system(document)

    assert str(caught.value).startswith(problem)
    assert "\n" not in str(caught.value)


def test_newer_words_load_and_are_ignored() -> None:
    document = {
        "kind": "restricted",
        "entries": [{"path": {"type": "special", "value": {"kind": "cloud", "path": "x"}}, "access": "write"}],
    }

    policy = read_file_system(document)

    assert ResolvedPolicy(policy, PLACE).writable_roots == ()


@pytest.mark.parametrize("subpath", ["../x", "/x", "a/../../x"])
def test_a_part_of_a_project_stays_in_it(subpath: str) -> None:
    policy = FileSystemPolicy("restricted", (FileSystemEntry(SpecialPath("project_roots", subpath), "write"),))

    with pytest.raises(ConfigError, match="allowed are relative paths without"):
        ResolvedPolicy(policy, PLACE)


@settings(max_examples=30)
@given(paths)
def test_dot_segments_change_nothing(path: str) -> None:
    policy = FileSystemPolicy("restricted", (FileSystemEntry(f"{path}/./x/..//", "write"),))

    assert ResolvedPolicy(policy, PLACE).access(path) == "write"
