"""The offline model keeps the contract of model providers."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from codex_hookspecs.testing.model_contract import ModelProviderContract
from codex_model_scripted.plugin import model_provider


class TestScripted(ModelProviderContract):
    @pytest.fixture
    def provider_for(self, tmp_path):
        def make(rounds):
            path = tmp_path / "script.json"
            path.write_text(json.dumps(rounds))
            host = SimpleNamespace(environ={}, config=SimpleNamespace(origin=lambda key: None))
            return model_provider("scripted", {"script": str(path)}, host)

        return make
