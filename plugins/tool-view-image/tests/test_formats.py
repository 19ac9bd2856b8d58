"""Image formats are detected by content."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_tool_view_image.formats import image_type

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
WEBP = base64.b64decode("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        pytest.param(PNG, "image/png", id="png"),
        pytest.param(PNG + b"trailing bytes", "image/png", id="png and more"),
        pytest.param(GIF, "image/gif", id="gif"),
        pytest.param(WEBP, "image/webp", id="webp"),
        pytest.param(JPEG, "image/jpeg", id="jpeg"),
    ],
)
def test_images_are_recognised_by_their_content(data, kind):
    assert image_type(data) == kind


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"garbage", id="text"),
        pytest.param(PNG[:20], id="png cut in its header"),
        pytest.param(PNG[:-6], id="png cut at its end"),
        pytest.param(JPEG[:-2], id="jpeg cut"),
        pytest.param(GIF[:10], id="gif cut"),
        pytest.param(WEBP[:30], id="webp cut"),
        pytest.param(b"BM" + bytes(52), id="bmp"),
        pytest.param(b"<svg/>", id="svg"),
        pytest.param(b"%PDF-1.7", id="pdf"),
    ],
)
def test_anything_else_is_no_image(data):
    assert image_type(data) is None


@given(st.binary(max_size=200), st.sampled_from([b"", PNG[:16], b"\xff\xd8\xff", b"GIF89a", b"RIFF", WEBP[:16]]))
def test_any_bytes_are_accepted_as_input(data, start):
    assert image_type(start + data) in {None, "image/png", "image/jpeg", "image/gif", "image/webp"}
