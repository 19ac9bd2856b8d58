from __future__ import annotations

from pathlib import Path

from codex_hooks_command.context_overflow import limit_context

TEXT = "\n".join(f"line {number:05} é" for number in range(2000))


def test_a_text_within_the_limit_is_unchanged(tmp_path: Path) -> None:
    text = "x" * 10_000

    assert limit_context(text, codex_home=str(tmp_path), thread_id="t") == text
    assert list(tmp_path.iterdir()) == []


def test_a_longer_text_keeps_head_and_tail_and_names_the_file_with_the_whole(tmp_path: Path) -> None:
    shown = limit_context(TEXT, codex_home=str(tmp_path), thread_id="t")

    (file,) = (tmp_path / "hook_outputs" / "t").iterdir()
    assert file.read_text(encoding="utf-8") == TEXT
    assert shown.startswith(
        "Warning: truncated output (original token count: 7000)\nTotal output lines: 2000\n\nline 00000 é\nline 00001"
    )
    assert shown.endswith(f"line 01999 é\n\nFull hook output saved to: {file}")
    assert "tokens truncated…" in shown


def test_a_handler_can_have_a_limit_of_its_own(tmp_path: Path) -> None:
    low = limit_context("x" * 400, codex_home=str(tmp_path), thread_id="t", limit=99)
    high = limit_context(TEXT, codex_home=str(tmp_path), thread_id="t", limit=7000)

    assert low.startswith("Warning: truncated output (original token count: 100)")
    assert high == TEXT


def test_a_text_that_can_not_be_saved_is_still_truncated(tmp_path: Path) -> None:
    (tmp_path / "hook_outputs").write_text("in the way")

    shown = limit_context(TEXT, codex_home=str(tmp_path), thread_id="t")

    assert shown.startswith("Warning: truncated output")
    assert shown.endswith("line 01999 é")
