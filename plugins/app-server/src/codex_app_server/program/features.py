"""Methods about feature flags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codex_app_server.config.reading import SWITCHABLE
from codex_app_server.paging import paginate
from codex_hookspecs.errors import RpcError
from codex_hookspecs.protocol import (
    ExperimentalFeature,
    ExperimentalFeatureEnablementSetResponse,
    ExperimentalFeatureListResponse,
    MockExperimentalMethodResponse,
)

if TYPE_CHECKING:
    from codex_hookspecs.host import Feature
    from codex_hookspecs.protocol import (
        ExperimentalFeatureEnablementSetParams,
        ExperimentalFeatureListParams,
        ExperimentalFeatureStage,
        MockExperimentalMethodParams,
    )
    from codex_hookspecs.surface import RpcContext

_STAGES: Final[dict[str, ExperimentalFeatureStage]] = {
    "under development": "underDevelopment",
    "experimental": "beta",
    "stable": "stable",
    "deprecated": "deprecated",
    "removed": "removed",
}


async def list_features(params: ExperimentalFeatureListParams, context: RpcContext) -> ExperimentalFeatureListResponse:
    """List the feature flags."""
    features = context.host.features
    page = paginate(features.all(), params.cursor, params.limit, what="feature flags")
    return ExperimentalFeatureListResponse(
        data=tuple(_wire(feature, enabled=features.enabled(feature.key)) for feature in page.entries),
        next_cursor=page.next_cursor,
    )


async def set_enablement(
    params: ExperimentalFeatureEnablementSetParams, context: RpcContext
) -> ExperimentalFeatureEnablementSetResponse:
    """Change the defaults of features until the program ends."""
    features = context.host.features
    known = {feature.key for feature in features.all()}
    for key in params.enablement:
        if key not in known:
            raise RpcError(f"invalid feature enablement `{key}`")
        if key not in SWITCHABLE:
            raise RpcError(
                f"unsupported feature enablement `{key}`: currently supported features are {', '.join(SWITCHABLE)}"
            )
    for key, enabled in params.enablement.items():
        features.set_default(key, enabled)
    return ExperimentalFeatureEnablementSetResponse(enablement=params.enablement)


async def echo(params: MockExperimentalMethodParams, _context: RpcContext) -> MockExperimentalMethodResponse:
    """Return the value; clients test their handling of experimental methods with it."""
    return MockExperimentalMethodResponse(echoed=params.value)


def _wire(feature: Feature, *, enabled: bool) -> ExperimentalFeature:
    return ExperimentalFeature(
        name=feature.key,
        stage=_STAGES[feature.stage],
        display_name=feature.display_name,
        description=feature.description,
        announcement=feature.announcement,
        enabled=enabled,
        default_enabled=feature.default,
    )
