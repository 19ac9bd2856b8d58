"""Apps (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import ClassVar

from codex_hookspecs.types.json import Unsigned
from codex_hookspecs.types.notifications import Notification
from codex_hookspecs.values import frozen


@frozen(kw_only=True)
class AppsListParams:
    """Parameters of ``app/list``.

    :param cursor: cursor of the page, from the page before; ``None`` for the first one.
    :param force_refetch: whether the list is fetched again.
    :param limit: maximum number of entries of the page.
    """

    cursor: str | None = None
    force_refetch: bool = False
    limit: Unsigned | None = None
    thread_id: str | None = None


@frozen(kw_only=True)
class AppSummary:
    """An app that a plugin brings with it."""

    id: str
    name: str
    needs_auth: bool
    description: str | None = None
    install_url: str | None = None


@frozen(kw_only=True)
class AppBranding:
    """How an app presents itself and its developer."""

    is_discoverable_app: bool
    category: str | None = None
    developer: str | None = None
    privacy_policy: str | None = None
    terms_of_service: str | None = None
    website: str | None = None


@frozen
class AppReview:
    """State of an app's review."""

    status: str


@frozen(kw_only=True)
class AppScreenshot:
    """A screenshot of an app."""

    user_prompt: str
    file_id: str | None = None
    url: str | None = None


@frozen(kw_only=True)
class AppMetadata:
    """What the directory of apps says about an app."""

    categories: tuple[str, ...] | None = None
    developer: str | None = None
    first_party_requires_install: bool | None = None
    first_party_type: str | None = None
    review: AppReview | None = None
    screenshots: tuple[AppScreenshot, ...] | None = None
    seo_description: str | None = None
    show_in_composer_when_unlinked: bool | None = None
    sub_categories: tuple[str, ...] | None = None
    version: str | None = None
    version_id: str | None = None
    version_notes: str | None = None


@frozen(kw_only=True)
class AppInfo:
    """An app that tools of the model may belong to."""

    id: str
    name: str
    app_metadata: AppMetadata | None = None
    branding: AppBranding | None = None
    description: str | None = None
    distribution_channel: str | None = None
    install_url: str | None = None
    is_accessible: bool = False
    is_enabled: bool = True
    labels: dict[str, str] | None = None
    logo_url: str | None = None
    logo_url_dark: str | None = None
    plugin_display_names: tuple[str, ...] = ()


@frozen(kw_only=True)
class AppsListResponse:
    """Result of ``app/list``.

    :param next_cursor: cursor of the next page; ``None`` on the last one.
    """

    data: tuple[AppInfo, ...]
    next_cursor: str | None = None


@frozen
class AppListUpdatedNotification(Notification):
    """The list of apps changed; carries the whole list."""

    METHOD: ClassVar[str] = "app/list/updated"
    data: tuple[AppInfo, ...]
