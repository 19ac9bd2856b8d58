"""The provider keeps the contract of model providers."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from codex_testkit.servers.responses import ResponsesServer
from codex_testkit.suites.model import ModelProviderContract


class TestOverHttp(ModelProviderContract):
    @pytest.fixture
    def provider_for(self, patient):
        with ExitStack() as servers:
            yield lambda rounds: patient(servers.enter_context(ResponsesServer(rounds)).url)
