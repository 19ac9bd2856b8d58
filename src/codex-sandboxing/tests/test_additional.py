"""What a call asks for beyond the policy is merged, narrowed and applied as it should."""

from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from codex_hookspecs.sandbox import (
    CWD,
    EXTERNAL,
    MINIMAL,
    ROOT,
    SLASH_TMP,
    TMPDIR,
    UNRESTRICTED,
    Access,
    AdditionalPermissions,
    FileAccess,
    FileSystemEntry,
    FileSystemPolicy,
    MacosExtensions,
    Preferences,
    SandboxPolicy,
)
from codex_sandboxing.additional import (
    effective_file_system,
    effective_legacy,
    effective_network,
    intersect,
    merge,
    normalize,
)
from codex_sandboxing.macos_extensions import bundle_ids, intersect_extensions, merge_extensions
from codex_sandboxing.resolved import PolicyContext, ResolvedPolicy

PLACE = PolicyContext(cwd="/w/project", tmpdir="/var/tmp/mine", slash_tmp=True)
names = st.sampled_from(["a", "b", "c"])
paths = st.lists(names, max_size=4).map(lambda parts: "/" + "/".join(parts))
accesses: st.SearchStrategy[Access] = st.sampled_from(("none", "read", "write"))
entries = st.builds(FileSystemEntry, paths | st.sampled_from([ROOT, MINIMAL, CWD, SLASH_TMP, TMPDIR]), accesses)
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
    AdditionalPermissions,
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


def grants(request: AdditionalPermissions | None) -> set[tuple[str, str]]:
    if request is None:
        return set()
    files = request.file_system or FileAccess()
    granted = {("read", path) for path in files.read} | {("write", path) for path in files.write}
    return granted | ({("network", "")} if request.network else set())


@given(requests, requests)
def test_an_intersection_never_grants_more_than_was_asked_or_given(
    asked: AdditionalPermissions, given_: AdditionalPermissions
) -> None:
    result = intersect(asked, given_)

    assert grants(result) == grants(asked) & grants(given_)


@given(requests, requests)
def test_a_union_grants_what_either_does(base: AdditionalPermissions, extra: AdditionalPermissions) -> None:
    assert grants(merge(base, extra)) == grants(base) | grants(extra)


@given(requests)
def test_nothing_comes_of_nothing(request: AdditionalPermissions) -> None:
    assert merge(request, None) is request
    assert grants(merge(None, request)) == grants(request)
    assert grants(intersect(request, AdditionalPermissions())) == set()


@given(requests)
def test_normal_requests_stay_as_they_are(request: AdditionalPermissions) -> None:
    once = normalize(request, canonical=lambda path: path)

    assert normalize(once, canonical=lambda path: path) == once
    assert grants(once) == grants(request)


def test_the_last_part_of_a_path_is_kept_as_it_is_spelled() -> None:
    request = AdditionalPermissions(file_system=FileAccess(("/var/link", "/private/var/link")))

    found = normalize(
        request, canonical=lambda path: path.replace("/var", "/private/var", 1) if path == "/var" else path
    )

    assert found.file_system == FileAccess(("/private/var/link",))


@given(policies, requests, paths)
def test_more_permissions_never_take_any_away(
    policy: FileSystemPolicy, extra: AdditionalPermissions, path: str
) -> None:
    denied = any(entry.access == "none" for entry in policy.entries)
    before, after = ResolvedPolicy(policy, PLACE), ResolvedPolicy(effective_file_system(policy, extra), PLACE)

    if not denied and before.access(path) == "write":
        narrowed = extra.file_system is not None and any(
            path.startswith(root.rstrip("/")) for root in extra.file_system.read
        )
        assert after.access(path) == "write" or narrowed
    if extra.file_system is None:
        assert after.rules == before.rules


@given(requests)
def test_only_restricted_policies_are_added_to(extra: AdditionalPermissions) -> None:
    assert effective_file_system(UNRESTRICTED, extra) == UNRESTRICTED
    assert effective_file_system(EXTERNAL, extra) == EXTERNAL
    assert effective_network("enabled", extra) == "enabled"
    assert effective_network("restricted", None) == "restricted"
    assert effective_network("restricted", extra) == ("enabled" if extra.network else "restricted")


@given(legacies, requests)
def test_a_legacy_policy_with_more_permissions_has_them(policy: SandboxPolicy, extra: AdditionalPermissions) -> None:
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
