"""Skills (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import ClassVar, Literal

from attrs import field

from codex_hookspecs.types.json import AbsolutePathBuf
from codex_hookspecs.types.notifications import Notification
from codex_hookspecs.values import frozen


@frozen(kw_only=True)
class SkillsListExtraRootsForCwd:
    """More places to look for skills of one working directory."""

    cwd: str
    extra_user_roots: tuple[str, ...]


@frozen(kw_only=True)
class SkillsListParams:
    """Parameters of ``skills/list``.

    :param force_reload: whether files are read again.
    """

    cwds: list[str] = field(factory=list)
    force_reload: bool = False
    per_cwd_extra_user_roots: list[SkillsListExtraRootsForCwd] | None = None


@frozen(kw_only=True)
class SkillsConfigWriteParams:
    """Parameters of ``skills/config/write``."""

    enabled: bool
    name: str | None = None
    path: AbsolutePathBuf | None = None


@frozen(kw_only=True)
class SkillToolDependency:
    """A tool that a skill needs."""

    type: str
    value: str
    command: str | None = None
    description: str | None = None
    transport: str | None = None
    url: str | None = None


@frozen
class SkillDependencies:
    """What a skill needs."""

    tools: tuple[SkillToolDependency, ...]


@frozen(kw_only=True)
class SkillErrorInfo:
    """A skill that could not be read."""

    message: str
    path: str


@frozen(kw_only=True)
class SkillInterface:
    """How a skill presents itself."""

    brand_color: str | None = None
    default_prompt: str | None = None
    display_name: str | None = None
    icon_large: str | None = None
    icon_small: str | None = None
    short_description: str | None = None


SkillScope = Literal["user", "repo", "system", "admin"]
"""Whose skill it is."""


@frozen(kw_only=True)
class SkillMetadata:
    """A skill."""

    description: str
    enabled: bool
    name: str
    path: str
    scope: SkillScope
    dependencies: SkillDependencies | None = None
    interface: SkillInterface | None = None
    short_description: str | None = None


@frozen(kw_only=True)
class SkillsListEntry:
    """The skills of one working directory."""

    cwd: str
    errors: tuple[SkillErrorInfo, ...]
    skills: tuple[SkillMetadata, ...]


@frozen
class SkillsListResponse:
    """Result of ``skills/list``."""

    data: tuple[SkillsListEntry, ...]


@frozen(kw_only=True)
class SkillSummary:
    """A skill that a plugin brings."""

    description: str
    enabled: bool
    name: str
    path: str
    interface: SkillInterface | None = None
    short_description: str | None = None


@frozen
class SkillsConfigWriteResponse:
    """Result of ``skills/config/write``."""

    effective_enabled: bool


@frozen
class SkillsChangedNotification(Notification):
    """Skills changed; clients list them again."""

    METHOD: ClassVar[str] = "skills/changed"
