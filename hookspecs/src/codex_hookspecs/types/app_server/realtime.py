"""Realtime conversations (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from codex_hookspecs.types.json import Unsigned, Unsigned16
from codex_hookspecs.types.notifications import Notification
from codex_hookspecs.values import frozen


@frozen(kw_only=True)
class ThreadRealtimeStartParams:
    """Parameters of ``thread/realtime/start``."""

    thread_id: str
    prompt: str
    session_id: str | None = None


@frozen(kw_only=True)
class ThreadRealtimeAudioChunk:
    """A piece of audio.

    :param data: samples, in base64.
    :param num_channels: number of channels.
    :param sample_rate: samples per second.
    :param samples_per_channel: number of samples of each channel.
    """

    data: str
    num_channels: Unsigned16
    sample_rate: Unsigned
    item_id: str | None = None
    samples_per_channel: Unsigned | None = None


@frozen(kw_only=True)
class ThreadRealtimeAppendAudioParams:
    """Parameters of ``thread/realtime/appendAudio``."""

    thread_id: str
    audio: ThreadRealtimeAudioChunk


@frozen(kw_only=True)
class ThreadRealtimeAppendTextParams:
    """Parameters of ``thread/realtime/appendText``."""

    thread_id: str
    text: str


@frozen
class ThreadRealtimeStopParams:
    """Parameters of ``thread/realtime/stop``."""

    thread_id: str


@frozen
class ThreadRealtimeStartResponse:
    """Result of ``thread/realtime/start``."""


@frozen
class ThreadRealtimeAppendAudioResponse:
    """Result of ``thread/realtime/appendAudio``."""


@frozen
class ThreadRealtimeAppendTextResponse:
    """Result of ``thread/realtime/appendText``."""


@frozen
class ThreadRealtimeStopResponse:
    """Result of ``thread/realtime/stop``."""


RealtimeConversationVersion = Literal["v1", "v2"]
"""Version of realtime conversations."""


@frozen(kw_only=True)
class ThreadRealtimeStartedNotification(Notification):
    """A realtime conversation started."""

    METHOD: ClassVar[str] = "thread/realtime/started"
    thread_id: str
    version: RealtimeConversationVersion
    session_id: str | None = None


@frozen(kw_only=True)
class ThreadRealtimeItemAddedNotification(Notification):
    """An item was added to a realtime conversation."""

    METHOD: ClassVar[str] = "thread/realtime/itemAdded"
    item: Any
    thread_id: str


@frozen(kw_only=True)
class ThreadRealtimeTranscriptUpdatedNotification(Notification):
    """More was said in a realtime conversation."""

    METHOD: ClassVar[str] = "thread/realtime/transcriptUpdated"
    role: str
    text: str
    thread_id: str


@frozen(kw_only=True)
class ThreadRealtimeOutputAudioDeltaNotification(Notification):
    """More audio of the model."""

    METHOD: ClassVar[str] = "thread/realtime/outputAudio/delta"
    audio: ThreadRealtimeAudioChunk
    thread_id: str


@frozen(kw_only=True)
class ThreadRealtimeErrorNotification(Notification):
    """A realtime conversation failed."""

    METHOD: ClassVar[str] = "thread/realtime/error"
    message: str
    thread_id: str


@frozen(kw_only=True)
class ThreadRealtimeClosedNotification(Notification):
    """A realtime conversation ended."""

    METHOD: ClassVar[str] = "thread/realtime/closed"
    thread_id: str
    reason: str | None = None
