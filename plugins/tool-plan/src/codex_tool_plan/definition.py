"""The definition of the tool for the model (parameters of Codex 0.118)."""

from __future__ import annotations

from codex_hookspecs.protocol import JsonObject

NAME = "update_plan"

SPEC: JsonObject = {
    "type": "function",
    "name": NAME,
    "description": (
        "Record or change the plan of the task: a list of short steps, each with a status, and if it helps an "
        "explanation. Keep at most one step in_progress."
    ),
    "strict": False,
    "parameters": {
        "type": "object",
        "properties": {
            "explanation": {"type": "string"},
            "plan": {
                "type": "array",
                "description": "All steps, in order",
                "items": {
                    "type": "object",
                    "properties": {
                        "status": {"type": "string", "description": "pending, in_progress or completed"},
                        "step": {"type": "string"},
                    },
                    "required": ["step", "status"],
                    "additionalProperties": False,
                },
            },
        },
        "required": ["plan"],
        "additionalProperties": False,
    },
}
