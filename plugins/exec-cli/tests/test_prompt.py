"""The prompt is read from arguments and standard input."""

from __future__ import annotations

import pytest

from codex_exec_cli.prompt import PromptError, resolve_prompt


def resolve(argument: str | None, stdin: bytes | None, *, append: bool = True) -> tuple[str, list[str]]:
    """Return the prompt and the messages; ``stdin`` is ``None`` for a terminal."""
    messages: list[str] = []
    prompt = resolve_prompt(
        argument,
        terminal=stdin is None,
        read=lambda: stdin or b"",
        read_more=lambda: (stdin or b"", True),
        tell=messages.append,
        append=append,
    )
    return prompt, messages


@pytest.mark.parametrize(
    ("argument", "stdin", "prompt", "messages"),
    [
        ("the arg", None, "the arg", []),
        ("the arg", b"", "the arg", ["Reading additional input from stdin..."]),
        ("the arg", b"  \n", "the arg", ["Reading additional input from stdin..."]),
        (
            "the arg",
            b"piped text",
            "the arg\n\n<stdin>\npiped text\n</stdin>",
            ["Reading additional input from stdin..."],
        ),
        ("the arg", b"piped\n", "the arg\n\n<stdin>\npiped\n</stdin>", ["Reading additional input from stdin..."]),
        ("the arg", b"a\r\nb", "the arg\n\n<stdin>\na\r\nb\n</stdin>", ["Reading additional input from stdin..."]),
        (None, b"from stdin\n", "from stdin\n", ["Reading prompt from stdin..."]),
        ("-", b"  dash \n\n", "  dash \n\n", []),
        (None, b"\xef\xbb\xbfmarked", "marked", ["Reading prompt from stdin..."]),
        (None, "ünï".encode("utf-16"), "ünï", ["Reading prompt from stdin..."]),
    ],
)
def test_the_prompt_is_assembled(argument: str | None, stdin: bytes | None, prompt: str, messages: list[str]) -> None:
    assert resolve(argument, stdin) == (prompt, messages)


def test_a_resumed_session_does_not_read_standard_input() -> None:
    assert resolve("next", b"ignored", append=False) == ("next", [])


@pytest.mark.parametrize(
    ("argument", "stdin", "message"),
    [
        (None, b"", "No prompt provided via stdin."),
        (None, b" \n", "No prompt provided via stdin."),
        ("-", b"", "No prompt provided via stdin."),
        (None, None, "No prompt provided. Either specify one as an argument or pipe the prompt into stdin."),
        (
            None,
            b"ab\xff",
            "Failed to read prompt from stdin: input is not valid UTF-8 (invalid byte at offset 2). "
            "Convert it to UTF-8 and retry (e.g., `iconv -f <ENC> -t UTF-8 prompt.txt`).",
        ),
        (
            "arg",
            b"\xff\xfeA",
            "Failed to read prompt from stdin: input looks like UTF-16-LE but could not be decoded; "
            "convert it to UTF-8 and retry.",
        ),
    ],
)
def test_without_a_usable_prompt_nothing_is_run(argument: str | None, stdin: bytes | None, message: str) -> None:
    with pytest.raises(PromptError) as caught:
        resolve(argument, stdin)

    assert str(caught.value) == message


def test_a_prompt_can_have_ten_megabytes() -> None:
    prompt, _ = resolve("-", b"x" * 10_000_000)

    assert len(prompt) == 10_000_000
