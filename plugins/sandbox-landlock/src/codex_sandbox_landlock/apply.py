"""Put the own process under a policy, then become a command; a program that imports next to nothing.

Run as ``python -I -S apply.py probe`` or ``python -I -S apply.py OPERATION VALUE … -- COMMAND …``. The operations,
in the order in which they take effect:

- ``unshare NAMES``: enter new namespaces, own ids mapped to themselves; then the mount operations:
- ``readonly /``, ``device PATH``, ``devices /dev``, ``bind PATH``, ``pin PATH``, ``hide PATH``, ``hold PATH``:
  everything read-only; a device that is wanted beside the harmless ones; those alone; a tree writable again; a tree
  read-only; a tree gone; a link that stays as it is.
- ``landlock ABI,FILES,NETWORK,SCOPES`` and ``allow RIGHTS:PATH``: the ruleset.
- ``filter HEX``: a system call filter.
- ``env NAME=VALUE``: a variable of the command that must not mean anything to this program.

Every failure ends the process before the command is run.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    from codex_sandbox_landlock.child import main

    status = main(sys.argv[1:])
    for stream in filter(None, (sys.stdout, sys.stderr)):  # Closed ones are none.
        stream.flush()
    # Up to three processes come here; none of them has anything to tidy up.
    os._exit(status)
