"""Policies mean the same in every form, and no combination of them grants more than its parts."""

from __future__ import annotations

import posixpath
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.sandboxing.additional import (
    Additional,
    FileAccess,
    effective_file_system,
    effective_legacy,
    effective_network,
    intersect,
    merge,
    normalize,
)
from codex_hookspecs.sandboxing.denial import looks_denied
from codex_hookspecs.sandboxing.documents import (
    file_system_document,
    file_system_from,
    legacy_document,
    legacy_from,
    network_from,
    parse_json,
    profile_document,
    profile_from,
    where_from_key,
)
from codex_hookspecs.sandboxing.legacy import needs_direct_enforcement, to_legacy, to_split
from codex_hookspecs.sandboxing.macos_extensions import (
    MacosExtensions,
    Preferences,
    bundle_ids,
    intersect_extensions,
    merge_extensions,
)
from codex_hookspecs.sandboxing.policies import (
    CWD,
    EXTERNAL,
    MINIMAL,
    READ_ONLY,
    ROOT,
    SLASH_TMP,
    TMPDIR,
    UNRESTRICTED,
    Access,
    Entry,
    FileSystemPolicy,
    Glob,
    Permissions,
    Special,
)
from codex_hookspecs.sandboxing.resolution import Place, Resolved
from codex_hookspecs.sandboxing.selection import metric_tag, select_sandbox, should_require_platform_sandbox
from codex_hookspecs.types.sandbox import SandboxPolicy

PLACE = Place(cwd="/w/project", tmpdir="/var/tmp/mine", slash_tmp=True)
RANKS = {"none": 2, "write": 1, "read": 0}

names = st.sampled_from(["a", "b", "c"])
paths = st.lists(names, max_size=4).map(lambda parts: "/" + "/".join(parts))
accesses: st.SearchStrategy[Access] = st.sampled_from(("none", "read", "write"))
entries = st.builds(Entry, paths | st.sampled_from([ROOT, MINIMAL, CWD, SLASH_TMP, TMPDIR]), accesses)
policies = st.builds(FileSystemPolicy, st.just("restricted"), st.lists(entries, max_size=6).map(tuple))
access_lists = st.lists(paths, max_size=4).map(tuple)
automations = st.sampled_from(["none", "all"]) | st.lists(st.sampled_from(["com.a", "com.b", "com.c"])).map(bundle_ids)
extensions = st.builds(
    MacosExtensions,
    preferences=st.sampled_from(get_args(Preferences)),
    automation=st.sampled_from(["none", "all"])
    | st.lists(st.sampled_from(["com.a", "com.b", "com.c"])).map(bundle_ids),
    launch_services=st.booleans(),
    accessibility=st.booleans(),
    calendar=st.booleans(),
    reminders=st.booleans(),
    contacts=st.sampled_from(get_args(Preferences)),
)
requests = st.builds(
    Additional,
    network=st.none() | st.booleans(),
    file_system=st.none() | st.builds(FileAccess, access_lists, access_lists),
    macos=st.none() | extensions,
)
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
            if (places.get(entry.where.kind) if isinstance(entry.where, Special) else entry.where) == current
        ]
        if here:
            return max(here, key=RANKS.__getitem__)
        if current == "/":
            return "none"
        current = posixpath.dirname(current)


def grants(request: Additional | None) -> set[tuple[str, str]]:
    if request is None:
        return set()
    files = request.file_system or FileAccess()
    granted = {("read", path) for path in files.read} | {("write", path) for path in files.write}
    return granted | ({("network", "")} if request.network else set())


@given(policies, st.one_of(paths, st.sampled_from(["/tmp/x", "/w/project/a", "/var/tmp/mine/b"])))
def test_resolution_agrees_with_a_naive_oracle(policy: FileSystemPolicy, path: str) -> None:
    assert Resolved(policy, PLACE).access(path) == oracle(policy, path)


@given(policies)
def test_what_is_listed_can_be_done(policy: FileSystemPolicy) -> None:
    resolved = Resolved(policy, PLACE)

    assert all(resolved.access(root) == "write" for root in resolved.writable_roots)
    assert all(resolved.access(root) != "none" for root in resolved.readable_roots)
    assert all(resolved.access(root) == "none" for root in resolved.unreadable_roots)
    assert "/" not in resolved.unreadable_roots
    assert not (resolved.full_read and (resolved.unreadable_roots or resolved.readable_roots))


