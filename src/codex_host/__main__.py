"""``python -I -m codex_host``: the program, for installations without its console script."""

from __future__ import annotations

import sys

from codex_host.cli import main

if __name__ == "__main__":
    sys.exit(main())
