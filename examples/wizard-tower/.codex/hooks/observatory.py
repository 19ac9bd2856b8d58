"""SessionStart hook: greet, and tell the model what a stonpet is."""

import json
import sys

event = json.load(sys.stdin)
json.dump(
    {
        "systemMessage": f"Hi, I'm a session start hook for wizard-tower ({event['source']}).",
        "hookSpecificOutput": {
            "hookEventName": "SessionStart",
            "additionalContext": "A wimboltine stonpet is an exotic cuisine from hyperspace",
        },
    },
    sys.stdout,
)
