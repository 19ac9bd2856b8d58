"""The fallback sandbox of Linux, which needs no external program: Landlock, seccomp and namespaces."""
