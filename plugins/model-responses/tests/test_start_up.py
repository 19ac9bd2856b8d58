"""What a turn pays for the plugin before its first request."""

from __future__ import annotations

import subprocess
import sys

CHOOSE = """
import sys, types
from codex_model_responses.plugin import model_provider
config = types.SimpleNamespace(origin=lambda key: None, get=lambda key: None)
host = types.SimpleNamespace(config=config, environ={}, codex_home="/", version="1", logger=None)
assert model_provider("mock", {"base_url": "http://127.0.0.1:9/v1"}, host) is not None
print(" ".join(sys.modules))
"""


def test_choosing_a_provider_imports_no_http_stack() -> None:
    run = subprocess.run([sys.executable, "-c", CHOOSE], check=True, capture_output=True, text=True)

    loaded = set(run.stdout.split())

    assert not loaded & {"h11", "httpcore", "httpx", "certifi", "anyio", "http.client", "email", "random", "tempfile"}
