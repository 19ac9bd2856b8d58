from contextlib import ExitStack

import pytest

from codex_model_gateway import plugin
from codex_model_gateway.provider import GatewayProvider
from codex_testkit.servers.responses import ResponsesServer
from codex_testkit.suites.model import ModelProviderContract


class TestProvider(ModelProviderContract):
    @pytest.fixture
    def provider_for(self):
        with ExitStack() as servers:

            def provider(rounds):
                server = servers.enter_context(ResponsesServer(rounds))
                return GatewayProvider(server.url, key="secret", model="small")

            yield provider


async def test_a_thread_is_answered_by_the_gateway(host):
    with ResponsesServer([[{"say": "hello from there"}]]) as server:
        config = {"model_provider": "gateway", "model_providers": {"gateway": {"base_url": server.url}}, "model": "m"}
        run = await host(plugins=[plugin], config=config, environ={"GATEWAY_KEY": "secret"}).turn("hi")

    assert run.final_message == "hello from there"
    assert server.requests[0].headers["authorization"] == "Bearer secret"