@given(policies, paths)
def test_full_access_is_full_access_everywhere(policy: FileSystemPolicy, path: str) -> None:
    resolved = Resolved(policy, PLACE)

    assert not resolved.full_read or resolved.access(path) != "none"
    assert not resolved.full_write or resolved.access(path) == "write"


@given(policies)
def test_a_split_policy_survives_its_document(policy: FileSystemPolicy) -> None:
    assert file_system_from(file_system_document(policy)) == policy


@given(policies, st.sampled_from(["restricted", "enabled"]))
def test_a_profile_survives_its_document(policy: FileSystemPolicy, network: str) -> None:
    permissions = Permissions(policy, network_from(network))

    assert profile_from(profile_document(permissions)) == permissions


@given(legacies)
def test_a_legacy_policy_means_the_same_after_its_document(policy: SandboxPolicy) -> None:
    assert to_split(legacy_from(legacy_document(policy))) == to_split(policy)


@given(legacies)
def test_what_a_legacy_policy_means_can_be_told_as_one_again(policy: SandboxPolicy) -> None:
    there = to_split(policy)

    back = to_split(to_legacy(there, PLACE))

    before, after = Resolved(there.file_system, PLACE), Resolved(back.file_system, PLACE)
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

    assert Resolved(back.file_system, PLACE).signature == Resolved(policy, PLACE).signature


@given(requests, requests)
def test_an_intersection_never_grants_more_than_was_asked_or_given(asked: Additional, given_: Additional) -> None:
    result = intersect(asked, given_)

    assert grants(result) == grants(asked) & grants(given_)


@given(requests, requests)
def test_a_union_grants_what_either_does(base: Additional, extra: Additional) -> None:
    assert grants(merge(base, extra)) == grants(base) | grants(extra)


@given(requests)
def test_nothing_comes_of_nothing(request: Additional) -> None:
    assert merge(request, None) is request
    assert grants(merge(None, request)) == grants(request)
    assert grants(intersect(request, Additional())) == set()


@given(requests)
def test_normal_requests_stay_as_they_are(request: Additional) -> None:
    once = normalize(request, canonical=lambda path: path)

    assert normalize(once, canonical=lambda path: path) == once
    assert grants(once) == grants(request)


def test_the_last_part_of_a_path_is_kept_as_it_is_spelled() -> None:
    request = Additional(file_system=FileAccess(("/var/link", "/private/var/link")))

    found = normalize(
        request, canonical=lambda path: path.replace("/var", "/private/var", 1) if path == "/var" else path
    )

    assert found.file_system == FileAccess(("/private/var/link",))


@given(policies, requests, paths)
def test_more_permissions_never_take_any_away(policy: FileSystemPolicy, extra: Additional, path: str) -> None:
    denied = any(entry.access == "none" for entry in policy.entries)
    before, after = Resolved(policy, PLACE), Resolved(effective_file_system(policy, extra), PLACE)

    if not denied and before.access(path) == "write":
        narrowed = extra.file_system is not None and any(
            path.startswith(root.rstrip("/")) for root in extra.file_system.read
        )
        assert after.access(path) == "write" or narrowed
    if extra.file_system is None:
        assert after.rules == before.rules


@given(requests)
def test_only_restricted_policies_are_added_to(extra: Additional) -> None:
    assert effective_file_system(UNRESTRICTED, extra) == UNRESTRICTED
    assert effective_file_system(EXTERNAL, extra) == EXTERNAL
    assert effective_network("enabled", extra) == "enabled"
    assert effective_network("restricted", None) == "restricted"
    assert effective_network("restricted", extra) == ("enabled" if extra.network else "restricted")


@given(legacies, requests)
def test_a_legacy_policy_with_more_permissions_has_them(policy: SandboxPolicy, extra: Additional) -> None:
    found = effective_legacy(policy, extra)

    if policy.kind == "dangerFullAccess":
        assert found == policy
        return
    assert found.network_access == (policy.network_access or extra.network is True)
    wanted = extra.file_system.write if extra.file_system else ()
    assert policy.kind == "externalSandbox" or set(wanted) <= set(found.writable_roots)


