"""The provider keeps the contract of model providers."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from codex_hookspecs.testing.model_contract import ModelProviderContract
from codex_hookspecs.testing.responses_server import ResponsesServer


class TestOverHttp(ModelProviderContract):
    @pytest.fixture
    def provider_for(self, patient):
        with ExitStack() as servers:
            yield lambda rounds: patient(servers.enter_context(ResponsesServer(rounds)).url)
