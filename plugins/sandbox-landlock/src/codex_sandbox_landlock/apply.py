"""A program that restricts its own process to a policy and then execs a command. It imports little, to start fast.

Run as ``python -I -S apply.py probe`` or ``python -I -S apply.py OPERATION VALUE … -- COMMAND …``. The operations,
in the order in which they take effect:

- ``unshare NAMES``: enter new namespaces, with the own ids mapped to themselves; then the mounts:

  - ``readonly /``: make everything read-only;
  - ``device PATH``: a device to keep in addition to the standard ones;
  - ``devices /dev``: replace ``/dev`` by one with the standard devices and those named before;
  - ``bind PATH``: make a tree writable again;
  - ``pin PATH``: make a tree read-only;
  - ``hide PATH``: make a tree inaccessible;
  - ``pin-link PATH``: keep a symbolic link from being replaced.

- ``landlock ABI,FILES,NETWORK,SCOPES`` and ``allow RIGHTS:PATH``: the Landlock ruleset.
- ``filter HEX``: a system call filter.
- ``env NAME=VALUE``: a variable of the command that must not take effect in this program.

If an operation fails, the process exits and the command is not run.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    from codex_sandbox_landlock.child import main

    status = main(sys.argv[1:])
    for stream in filter(None, (sys.stdout, sys.stderr)):  # They are None if they were closed.
        stream.flush()
    # Up to three processes get here; none of them has anything to clean up.
    os._exit(status)