@given(extensions, extensions)
def test_extensions_of_macos_widen_by_union_and_narrow_by_intersection(
    one: MacosExtensions, other: MacosExtensions
) -> None:
    wide, narrow = merge_extensions(one, other), intersect_extensions(one, other)
    assert wide is not None
    assert narrow is not None

    assert intersect_extensions(narrow, one) == narrow
    assert wide == merge_extensions(other, one)
    assert wide.calendar == (one.calendar or other.calendar)
    assert narrow.calendar == (one.calendar and other.calendar)
    if isinstance(narrow.automation, tuple):
        assert all(side.automation == "all" or set(narrow.automation) <= set(side.automation) for side in (one, other))


def test_extensions_that_are_missing_on_one_side() -> None:
    assert merge_extensions(None, MacosExtensions()) == MacosExtensions()
    assert intersect_extensions(None, MacosExtensions()) is None


def test_bundle_ids_are_cleaned() -> None:
    assert bundle_ids([" com.b ", "com.a", "com.a", "x", "no dots", "a.b c", ".."]) == ("com.a", "com.b")
    assert bundle_ids(["x"]) == "none"


@pytest.mark.parametrize(
    ("files", "network", "managed", "wanted"),
    [
        (UNRESTRICTED, "enabled", False, False),
        (UNRESTRICTED, "restricted", False, True),
        (UNRESTRICTED, "enabled", True, True),
        (EXTERNAL, "restricted", False, False),
        (EXTERNAL, "enabled", False, False),
        (READ_ONLY, "enabled", False, True),
        (READ_ONLY, "restricted", False, True),
        (FileSystemPolicy("restricted", (Entry(ROOT, "write"),)), "enabled", False, False),
        (FileSystemPolicy("restricted", (Entry(ROOT, "write"), Entry("/x", "read"))), "enabled", False, True),
    ],
)
def test_a_sandbox_is_wanted_where_something_is_held_back(
    files: FileSystemPolicy, network: str, managed: bool, wanted: bool
) -> None:
    permissions = Permissions(files, network_from(network))

    assert should_require_platform_sandbox(permissions, PLACE, managed_network=managed) is wanted


def test_a_preference_goes_before_the_rule() -> None:
    def chosen(preference: str, platform: str = "linux", *, windows: bool = False) -> str:
        return select_sandbox(
            Permissions(UNRESTRICTED, "enabled") if preference == "require" else Permissions(READ_ONLY),
            PLACE,
            preference=preference,  # type: ignore[arg-type]
            platform=platform,
            windows_sandbox=windows,
        )

    assert chosen("forbid") == "none"
    assert chosen("require") == "linux_seccomp"
    assert chosen("auto", "macos") == "macos_seatbelt"
    assert chosen("auto", "windows") == "none"
    assert chosen("auto", "windows", windows=True) == "windows_restricted_token"
    assert metric_tag("macos_seatbelt") == "seatbelt"


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
        legacy_from(document)

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
        file_system_from(document)

    assert str(caught.value).startswith(problem)
    assert "\n" not in str(caught.value)


def test_what_is_no_json_is_named() -> None:
    with pytest.raises(ConfigError, match="the sandbox policy is not valid JSON: "):
        parse_json("{", "the sandbox policy")


def test_newer_words_load_and_are_ignored() -> None:
    document = {
        "kind": "restricted",
        "entries": [{"path": {"type": "special", "value": {"kind": "cloud", "path": "x"}}, "access": "write"}],
    }

    policy = file_system_from(document)

    assert Resolved(policy, PLACE).writable_roots == ()
    assert where_from_key(":later") == Special("unknown", None, ":later")
    assert where_from_key("/a/**/*.env") == Glob("/a/**/*.env")


@pytest.mark.parametrize("subpath", ["../x", "/x", "a/../../x"])
def test_a_part_of_a_project_stays_in_it(subpath: str) -> None:
    policy = FileSystemPolicy("restricted", (Entry(Special("project_roots", subpath), "write"),))

    with pytest.raises(ConfigError, match="allowed are relative paths without"):
        Resolved(policy, PLACE)


@settings(max_examples=30)
@given(paths)
def test_dot_segments_change_nothing(path: str) -> None:
    policy = FileSystemPolicy("restricted", (Entry(f"{path}/./x/..//", "write"),))

    assert Resolved(policy, PLACE).access(path) == "write"
