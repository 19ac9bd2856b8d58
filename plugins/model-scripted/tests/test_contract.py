"""The offline model keeps the contract of model providers."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from codex_model_scripted.plugin import model_provider
from codex_testkit.suites.model import ModelProviderContract


class TestScripted(ModelProviderContract):
    @pytest.fixture
    def provider_for(self, tmp_path):
        def make(rounds):
            path = tmp_path / "script.json"
            path.write_text(json.dumps(rounds))
            host = SimpleNamespace(environ={}, config=SimpleNamespace(origin=lambda key: None))
            return model_provider("scripted", {"script": str(path)}, host)

        return make
