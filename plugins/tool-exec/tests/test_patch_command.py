"""Which commands are a call of apply_patch."""

import pytest

from codex_hookspecs.errors import ToolError
from codex_tool_exec.patch_command import CommandPatch, patch_from_command

PATCH = "*** Begin Patch\n*** Add File: a\n+EOF is near\n*** End Patch"


@pytest.mark.parametrize(
    ("command", "found"),
    [
        (["apply_patch", PATCH], CommandPatch(PATCH)),
        (["applypatch", PATCH], CommandPatch(PATCH)),
        (f"apply_patch <<'EOF'\n{PATCH}\nEOF", CommandPatch(PATCH)),
        (f'  applypatch << "END"\n{PATCH}\nEND\n\n', CommandPatch(PATCH)),
        (["/bin/bash", "-lc", f"apply_patch <<EOF\n{PATCH}\nEOF\n"], CommandPatch(PATCH)),
        (["sh", "-c", f"cd a/b && apply_patch <<EOF\n{PATCH}\nEOF\n"], CommandPatch(PATCH, "a/b")),
        (["zsh", "-lc", f"cd 'a b' && apply_patch <<EOF\n{PATCH}\nEOF"], CommandPatch(PATCH, "a b")),
        (["bash", "-c", f'cd "a b" &&\napply_patch <<EOF\n{PATCH}\nEOF'], CommandPatch(PATCH, "a b")),
        (["pwsh.exe", "-NoProfile", "-Command", f"apply_patch <<EOF\n{PATCH}\nEOF"], CommandPatch(PATCH)),
        (["C:\\Windows\\cmd.exe", "/c", f"apply_patch <<EOF\n{PATCH}\nEOF"], CommandPatch(PATCH)),
    ],
)
def test_a_call_alone_is_found_in_any_shell(command, found):
    assert patch_from_command(command) == found


@pytest.mark.parametrize(
    "command",
    [
        [],
        "",
        ["ls", "-la"],
        f"echo a; apply_patch <<EOF\n{PATCH}\nEOF",
        f"apply_patch <<EOF\n{PATCH}\nEOF\necho done",
        f"apply_patch <<EOF && echo done\n{PATCH}\nEOF",
        f"cd a || apply_patch <<EOF\n{PATCH}\nEOF",
        f"cd a b && apply_patch <<EOF\n{PATCH}\nEOF",
        f"cd -P a && apply_patch <<EOF\n{PATCH}\nEOF",
        f"cd $HOME && apply_patch <<EOF\n{PATCH}\nEOF",
        f"cd $(pwd) && apply_patch <<EOF\n{PATCH}\nEOF",
        f"cd ~/x && apply_patch <<EOF\n{PATCH}\nEOF",
        f"apply_patch extra <<EOF\n{PATCH}\nEOF",
        f"apply_patch <<'EOF\"\n{PATCH}\nEOF",
        f"apply_patch <<EOF\n{PATCH}\n EOF",
        f"apply_patch <<EOF\n{PATCH}\nEOF\nrm -rf x\nEOF",
        f"apply_patch '{PATCH}'",
        ["python", "-c", f"apply_patch <<EOF\n{PATCH}\nEOF"],
        ["bash", "-x", f"apply_patch <<EOF\n{PATCH}\nEOF"],
    ],
)
def test_anything_else_is_left_to_the_shell(command):
    assert patch_from_command(command) is None


@pytest.mark.parametrize("command", [PATCH, [PATCH], ["bash", "-lc", f"\n{PATCH}\n"]])
def test_a_bare_patch_is_refused_with_the_way_to_call_it(command):
    with pytest.raises(ToolError, match=r'Rerun as \["apply_patch", "<patch>"\]'):
        patch_from_command(command)
