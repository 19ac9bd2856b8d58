"""The provider ``gateway``: ``model_provider = "gateway"`` and a table ``[model_providers.gateway]``."""

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.host import Host
from codex_hookspecs.models import ModelProvider, hookimpl
from codex_hookspecs.protocol import JsonObject


@hookimpl
def model_provider(name: str, config: JsonObject, host: Host) -> ModelProvider | None:
    if name != "gateway":
        return None
    url, key = config.get("base_url"), host.environ.get("GATEWAY_KEY")
    if not isinstance(url, str):
        raise ConfigError("model_providers.gateway.base_url is missing; set the address of the gateway")
    if not key:
        raise ConfigError("the gateway wants a key; set the environment variable GATEWAY_KEY")
    from codex_model_gateway.provider import GatewayProvider  # httpx is only needed with this provider

    return GatewayProvider(url, key=key, model=config.get("model"))
