"""Truncate long text in the middle, by bytes or estimated tokens, in the format that models are trained on.

Both keep the head (half of the budget, rounded down) and the tail (the rest), cut at character boundaries, and insert a
marker (format of Codex 0.118).
"""

from __future__ import annotations

BYTES_PER_TOKEN = 4


def token_estimate(text: str) -> int:
    """Return the estimated number of tokens of a text: a quarter of its UTF-8 bytes, rounded up."""
    return -(-_byte_length(text) // BYTES_PER_TOKEN)


def truncate_bytes(text: str, budget: int) -> str:
    """Truncate a text to a budget of UTF-8 bytes; the marker has the number of missing characters.

    :param budget: bytes to keep; with 0 only the marker remains.
    """
    if _byte_length(text) <= budget:
        return text
    head, tail = _ends(text, budget)
    return f"{head}…{len(text) - len(head) - len(tail)} chars truncated…{tail}"


def truncate_tokens(text: str, budget: int) -> tuple[str, int | None]:
    """Truncate a text to a budget of estimated tokens.

    :param budget: tokens of four bytes to keep; with 0 only the marker remains.
    :return: the text, and its original token count if it was truncated, else ``None``.
    """
    size = _byte_length(text)
    kept = max(budget, 0) * BYTES_PER_TOKEN
    if size <= kept:
        return text, None
    head, tail = _ends(text, kept)
    missing = -(-(size - kept) // BYTES_PER_TOKEN)
    return f"{head}…{missing} tokens truncated…{tail}", -(-size // BYTES_PER_TOKEN)


def _byte_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _ends(text: str, budget: int) -> tuple[str, str]:
    data = text.encode("utf-8", "surrogatepass")
    budget = max(budget, 0)
    head_end = budget // 2
    tail_start = len(data) - (budget - budget // 2)
    while head_end > 0 and _continues(data, head_end):
        head_end -= 1
    while tail_start < len(data) and _continues(data, tail_start):
        tail_start += 1
    tail_start = max(tail_start, head_end)
    return data[:head_end].decode("utf-8", "surrogatepass"), data[tail_start:].decode("utf-8", "surrogatepass")


def _continues(data: bytes, index: int) -> bool:
    return index < len(data) and data[index] & 0xC0 == 0x80
