"""Results of calls for the model and clients; error messages are those of Codex 0.118."""

import base64
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from codex_hookspecs.environments import EnvironmentFacts, FileMetadata
from codex_hookspecs.errors import FileSystemError, ToolError
from codex_hookspecs.protocol import ImageView
from codex_hookspecs.sandbox import SandboxPolicy
from codex_hookspecs.tools import ToolCall
from codex_tool_view_image.plugin import tools
from codex_tool_view_image.tool import MAX_IMAGE_BYTES

pytestmark = pytest.mark.anyio

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
URL = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"


class Looking:
    """A tool context with a real directory; ``notifications`` is what clients get."""

    def __init__(self, cwd: Path) -> None:
        self.settings = SimpleNamespace(cwd=str(cwd), sandbox=SandboxPolicy("readOnly"))
        self.notifications: list[tuple[str, ImageView]] = []

    async def environment(self):
        return SimpleNamespace(files=self, facts=self.facts)

    async def facts(self):
        return EnvironmentFacts(os="linux", shell="/bin/sh", home="/root", cwd="/")

    async def metadata(self, path):
        return _done(
            path, lambda file: FileMetadata(size=file.stat().st_size, is_directory=False, is_file=file.is_file())
        )

    async def read_file(self, path, *, limit=None):
        return _done(path, lambda file: file.read_bytes()[:limit])

    async def start_item(self, item):
        self.notifications.append(("started", item))

    async def complete_item(self, item):
        self.notifications.append(("completed", item))


def _done(path, action):
    try:
        return action(Path(path))
    except OSError as error:
        raise FileSystemError(f"{error.strerror} (os error {error.errno})", path=path, errno=error.errno) from error


def offered(*, feature: bool = False):
    (tool,) = tools(SimpleNamespace(features=SimpleNamespace(enabled=lambda key: feature)))
    return tool


async def view(cwd, *, feature: bool = False, **arguments):
    context = Looking(cwd)
    call = ToolCall(call_id="c", name="view_image", arguments=json.dumps(arguments))
    return await offered(feature=feature).run(call, context), context


@pytest.mark.parametrize("name", ["a.png", "no-extension", "wrong.txt"])
async def test_an_image_is_returned_as_a_data_url_and_reported_to_clients(tmp_path, name):
    (tmp_path / name).write_bytes(PNG)

    output, context = await view(tmp_path, path=name)

    item = ImageView(id="c", path=str(tmp_path / name))
    assert output.content == ({"type": "input_image", "image_url": URL},)
    assert output.hook_response == [{"type": "input_image", "image_url": URL}]
    assert context.notifications == [("started", item), ("completed", item)]


async def test_the_path_may_be_absolute_or_contain_parent_directories(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "sub").mkdir()

    _, first = await view(tmp_path / "sub", path=str(tmp_path / "a.png"))
    _, second = await view(tmp_path / "sub", path="../a.png")

    assert first.notifications == second.notifications


@pytest.mark.parametrize(("feature", "detail"), [(True, "original"), (False, None)])
async def test_the_original_size_is_used_only_with_its_feature(tmp_path, feature, detail):
    (tmp_path / "a.png").write_bytes(PNG)

    output, _ = await view(tmp_path, feature=feature, path="a.png", detail="original")

    assert output.hook_response[0].get("detail") == detail
    assert output.content[0].get("detail") == detail
    assert ("detail" in offered(feature=feature).spec["parameters"]["properties"]) is feature


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": "no.png"}, "unable to locate image at `{cwd}/no.png`: No such file or directory (os error 2)"),
        ({"path": "link.png"}, "unable to locate image at `{cwd}/link.png`: No such file or directory (os error 2)"),
        ({"path": "."}, "image path `{cwd}` is not a file"),
        ({"path": ""}, "image path `{cwd}` is not a file"),
        ({"path": "a.txt"}, "unable to process image at `{cwd}/a.txt`: unsupported image `text/plain`"),
        ({"path": "garbage.png"}, "unable to process image at `{cwd}/garbage.png`: unsupported image `image/png`"),
        ({"path": "cut.png"}, "unable to process image at `{cwd}/cut.png`: unsupported image `image/png`"),
        ({"path": "nothing"}, "unable to process image at `{cwd}/nothing`: unsupported image `unknown`"),
        ({"path": "huge.png"}, "unable to process image at `{cwd}/huge.png`: larger than 15 MiB"),
        ({}, "failed to parse function arguments: missing field `path`"),
        ({"path": 5}, "failed to parse function arguments: `path` and `detail` must be strings"),
        (
            {"path": "a.txt", "detail": "high"},
            "view_image.detail only supports `original`; omit `detail` for default resized behavior, got `high`",
        ),
    ],
)
async def test_other_files_are_refused_without_an_item(tmp_path, arguments, message):
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "garbage.png").write_text("garbage")
    (tmp_path / "cut.png").write_bytes(PNG[:40])
    (tmp_path / "nothing").write_bytes(b"")
    (tmp_path / "huge.png").write_bytes(PNG + bytes(MAX_IMAGE_BYTES))
    (tmp_path / "link.png").symlink_to(tmp_path / "nowhere")

    with pytest.raises(ToolError) as caught:
        await view(tmp_path, **arguments)

    assert str(caught.value) == message.format(cwd=tmp_path)
