"""Small pipelines that show, and let a test decide, what happens in the pipeline thread."""

import queue
import threading
from typing import ClassVar

import torch
from pydantic import Field

from scope_serve.pipelines.base_schema import BasePipelineConfig, ModeDefaults, ui_field_config
from scope_serve.pipelines.interface import Pipeline, Requirements

TIMEOUT_S = 20.0
"""How long a test waits for something that must happen."""


class StubConfig(BasePipelineConfig):
    pipeline_id = "stub"
    modes: ClassVar = {"video": ModeDefaults(default=True), "text": ModeDefaults()}

    gain: float = Field(default=1.0, ge=0.0, le=1.0, json_schema_extra=ui_field_config())
    model_name: str = Field(default="small", json_schema_extra=ui_field_config(is_load_param=True))


class StubPipeline(Pipeline):
    """Multiplies its pictures with ``gain``; records how it is made, called and released."""

    input_size: ClassVar[int | None] = 1
    instances: ClassVar[list["StubPipeline"]] = []

    @classmethod
    def get_config_class(cls):
        return StubConfig

    def __init__(self, **kwargs):
        self.given = kwargs
        self.thread = threading.current_thread()
        self.is_released = False
        self.calls = queue.Queue()
        type(self).instances.append(self)

    def prepare(self, **kwargs):
        size = type(self).input_size
        return None if size is None or "video" not in kwargs else Requirements(input_size=size)

    def __call__(self, **kwargs):
        self.calls.put(kwargs)
        return self.make(**kwargs)

    def make(self, *, video, gain=1.0, video_timestamps=None, **_):
        pictures = torch.cat(video).float() / 255.0 * gain
        return {"video": pictures, "video_timestamps": video_timestamps}

    def shutdown(self):
        self.is_released = True

    def next_call(self):
        """Wait for the next call and return its arguments."""
        return self.calls.get(timeout=TIMEOUT_S)


class Gate:
    """A place where the pipeline thread waits until the test lets it go on."""

    def __init__(self):
        self._reached = threading.Semaphore(0)
        self._open = threading.Semaphore(0)

    def wait_here(self):
        """Stop the pipeline thread."""
        self._reached.release()
        assert self._open.acquire(timeout=TIMEOUT_S)

    def wait_until_reached(self):
        """Wait until the pipeline thread stands here."""
        assert self._reached.acquire(timeout=TIMEOUT_S)

    def let_go(self):
        """Let the pipeline thread go on."""
        self._open.release()
