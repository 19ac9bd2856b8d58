"""Stop hook that looks and never blocks."""

import json
import sys

reply = json.load(sys.stdin)["last_assistant_message"] or ""
json.dump({"systemMessage": f"Wizard Tower Stop hook reviewed the completed reply ({len(reply)} chars)."}, sys.stdout)
