"""Environments: processes, files and HTTP of a machine, with code shared by their implementations."""

from __future__ import annotations

from codex_hookspecs._lazy import exported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codex_hookspecs.environments.base64_text import Base64Error as Base64Error
    from codex_hookspecs.environments.base64_text import decode_base64 as decode_base64
    from codex_hookspecs.environments.descriptor_file import DescriptorFile as DescriptorFile
    from codex_hookspecs.environments.environ_policy import apply_policy as apply_policy
    from codex_hookspecs.environments.environ_policy import read_environ_policy as read_environ_policy
    from codex_hookspecs.environments.file_uri import PathError as PathError
    from codex_hookspecs.environments.file_uri import path_of as path_of
    from codex_hookspecs.environments.file_uri import uri_of as uri_of
    from codex_hookspecs.environments.http_limits import BODY_DECODE_ERROR as BODY_DECODE_ERROR
    from codex_hookspecs.environments.http_limits import MAX_BODY_BYTES as MAX_BODY_BYTES
    from codex_hookspecs.environments.http_limits import MAX_REDIRECTS as MAX_REDIRECTS
    from codex_hookspecs.environments.http_limits import body_failed as body_failed
    from codex_hookspecs.environments.http_limits import check_request as check_request
    from codex_hookspecs.environments.http_limits import read_body as read_body
    from codex_hookspecs.environments.http_limits import request_failed as request_failed
    from codex_hookspecs.environments.http_limits import too_many_redirects as too_many_redirects
    from codex_hookspecs.environments.launching import start_launched as start_launched
    from codex_hookspecs.environments.process_feed import Events as Events
    from codex_hookspecs.environments.process_feed import ProcessFeed as ProcessFeed
    from codex_hookspecs.environments.process_log import Cursor as Cursor
    from codex_hookspecs.environments.process_log import ProcessLog as ProcessLog
    from codex_hookspecs.environments.repository import is_repository as is_repository
    from codex_hookspecs.environments.repository import is_repository_of as is_repository_of
    from codex_hookspecs.environments.repository import main_repository as main_repository
    from codex_hookspecs.environments.repository import project_root as project_root
    from codex_hookspecs.environments.repository import repository_root as repository_root
    from codex_hookspecs.errors import EnvironmentLost as EnvironmentLost
    from codex_hookspecs.errors import ExecError as ExecError
    from codex_hookspecs.errors import FilesLost as FilesLost
    from codex_hookspecs.errors import FileSystemError as FileSystemError
    from codex_hookspecs.errors import HttpError as HttpError
    from codex_hookspecs.markers import hookimpl as hookimpl
    from codex_hookspecs.ports.environment import Environment as Environment
    from codex_hookspecs.ports.environment import EnvironmentManager as EnvironmentManager
    from codex_hookspecs.ports.environment import EnvironmentProvider as EnvironmentProvider
    from codex_hookspecs.ports.environment import ExecBackend as ExecBackend
    from codex_hookspecs.ports.environment import ExecProcess as ExecProcess
    from codex_hookspecs.ports.environment import FileScope as FileScope
    from codex_hookspecs.ports.environment import FileSystem as FileSystem
    from codex_hookspecs.ports.environment import FileWatch as FileWatch
    from codex_hookspecs.ports.environment import OpenFile as OpenFile
    from codex_hookspecs.ports.http import HttpClient as HttpClient
    from codex_hookspecs.ports.http import HttpResponse as HttpResponse
    from codex_hookspecs.types.environment import DirectoryEntry as DirectoryEntry
    from codex_hookspecs.types.environment import EnvironmentFacts as EnvironmentFacts
    from codex_hookspecs.types.environment import EnvironPolicy as EnvironPolicy
    from codex_hookspecs.types.environment import ExecParams as ExecParams
    from codex_hookspecs.types.environment import FileMetadata as FileMetadata
    from codex_hookspecs.types.environment import OutputChunk as OutputChunk
    from codex_hookspecs.types.environment import ProcessClosed as ProcessClosed
    from codex_hookspecs.types.environment import ProcessEvent as ProcessEvent
    from codex_hookspecs.types.environment import ProcessExited as ProcessExited
    from codex_hookspecs.types.environment import ProcessFailed as ProcessFailed
    from codex_hookspecs.types.environment import ReadResult as ReadResult
    from codex_hookspecs.types.environment import Stream as Stream
    from codex_hookspecs.types.environment import WriteStatus as WriteStatus
    from codex_hookspecs.types.http import HttpRequest as HttpRequest
    from codex_hookspecs.types.http import Redirects as Redirects

__all__, __getattr__, __dir__ = exported(
    __name__,
    {
        "markers": "hookimpl",
        "errors": "EnvironmentLost ExecError FilesLost FileSystemError HttpError",
        "environments.base64_text": "Base64Error decode_base64",
        "environments.descriptor_file": "DescriptorFile",
        "environments.environ_policy": "apply_policy read_environ_policy",
        "environments.file_uri": "PathError path_of uri_of",
        "environments.http_limits": (
            "BODY_DECODE_ERROR MAX_BODY_BYTES MAX_REDIRECTS body_failed check_request read_body request_failed "
            "too_many_redirects"
        ),
        "environments.launching": "start_launched",
        "environments.process_feed": "Events ProcessFeed",
        "environments.process_log": "Cursor ProcessLog",
        "environments.repository": "is_repository is_repository_of main_repository project_root repository_root",
        "ports.environment": (
            "Environment EnvironmentManager EnvironmentProvider ExecBackend ExecProcess FileScope FileSystem FileWatch "
            "OpenFile"
        ),
        "ports.http": "HttpClient HttpResponse",
        "types.environment": (
            "DirectoryEntry EnvironPolicy EnvironmentFacts ExecParams FileMetadata OutputChunk ProcessClosed "
            "ProcessEvent ProcessExited ProcessFailed ReadResult Stream WriteStatus"
        ),
        "types.http": "HttpRequest Redirects",
    },
)
