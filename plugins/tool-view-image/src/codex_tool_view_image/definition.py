"""The definition of the tool for the model (parameters of Codex 0.118)."""

from __future__ import annotations

from typing import Any

from codex_hookspecs.protocol import JsonObject

NAME = "view_image"
DETAIL_FEATURE = "image_detail_original"
"""Feature that lets the model request an image in its original size."""


def spec(*, with_detail: bool) -> JsonObject:
    """Return the tool object for requests to the model.

    :param with_detail: include the parameter ``detail``.
    """
    properties: dict[str, Any] = {"path": {"type": "string", "description": "Path of the image file"}}
    if with_detail:
        properties["detail"] = {
            "type": "string",
            "description": "`original` keeps the full resolution; leave it out otherwise",
        }
    return {
        "type": "function",
        "name": NAME,
        "description": (
            "Look at an image file whose path is known. Not for images that are already part of the conversation."
        ),
        "strict": False,
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": ["path"],
            "additionalProperties": False,
        },
    }
