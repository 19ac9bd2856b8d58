"""The net diff of a turn; expectations are what Codex 0.118 announced for the same patches."""

import shutil

import anyio
import pytest

pytestmark = pytest.mark.anyio


@pytest.fixture
def repository(work):
    (work / ".git").mkdir()
    (work / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (work / "k.txt").write_text("".join(f"{number}\n" for number in range(1, 11)))
    (work / "mv.txt").write_text("one\ntwo\n")
    return work


K_DIFF = """\
diff --git a/k.txt b/k.txt
index f00c965d8307308469e537302baa73048488f162..33011fd77b7414b66200a64a0024dab6d1924191
--- a/k.txt
+++ b/k.txt
@@ -2,7 +2,7 @@
 2
 3
 4
-5
+five
 6
 7
 8
"""
MOVE_DIFF = """\
diff --git a/mv.txt b/mw.txt
index 814f4a422927b82f5f8a43f8fab6d3839e3983f2..4c1ee586b89c236961f884e55c2745659e6e45f6
--- a/mv.txt
+++ b/mw.txt
@@ -1,2 +1,2 @@
-one
+ONE
 two
"""


async def test_patches_of_a_turn_add_up_and_paths_start_at_the_repository(conversation, repository):
    await conversation.patch("*** Update File: k.txt\n@@\n 4\n-5\n+five\n 6")
    await conversation.patch("*** Update File: mv.txt\n*** Move to: mw.txt\n@@\n-one\n+ONE")

    assert conversation.last_diff() == K_DIFF + MOVE_DIFF


async def test_what_is_undone_is_not_shown(conversation, repository):
    await conversation.patch("*** Update File: k.txt\n@@\n 4\n-5\n+five\n 6")
    await conversation.patch("*** Update File: k.txt\n@@\n-five\n+5\n*** Add File: t\n+1")
    await conversation.patch("*** Delete File: t")

    assert conversation.last_diff() == ""


async def test_new_empty_and_deleted_files_have_their_headers(conversation, work):
    (work / ".git").mkdir()
    (work / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (work / "gone").write_text("bye")

    await conversation.patch("*** Add File: sp ace\n*** Delete File: gone")

    assert conversation.last_diff() == (
        "diff --git a/gone b/gone\ndeleted file mode 100644\n"
        "index 0abaeaa9932cc3322604c196b22c4db5c33aa548..0000000000000000000000000000000000000000\n"
        "--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-bye\n\\ No newline at end of file\n"
        "diff --git a/sp ace b/sp ace\nnew file mode 100644\n"
        "index 0000000000000000000000000000000000000000..e69de29bb2d1d6434b8b29ae775ad8c2e48c5391\n"
    )


async def test_a_file_that_is_no_text_is_only_named(conversation, repository):
    (repository / "bin").write_bytes(b"\xff\n")

    await conversation.patch("*** Delete File: bin")

    assert conversation.last_diff().endswith("Binary files a/bin and /dev/null differ\n")


async def test_a_new_turn_begins_with_an_empty_diff(conversation, repository):
    await conversation.patch("*** Update File: k.txt\n@@\n 4\n-5\n+five\n 6")
    conversation.turn_id = "turn-2"
    await conversation.patch("*** Update File: mv.txt\n*** Move to: mw.txt\n@@\n-one\n+ONE")

    assert conversation.last_diff() == MOVE_DIFF


async def test_git_applies_the_diff_of_a_turn(conversation, repository, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(repository, copy)
    await conversation.patch(
        "*** Update File: k.txt\n@@\n-1\n+eins\n@@\n-9\n-10\n*** Add File: deep/n.txt\n+1\n*** Delete File: mv.txt"
    )

    await anyio.run_process(["git", "apply", "-"], cwd=copy, input=conversation.last_diff().encode())

    assert sorted(path.name for path in copy.rglob("*.txt")) == ["k.txt", "n.txt"]
    assert (copy / "k.txt").read_bytes() == (repository / "k.txt").read_bytes()
