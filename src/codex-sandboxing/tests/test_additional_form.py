"""Additional permissions are written for clients, and what those grant is read."""

from __future__ import annotations

from codex_hookspecs.sandbox import AdditionalPermissions, FileAccess, MacosExtensions
from codex_sandboxing.additional import covers
from codex_sandboxing.additional_form import read_granted, write_additional


def test_what_is_wanted_is_written_with_every_member() -> None:
    wanted = AdditionalPermissions(
        network=True, file_system=FileAccess(write=("/data",)), macos=MacosExtensions(automation=("com.a.b",))
    )

    assert write_additional(None) == {"network": None, "fileSystem": None}
    document = write_additional(wanted)
    assert document["network"] == {"enabled": True}
    assert document["fileSystem"] == {"read": None, "write": ["/data"]}
    assert document["macos"]["automations"] == {"bundle_ids": ["com.a.b"]}
    assert "file_system" in write_additional(wanted, files="file_system")


def test_a_grant_never_gives_more_than_was_asked_for() -> None:
    wanted = AdditionalPermissions(network=None, file_system=FileAccess(read=("/a",), write=("/b",)))
    answer = {
        "network": {"enabled": True},
        "fileSystem": {"read": ["/a", "/b"], "write": ["/", "/b", 3]},
        "macos": {"calendar": True},
    }

    assert read_granted(answer, wanted) == wanted


def test_only_what_was_granted_path_by_path_is_covered() -> None:
    wanted = AdditionalPermissions(file_system=FileAccess(write=("/space/b",)))

    assert covers(wanted, wanted)
    assert not covers(None, wanted)
    assert not covers(AdditionalPermissions(network=True), wanted)
