"""Stop hook that sends the agent back to work once, with the prompt of its first argument."""

import json
import sys

event = json.load(sys.stdin)
if event["stop_hook_active"]:
    answer = {"systemMessage": "Wizard Tower Stop hook saw a second pass and stayed calm to avoid a loop."}
else:
    answer = {
        "decision": "block",
        "reason": sys.argv[1],
        "systemMessage": "Wizard Tower Stop hook continuing conversation",
    }
json.dump(answer, sys.stdout)
