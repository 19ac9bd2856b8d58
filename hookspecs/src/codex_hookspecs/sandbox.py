"""Sandboxes: policies, and launchers that enforce them."""

from __future__ import annotations

from codex_hookspecs._lazy import exported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codex_hookspecs.errors import SandboxUnavailable as SandboxUnavailable
    from codex_hookspecs.markers import hookimpl as hookimpl
    from codex_hookspecs.ports.sandbox import SandboxLauncher as SandboxLauncher
    from codex_hookspecs.types.grants import AdditionalPermissions as AdditionalPermissions
    from codex_hookspecs.types.grants import Automation as Automation
    from codex_hookspecs.types.grants import FileAccess as FileAccess
    from codex_hookspecs.types.grants import MacosExtensions as MacosExtensions
    from codex_hookspecs.types.grants import Preferences as Preferences
    from codex_hookspecs.types.permissions import CWD as CWD
    from codex_hookspecs.types.permissions import EXTERNAL as EXTERNAL
    from codex_hookspecs.types.permissions import MINIMAL as MINIMAL
    from codex_hookspecs.types.permissions import PROJECT_ROOTS as PROJECT_ROOTS
    from codex_hookspecs.types.permissions import RANK as RANK
    from codex_hookspecs.types.permissions import READ_ONLY as READ_ONLY
    from codex_hookspecs.types.permissions import ROOT as ROOT
    from codex_hookspecs.types.permissions import SLASH_TMP as SLASH_TMP
    from codex_hookspecs.types.permissions import SPECIAL_KINDS as SPECIAL_KINDS
    from codex_hookspecs.types.permissions import TMPDIR as TMPDIR
    from codex_hookspecs.types.permissions import UNRESTRICTED as UNRESTRICTED
    from codex_hookspecs.types.permissions import Access as Access
    from codex_hookspecs.types.permissions import FileSystemEntry as FileSystemEntry
    from codex_hookspecs.types.permissions import FileSystemKind as FileSystemKind
    from codex_hookspecs.types.permissions import FileSystemPolicy as FileSystemPolicy
    from codex_hookspecs.types.permissions import GlobPattern as GlobPattern
    from codex_hookspecs.types.permissions import Network as Network
    from codex_hookspecs.types.permissions import PathSpec as PathSpec
    from codex_hookspecs.types.permissions import Permissions as Permissions
    from codex_hookspecs.types.permissions import SpecialKind as SpecialKind
    from codex_hookspecs.types.permissions import SpecialPath as SpecialPath
    from codex_hookspecs.types.sandbox import Launch as Launch
    from codex_hookspecs.types.sandbox import LaunchRequest as LaunchRequest
    from codex_hookspecs.types.sandbox import PolicyKind as PolicyKind
    from codex_hookspecs.types.sandbox import SandboxMode as SandboxMode
    from codex_hookspecs.types.sandbox import SandboxPolicy as SandboxPolicy

__all__, __getattr__, __dir__ = exported(
    __name__,
    {
        "markers": "hookimpl",
        "errors": "SandboxUnavailable",
        "ports.sandbox": "SandboxLauncher",
        "types.grants": "AdditionalPermissions Automation FileAccess MacosExtensions Preferences",
        "types.permissions": (
            "CWD EXTERNAL MINIMAL PROJECT_ROOTS RANK READ_ONLY ROOT SLASH_TMP SPECIAL_KINDS TMPDIR UNRESTRICTED "
            "Access FileSystemEntry FileSystemKind FileSystemPolicy GlobPattern Network PathSpec Permissions "
            "SpecialKind SpecialPath"
        ),
        "types.sandbox": "Launch LaunchRequest PolicyKind SandboxMode SandboxPolicy",
    },
)
