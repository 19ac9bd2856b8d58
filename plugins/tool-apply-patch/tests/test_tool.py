"""Calls of the tool on real files; texts and items as Codex 0.118 gave them for the same calls."""

import asyncio
import json
from pathlib import Path

import pytest

from codex_hookspecs.errors import ToolError, ToolRejected
from codex_hookspecs.protocol import FileChange, FileChangeOutputDelta, FileUpdateChange, TurnDiffUpdated
from codex_hookspecs.sandbox import SandboxPolicy
from codex_hookspecs.tools import ToolCall

pytestmark = pytest.mark.anyio


async def test_a_patch_is_announced_applied_and_summed_up(conversation, work):
    output = await conversation.patch("*** Add File: new.txt\n+alpha\n+beta")

    changes = (FileUpdateChange(str(work / "new.txt"), {"type": "add"}, diff="alpha\nbeta\n"),)
    ids = {"thread_id": "thread-1", "turn_id": "turn-1"}
    assert (work / "new.txt").read_text() == "alpha\nbeta\n"
    assert output.success
    assert (
        output.text == "Exit code: 0\nWall time: 0 seconds\nOutput:\nSuccess. Updated the following files:\nA new.txt\n"
    )
    assert conversation.told == [
        FileChange(id="call-1", changes=changes, status="inProgress"),
        FileChangeOutputDelta(item_id="call-1", delta="Success. Updated the following files:\nA new.txt\n", **ids),
        FileChange(id="call-1", changes=changes, status="completed"),
        TurnDiffUpdated(
            diff=f"diff --git a/{work}/new.txt b/{work}/new.txt\nnew file mode 100644\n"
            "index 0000000000000000000000000000000000000000..fbbee861521bd5355538b096fa3998541cd33909\n"
            f"--- /dev/null\n+++ b/{work}/new.txt\n@@ -0,0 +1,2 @@\n+alpha\n+beta\n",
            **ids,
        ),
    ]


async def test_every_kind_of_change_is_shown_sorted_by_path(conversation, work):
    (work / "b.txt").write_text("over\n")
    (work / "gone.txt").write_text("bye")
    (work / "m.txt").write_text("x\ny\n")

    output = await conversation.patch(
        "*** Update File: b.txt\n@@\n-over\n+u\n*** Add File: z.txt\n+1\n*** Add File: c.txt\n+2\n"
        "*** Delete File: gone.txt\n*** Update File: m.txt\n*** Move to: deep/n.txt\n@@\n-x\n+z"
    )

    assert output.text.endswith(
        "Success. Updated the following files:\nA z.txt\nA c.txt\nM b.txt\nM deep/n.txt\nD gone.txt\n"
    )
    assert [(Path(change.path).name, change.kind, change.diff) for change in conversation.items()[-1].changes] == [
        ("b.txt", {"type": "update", "move_path": None}, "@@ -1 +1 @@\n-over\n+u\n"),
        ("c.txt", {"type": "add"}, "2\n"),
        ("gone.txt", {"type": "delete"}, "bye"),
        (
            "m.txt",
            {"type": "update", "move_path": f"{work}/deep/n.txt"},
            f"@@ -1,2 +1,2 @@\n-x\n+z\n y\n\n\nMoved to: {work}/deep/n.txt",
        ),
        ("z.txt", {"type": "add"}, "1\n"),
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "*** Update File: missing.txt\n@@\n-x\n+y",
            "Failed to read file to update {work}/missing.txt: No such file or directory (os error 2)",
        ),
        ("*** Update File: a.txt\n@@\n-nope\n+y", "Failed to find expected lines in {work}/a.txt:\nnope"),
        ("*** Delete File: dir", "Failed to read {work}/dir: Is a directory (os error 21)"),
        ("*** Delete File: nope", "Failed to read {work}/nope: No such file or directory (os error 2)"),
        ("*** Update File: dir\n@@\n-a\n+b", "Failed to read file to update {work}/dir: Is a directory (os error 21)"),
        (
            "*** Update File: bin.dat\n@@\n-a\n+b",
            "Failed to read file to update {work}/bin.dat: stream did not contain valid UTF-8",
        ),
        (
            "*** Add File: ok.txt\n+a\n*** Delete File: nope",
            "Failed to read {work}/nope: No such file or directory (os error 2)",
        ),
        (
            "*** Delete File: a.txt\n*** Update File: a.txt\n@@\n-x\n+y",
            "Failed to read file to update {work}/a.txt: No such file or directory (os error 2)",
        ),
        ("*** Add File: a\0b\n+x", "invalid patch: path 'a\\x00b' contains a NUL character"),
        ("*** Environment ID: other\n*** Add File: b\n+x", "environment `other` is not the thread's, which is `local`"),
    ],
)
async def test_a_patch_that_does_not_fit_changes_and_announces_nothing(conversation, work, tree, body, message):
    (work / "a.txt").write_text("x\n")
    (work / "bin.dat").write_bytes(b"\xff\xfea\n")
    (work / "dir").mkdir()
    before = tree()

    with pytest.raises(ToolError) as caught:
        await conversation.patch(body)

    assert str(caught.value) == f"apply_patch verification failed: {message.format(work=work)}"
    assert tree() == before
    assert conversation.told == []


