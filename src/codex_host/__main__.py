"""``python -I -m codex_host``: the program, where installers can't put a script that does the same."""

from __future__ import annotations

import sys

from codex_host.cli import main

if __name__ == "__main__":
    sys.exit(main())
