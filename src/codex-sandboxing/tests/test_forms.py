"""A policy comes back from every form that carries it, and what is no policy gets one clear error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_hookspecs.errors import ConfigError, RpcError
from codex_hookspecs.types.grants import AdditionalPermissions, FileAccess
from codex_hookspecs.types.permissions import (
    EXTERNAL,
    SPECIAL_KINDS,
    UNRESTRICTED,
    FileSystemEntry,
    FileSystemPolicy,
    GlobPattern,
    Network,
    Permissions,
    SpecialPath,
)
from codex_hookspecs.types.sandbox import PolicyKind, SandboxPolicy
from codex_sandboxing import app_server_form, core_form, exec_server_form, split_form
from codex_sandboxing.legacy import to_split
from codex_sandboxing.protected_paths import PROTECTED
from codex_sandboxing.resolved import PolicyContext, ResolvedPolicy

PLACE = PolicyContext(cwd="/w/project", tmpdir="/var/tmp/mine", slash_tmp=True)
paths = st.lists(st.sampled_from(["a", "b c", "%41", "ü", "*"]), max_size=3).map(lambda parts: "/" + "/".join(parts))
path_lists = st.lists(paths, max_size=3).map(tuple)


def members(kind: PolicyKind) -> st.SearchStrategy[SandboxPolicy]:
    """Return the policies of a kind that have no members of other kinds."""
    if kind == "dangerFullAccess":
        return st.just(SandboxPolicy(kind))
    if kind == "externalSandbox":
        return st.builds(SandboxPolicy, st.just(kind), st.booleans())
    readable = st.one_of(
        st.just({}), st.fixed_dictionaries({"readable_roots": path_lists, "platform_defaults": st.booleans()})
    )
    own = {
        "writable_roots": path_lists,
        "exclude_slash_tmp": st.booleans(),
        "exclude_tmpdir_env_var": st.booleans(),
    }
    return st.builds(
        lambda network, read, more: SandboxPolicy(kind, network, **read, **more),
        st.booleans(),
        readable,
        st.fixed_dictionaries(own if kind == "workspaceWrite" else {}),
    )


policies = st.sampled_from(["dangerFullAccess", "externalSandbox", "readOnly", "workspaceWrite"]).flatmap(members)
specials = st.sampled_from([SpecialPath(kind) for kind in SPECIAL_KINDS if kind != "unknown"])
wheres = st.one_of(
    paths, specials, st.just(SpecialPath("project_roots", "docs")), st.just(SpecialPath("unknown", None, "x"))
)
entries = st.one_of(
    st.builds(FileSystemEntry, wheres, st.sampled_from(["none", "read", "write"]), st.booleans()),
    st.builds(FileSystemEntry, st.builds(GlobPattern, paths), st.just("none")),
)
file_systems = st.one_of(
    st.sampled_from([UNRESTRICTED, EXTERNAL]),
    st.builds(FileSystemPolicy, st.just("restricted"), st.lists(entries, max_size=4).map(tuple)),
)
networks: st.SearchStrategy[Network] = st.sampled_from(["restricted", "enabled"])
profiles = st.builds(Permissions, file_systems, networks)
words = [
    "managed",
    "special",
    "glob_pattern",
    "readOnly",
    "workspaceWrite",
    "workspace-write",
    "restricted",
    "read",
    "/a",
]
keys = [
    "type",
    "kind",
    "entries",
    "path",
    "access",
    "value",
    "network",
    "file_system",
    "permissions",
    "cwd",
    "workspaceRoots",
    "writable_roots",
    "writableRoots",
    "network_access",
    "read_only_access",
]
scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.sampled_from(words)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(keys), inner, max_size=4),
    max_leaves=8,
)


@given(policies, st.booleans())
def test_a_policy_comes_back_from_the_core_form(policy: SandboxPolicy, empty_roots: bool) -> None:
    assert core_form.read_policy(core_form.write_policy(policy, empty_roots=empty_roots)) == policy


@given(policies)
def test_a_policy_comes_back_from_the_app_server(policy: SandboxPolicy) -> None:
    assert app_server_form.read_policy(app_server_form.write_policy(policy)) == policy


@given(file_systems, st.sampled_from(["kind", "type"]))
def test_a_file_system_policy_comes_back_from_the_split_form(policy: FileSystemPolicy, tag: str) -> None:
    assert split_form.read_file_system(split_form.write_file_system(policy, tag=tag)) == policy


@given(profiles)
def test_a_profile_comes_back_from_its_form(permissions: Permissions) -> None:
    assert split_form.read_profile(split_form.write_profile(permissions)) == permissions


@given(policies, paths.filter(lambda path: path != "/"))
def test_the_exec_server_is_told_what_a_policy_means(policy: SandboxPolicy, cwd: str) -> None:
    found = exec_server_form.read_context(exec_server_form.write_context(policy, cwd))

    roots = (cwd, *policy.writable_roots) if policy.kind == "workspaceWrite" else (cwd,)
    assert (found.cwd, found.roots) == (cwd, tuple(dict.fromkeys(roots)))
    assert found.permissions.network == ("enabled" if policy.network_access else "restricted")
    there = ResolvedPolicy(found.permissions.file_system, PolicyContext(cwd, "/t", project_roots=found.roots))
    here = ResolvedPolicy(to_split(policy).file_system, PolicyContext(cwd, "/t"))
    assert set(there.writable_roots) == set(here.writable_roots)


def test_the_exec_server_is_told_what_stays_read_only_in_a_workspace() -> None:
    document = exec_server_form.write_context(SandboxPolicy("workspaceWrite"), "/w")

    entries = document["permissions"]["file_system"]["entries"]
    assert entries[-len(PROTECTED) :] == [
        {
            "path": {"type": "special", "value": {"kind": "project_roots", "subpath": name}},
            "access": "read",
            "missing_path_behavior": "skip",
        }
        for name in (".git", ".agents", ".codex", ".aws")
    ]


def test_the_exec_server_is_told_what_is_allowed_beyond_a_policy() -> None:
    more = AdditionalPermissions(network=True, file_system=FileAccess(("/r s",), ("/w",)))

    permissions = exec_server_form.read_context(
        exec_server_form.write_context(SandboxPolicy("readOnly"), "/c", more)
    ).permissions

    assert permissions.network == "enabled"
    assert permissions.file_system.entries[-2:] == (FileSystemEntry("/r s", "read"), FileSystemEntry("/w", "write"))


@pytest.mark.parametrize(
    "read",
    [
        core_form.read_policy,
        split_form.read_file_system,
        split_form.read_network,
        split_form.read_profile,
        exec_server_form.read_context,
        lambda document: app_server_form.read_policy(
            {"type": "readOnly", "access": document, "writableRoots": document}
        ),
        lambda document: core_form.configured_policy("workspace-write", {"writable_roots": document}),
    ],
)
@given(document=documents)
def test_whatever_a_document_holds_it_is_read_or_gets_one_clear_error(
    read: Callable[[Any], object], document: Any
) -> None:
    errors = []
    try:
        read(document)
    except (ConfigError, RpcError) as error:
        errors.append(str(error))

    assert all(error and "\n" not in error for error in errors)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "missing field `type`"),
        ({"type": "none"}, "unknown variant `none`"),
        ({"type": "workspaceWrite", "writableRoots": ["a"]}, "AbsolutePathBuf deserialized without a base path"),
        ({"type": "workspaceWrite", "writableRoots": None}, "AbsolutePathBuf deserialized without a base path"),
        ({"type": "workspaceWrite", "writableRoots": ["/a\0b"]}, "the path '/a\\\\x00b' contains a NUL byte"),
        ({"type": "workspaceWrite", "networkAccess": "no"}, "networkAccess is 'no', expected a boolean"),
        ({"type": "readOnly", "networkAccess": 1}, "networkAccess is 1, expected a boolean"),
        ({"type": "workspaceWrite", "excludeSlashTmp": "true"}, "excludeSlashTmp is 'true', expected a boolean"),
        ({"type": "workspaceWrite", "excludeTmpdirEnvVar": 0}, "excludeTmpdirEnvVar is 0, expected a boolean"),
        ({"type": "externalSandbox", "networkAccess": True}, "networkAccess is True, expected one of `restricted`"),
        ({"type": "readOnly", "access": {}}, "unknown read access {}, expected `restricted` or `fullAccess`"),
        ({"type": "readOnly", "access": "all"}, "unknown read access 'all', expected `restricted` or `fullAccess`"),
        (
            {"type": "readOnly", "access": {"type": "restricted", "includePlatformDefaults": "x"}},
            "includePlatformDefaults is 'x', expected a boolean",
        ),
        (
            {"type": "readOnly", "access": {"type": "restricted", "readableRoots": ["a"]}},
            "AbsolutePathBuf deserialized without a base path",
        ),
    ],
)
def test_what_is_no_policy_of_the_app_server_is_refused_in_its_words(document: dict[str, Any], message: str) -> None:
    with pytest.raises(RpcError, match=message):
        app_server_form.read_policy(document)


def test_members_of_another_kind_of_policy_do_not_count() -> None:
    restricted = {"type": "restricted", "readableRoots": ["/usr"]}
    full = {"type": "readOnly", "readOnlyAccess": restricted, "writableRoots": ["/srv"], "networkAccess": False}

    assert app_server_form.read_policy(full) == SandboxPolicy("readOnly")
    assert app_server_form.read_policy({"type": "dangerFullAccess", "networkAccess": "x"}).unrestricted


@pytest.mark.parametrize(
    ("mode", "options", "message"),
    [
        ("all", {}, "sandbox mode 'all', allowed is one of read-only, workspace-write, danger-full-access"),
        ("workspace-write", {"writable_roots": ["a"]}, "writable_roots has 'a', allowed are absolute paths"),
        ("workspace-write", {"writable_roots": 1}, "writable_roots is 1, expected a list of absolute paths"),
        ("workspace-write", {"writable_roots": ["/a\0b"]}, "writable_roots has '/a.*b', allowed are absolute paths"),
        ("workspace-write", {"network_access": "no"}, 'network_access of .* is "no", expected true or false'),
        ("workspace-write", {"exclude_slash_tmp": 0}, "exclude_slash_tmp of .* is 0, expected true or false"),
    ],
)
def test_a_wrong_setting_is_named(mode: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        core_form.configured_policy(mode, options)


def test_the_table_of_a_mode_is_for_that_mode_alone() -> None:
    options = {"writable_roots": ["/a"], "network_access": True, "exclude_slash_tmp": True}

    assert core_form.configured_policy("read-only", options) == SandboxPolicy("readOnly")
    assert core_form.configured_policy("workspace-write", options) == SandboxPolicy(
        "workspaceWrite", network_access=True, writable_roots=("/a",), exclude_slash_tmp=True
    )
