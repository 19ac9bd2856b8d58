"""Run the program; note the loaded modules when httpx is first wanted and at the first connection."""

import json
import os
import sys

_noted = {}


def _watch(event, args):
    if event == "import" and args[0] == "httpx":
        _note("httpx")
    elif event == "socket.connect" and isinstance(args[1], tuple):
        _note("connect")


def _note(what):
    if what not in _noted:
        _noted[what] = sorted(sys.modules)
        with open(os.environ["MODULES_FILE"], "w") as file:
            json.dump(_noted, file)


sys.addaudithook(_watch)

from codex_host.cli import main  # noqa: E402

sys.exit(main())
