"""Python client for any Scope-compatible server: discovery, sessions, pictures.

async with ScopeClient("http://127.0.0.1:8000") as client:
    session = await client.connect(pipeline_ids=["gray"], video=track)
    async with session:
        async for frame in session.frames():
            ...
"""

from scope_serve.client.client import ScopeClient
from scope_serve.client.errors import (
    ClientError,
    ClientUsageError,
    ConnectFailedError,
    MediaFileError,
    NoFrameError,
    ReportedError,
    ServerResponseError,
    ServerUnreachableError,
    SessionClosedError,
    StreamStoppedError,
    UnknownPipelineError,
)
from scope_serve.client.pictures import TestPattern
from scope_serve.client.recording import Recording
from scope_serve.client.session import ClientSession, ConnectTimings, SessionStats
from scope_serve.client.sources import FileSource, TestPatternSource

__all__ = [
    "ClientError",
    "ClientSession",
    "ClientUsageError",
    "ConnectFailedError",
    "ConnectTimings",
    "FileSource",
    "MediaFileError",
    "NoFrameError",
    "Recording",
    "ReportedError",
    "ScopeClient",
    "ServerResponseError",
    "ServerUnreachableError",
    "SessionClosedError",
    "SessionStats",
    "StreamStoppedError",
    "TestPattern",
    "TestPatternSource",
    "UnknownPipelineError",
]
