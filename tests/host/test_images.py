"""What becomes of images that a user attaches; the parts are those of Codex 0.118."""

from __future__ import annotations

import os
from base64 import b64encode
from pathlib import Path

import pytest

from codex_host.session.images import MAX_BYTES, with_images
from codex_host.session.response_items import user_message

pytestmark = pytest.mark.anyio
PNG = b"\x89PNG\r\n\x1a\n"


async def test_images_stand_between_marks_which_number_those_that_were_files(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    content = [
        {"type": "text", "text": "one"},
        {"type": "image", "url": "http://x/y.png"},
        {"type": "localImage", "path": str(tmp_path / "a.png")},
        {"type": "text", "text": "two"},
    ]

    parts = user_message(await with_images(content))["content"]

    assert [part.get("text") or part["image_url"] for part in parts] == [
        "one",
        "<image>",
        "http://x/y.png",
        "</image>",
        "<image name=[Image #2]>",
        f"data:image/png;base64,{b64encode(PNG).decode()}",
        "</image>",
        "two",
    ]


@pytest.mark.parametrize("kind", ["missing", "pipe", "directory", "text", "large"])
async def test_the_model_is_told_what_is_no_image_and_nothing_waits_for_it(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.png"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "text":
        path.write_text("nothing")
    elif kind == "large":
        with path.open("wb") as file:
            file.write(PNG)
            file.truncate(MAX_BYTES + 1)

    parts = await with_images([{"type": "text", "text": "look"}, {"type": "localImage", "path": str(path)}])

    assert [part["type"] for part in parts] == ["text", "text"]
    assert parts[1]["text"].startswith(f"Codex could not read the local image at `{path}`: ")
