"""Sandbox policies: what they mean on disk, their forms on every wire, and what enforces them on Linux.

Each form that carries a policy has a module with its reader and writer:

====================  ====================================================================  ============
module                form                                                                  as in Codex
====================  ====================================================================  ============
``app_server_form``   ``sandboxPolicy`` of the app-server protocol v2                       0.118
``core_form``         ``sandbox_policy`` of rollouts and sandbox helpers, ``config.toml``   0.118
``split_form``        file system and network policies, whole permission profiles           0.118, 0.169
``exec_server_form``  ``sandbox`` of the exec-server protocol                               0.169
``additional_form``   additional permissions in the app-server protocol v2                  0.118
====================  ====================================================================  ============

A reader raises one error for what it can't read: ``RpcError`` for the app-server protocol, whose clients see it,
``ConfigError`` for everything else. :mod:`codex_sandboxing.profiles` reads the permission profiles of ``config.toml``.
"""