async def test_an_empty_patch_is_rejected(conversation):
    with pytest.raises(ToolError, match=r"^patch rejected: empty patch$"):
        await conversation.call(
            ToolCall(call_id="c", name="apply_patch", kind="custom", arguments="*** Begin Patch\n*** End Patch")
        )


async def test_later_operations_see_what_earlier_ones_did(conversation, tree, work):
    (work / "a").write_text("x\n")

    output = await conversation.patch(
        "*** Update File: a\n@@\n-x\n+y\n*** Update File: a\n@@\n-y\n+z\n*** Add File: n\n+1\n"
        "*** Update File: n\n@@\n 1\n+2\n*** Add File: t\n+t\n*** Delete File: t"
    )

    assert output.success
    assert tree() == {"a": b"z\n", "n": b"1\n2\n"}
    assert [(change.kind["type"], change.diff) for change in conversation.items()[-1].changes] == [
        ("update", "@@ -1 +1 @@\n-x\n+z\n"),
        ("add", "1\n2\n"),
    ]


async def test_a_file_can_be_deleted_and_written_anew_or_become_a_directory(conversation, tree, work):
    (work / "a").write_text("old\n")
    (work / "d").write_text("file\n")

    await conversation.patch("*** Delete File: a\n*** Add File: a\n+new\n*** Delete File: d\n*** Add File: d/x\n+1")

    assert tree() == {"a": b"new\n", "d/x": b"1\n"}


async def test_a_move_overwrites_its_target_and_keeps_permissions(conversation, tree, work):
    (work / "run.sh").write_text("a\n")
    (work / "run.sh").chmod(0o755)
    (work / "there").write_text("old\n")

    await conversation.patch("*** Update File: run.sh\n*** Move to: new/go.sh\n@@\n-a\n+b")
    await conversation.patch("*** Update File: new/go.sh\n*** Move to: there\n@@\n-b\n+c")

    assert tree() == {"there": b"c\n"}
    assert (work / "there").stat().st_mode & 0o111 == 0


async def test_a_moved_file_stays_executable(conversation, work):
    (work / "run.sh").write_text("a\n")
    (work / "run.sh").chmod(0o755)

    await conversation.patch("*** Update File: run.sh\n*** Move to: new/go.sh\n@@\n-a\n+b")

    assert (work / "new/go.sh").stat().st_mode & 0o777 == 0o755


async def test_a_move_to_the_same_path_is_an_update(conversation, tree, work):
    (work / "a").write_text("x\n")

    await conversation.patch("*** Update File: a\n*** Move to: ./b/../a\n@@\n-x\n+z")

    assert tree() == {"a": b"z\n"}


async def test_paths_may_be_absolute_or_climb(conversation, tree, work, tmp_path):
    (work / "d").mkdir()

    await conversation.patch(f"*** Add File: {work}/d/../abs.txt\n+1\n*** Add File: d/../../up.txt\n+2")

    assert tree() == {"abs.txt": b"1\n"}
    assert (tmp_path / "up.txt").read_text() == "2\n"
    assert [change.path for change in conversation.items()[-1].changes] == [f"{tmp_path}/up.txt", f"{work}/abs.txt"]


