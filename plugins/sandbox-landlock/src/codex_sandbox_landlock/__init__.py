"""The fallback sandbox of Linux, which needs no program: Landlock, seccomp and namespaces."""
