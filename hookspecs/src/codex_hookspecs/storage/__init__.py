"""Thread stores: records, queries, and code shared by implementations."""

from __future__ import annotations

from codex_hookspecs._lazy import exported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codex_hookspecs.errors import StorageError as StorageError
    from codex_hookspecs.errors import ThreadBusy as ThreadBusy
    from codex_hookspecs.errors import ThreadNotFound as ThreadNotFound
    from codex_hookspecs.markers import hookimpl as hookimpl
    from codex_hookspecs.ports.storage import ThreadStore as ThreadStore
    from codex_hookspecs.ports.storage import ThreadWriter as ThreadWriter
    from codex_hookspecs.storage.fragments import FRAGMENTS as FRAGMENTS
    from codex_hookspecs.storage.fragments import IMAGE_ONLY as IMAGE_ONLY
    from codex_hookspecs.storage.fragments import begins_thread as begins_thread
    from codex_hookspecs.storage.fragments import fragment_key as fragment_key
    from codex_hookspecs.storage.fragments import hook_prompt as hook_prompt
    from codex_hookspecs.storage.fragments import hook_prompts as hook_prompts
    from codex_hookspecs.storage.fragments import is_context as is_context
    from codex_hookspecs.storage.fragments import is_user_turn as is_user_turn
    from codex_hookspecs.storage.fragments import preview_of as preview_of
    from codex_hookspecs.storage.fragments import sent_fragments as sent_fragments
    from codex_hookspecs.storage.fragments import texts_of as texts_of
    from codex_hookspecs.storage.listing import cursor_after as cursor_after
    from codex_hookspecs.storage.listing import matches_query as matches_query
    from codex_hookspecs.storage.listing import page_of as page_of
    from codex_hookspecs.storage.listing import position_of as position_of
    from codex_hookspecs.storage.listing import source_kind as source_kind
    from codex_hookspecs.storage.replay import Replay as Replay
    from codex_hookspecs.types.storage import HistoryAppended as HistoryAppended
    from codex_hookspecs.types.storage import HistoryReplaced as HistoryReplaced
    from codex_hookspecs.types.storage import ItemFinished as ItemFinished
    from codex_hookspecs.types.storage import Observed as Observed
    from codex_hookspecs.types.storage import Record as Record
    from codex_hookspecs.types.storage import SettingsChanged as SettingsChanged
    from codex_hookspecs.types.storage import StoredThread as StoredThread
    from codex_hookspecs.types.storage import ThreadMeta as ThreadMeta
    from codex_hookspecs.types.storage import ThreadPage as ThreadPage
    from codex_hookspecs.types.storage import ThreadQuery as ThreadQuery
    from codex_hookspecs.types.storage import TurnBegan as TurnBegan
    from codex_hookspecs.types.storage import TurnEnded as TurnEnded
    from codex_hookspecs.types.storage import TurnsDropped as TurnsDropped
    from codex_hookspecs.types.storage import UnreadableThread as UnreadableThread
    from codex_hookspecs.types.storage import UsageCounted as UsageCounted

__all__, __getattr__, __dir__ = exported(
    __name__,
    {
        "markers": "hookimpl",
        "errors": "StorageError ThreadBusy ThreadNotFound",
        "ports.storage": "ThreadStore ThreadWriter",
        "storage.fragments": (
            "FRAGMENTS IMAGE_ONLY begins_thread fragment_key hook_prompt hook_prompts is_context is_user_turn "
            "preview_of sent_fragments texts_of"
        ),
        "storage.listing": "cursor_after matches_query page_of position_of source_kind",
        "storage.replay": "Replay",
        "types.storage": (
            "HistoryAppended HistoryReplaced ItemFinished Observed Record SettingsChanged StoredThread ThreadMeta "
            "ThreadPage ThreadQuery TurnBegan TurnEnded TurnsDropped UnreadableThread UsageCounted"
        ),
    },
)