@pytest.mark.parametrize(
    ("body", "failing", "told"),
    [
        ("*** Add File: one/a\n+1\n*** Update File: k\n@@\n-x\n+y\n*** Add File: dir\n+1", None, "write file dir"),
        ("*** Add File: one/a\n+1\n*** Add File: k/b\n+1", None, "create parent directories for k/b"),
        ("*** Update File: k\n@@\n-x\n+y\n*** Delete File: l", "l", "delete file l"),
        ("*** Update File: k\n*** Move to: far/m\n@@\n-x\n+y", "k", "remove original k"),
        ("*** Delete File: l\n*** Update File: k\n@@\n-x\n+y", "k", "write file k"),
    ],
)
async def test_a_failing_write_puts_everything_back(conversation, tree, work, body, failing, told):
    (work / "k").write_text("x\n")
    (work / "l").write_text("l\n")
    (work / "dir").mkdir()
    conversation.files.refused = {failing} if failing else set()
    before = tree()

    output = await conversation.patch(body)

    assert not output.success
    assert output.text == f"Exit code: 1\nWall time: 0 seconds\nOutput:\nFailed to {told}\n"
    assert tree() == before
    assert {path.name for path in work.iterdir()} == {"dir", "k", "l"}
    assert [item.status for item in conversation.items()] == ["inProgress", "failed"]
    assert not any(isinstance(told, TurnDiffUpdated) for told in conversation.told)


async def test_an_interrupted_patch_puts_everything_back(conversation, tree, work):
    (work / "k").write_text("x\n")
    written = conversation.files.write_file
    second_written = asyncio.Event()

    async def slow(path, data):
        await written(path, data)
        if path.endswith("second"):
            conversation.files.write_file = written
            second_written.set()
            await asyncio.Event().wait()

    conversation.files.write_file = slow
    patch = "*** Update File: k\n@@\n-x\n+y\n*** Add File: d/second\n+1\n*** Add File: third\n+1"
    turn = asyncio.create_task(conversation.patch(patch))
    await asyncio.wait_for(second_written.wait(), 5)
    turn.cancel()

    with pytest.raises(asyncio.CancelledError):
        await turn
    assert tree() == {"k": b"x\n"}
    assert [path.name for path in work.iterdir()] == ["k"]


async def test_a_call_as_function_may_name_a_directory(conversation, tree, work):
    (work / "sub").mkdir()
    patch = "*** Begin Patch\n*** Add File: e.txt\n+e\n*** End Patch"

    await conversation.call(
        ToolCall(call_id="c", name="apply_patch", arguments=json.dumps({"input": patch, "workdir": "sub"}))
    )

    assert tree() == {"sub/e.txt": b"e\n"}


@pytest.mark.parametrize("arguments", ["", "[]", "{}", '{"input":1}', '{"input":"x","workdir":2}'])
async def test_function_arguments_that_do_not_fit_are_refused(conversation, arguments):
    with pytest.raises(ToolError, match=r"^failed to parse function arguments: "):
        await conversation.call(ToolCall(call_id="c", name="apply_patch", arguments=arguments))


async def test_a_large_file_is_patched(conversation, work):
    text = "".join(f"line {number} of a long file\n" for number in range(400_000))
    (work / "big").write_text(text)

    output = await conversation.patch("*** Update File: big\n@@\n-line 399999 of a long file\n+end")

    assert output.success
    assert (work / "big").read_text() == text.replace("line 399999 of a long file", "end")
    assert len(conversation.last_diff()) < 1_000


async def test_a_refusal_declines_the_item_and_changes_nothing(conversation, tree):
    conversation.sandbox(SandboxPolicy("dangerFullAccess"), "untrusted")
    conversation.answer = ToolRejected("patch rejected by user", kind="aborted")

    with pytest.raises(ToolRejected, match=r"^patch rejected by user$") as caught:
        await conversation.patch("*** Add File: a\n+1")

    assert caught.value.kind == "aborted"
    assert tree() == {}
    assert [item.status for item in conversation.items()] == ["inProgress", "declined"]
