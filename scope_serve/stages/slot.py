"""The place for the one pipeline instance of a stage. Used by the pipeline thread only."""

import gc
import logging
from collections.abc import Mapping
from typing import Any

import torch

from scope_serve.errors import PipelineLoadError
from scope_serve.pipelines.interface import Pipeline
from scope_serve.stages.colour import ColourConverter, converter_for
from scope_serve.stages.construction import config_class_of, construct_pipeline
from scope_serve.stages.tracebacks import release_frames

logger = logging.getLogger(__name__)


class PipelineSlot:
    """Holds at most one instance; a new one is made only after the old one is released."""

    def __init__(self, pipeline_class: type[Pipeline], device: str) -> None:
        self._class = pipeline_class
        self._pipeline_id = config_class_of(pipeline_class).pipeline_id
        self._device_name = device
        self._pipeline: Pipeline | None = None
        self._loaded: dict[str, Any] = {}
        self._converter: ColourConverter | None = None

    @property
    def pipeline(self) -> Pipeline:
        """The instance that `load` made."""
        assert self._pipeline is not None, "no pipeline is loaded"
        return self._pipeline

    @property
    def converter(self) -> ColourConverter:
        """The colour converter for the pipeline's device."""
        assert self._converter is not None, "no pipeline is loaded"
        return self._converter

    def load(self, load_params: Mapping[str, Any]) -> None:
        """Have an instance that was made with these load parameters.

        Raises:
            PipelineLoadError: There is none; the reason carries the original error.
        """
        if self._pipeline is not None and self._loaded == load_params:
            return
        self.release()
        reason = self._construct(load_params)
        # Raised here, outside the handler, so that no traceback holds on to what a half-made
        # pipeline has allocated.
        if reason is not None:
            _free_memory()
            raise PipelineLoadError(self._pipeline_id, reason)

    def release(self) -> None:
        """Let go of the instance and give its GPU memory back."""
        if self._pipeline is None:
            return
        self._shut_down(self._pipeline)
        self._pipeline = None
        _free_memory()

    def _construct(self, load_params: Mapping[str, Any]) -> str | None:
        try:
            device = _resolve(self._device_name)
            self._pipeline = construct_pipeline(self._class, load_params, device)
        except BaseException as error:
            release_frames(error)
            logger.error("a pipeline could not be made", exc_info=error, extra=self._log_fields())  # noqa: TRY400 -- without the frames
            return f"{type(error).__name__}: {error}"
        self._loaded = dict(load_params)
        self._converter = self._converter or converter_for(device)
        logger.info("a pipeline is loaded", extra={**self._log_fields(), "device": str(device)})
        return None

    def _shut_down(self, pipeline: Pipeline) -> None:
        shutdown = getattr(pipeline, "shutdown", None)
        if shutdown is None:
            return
        try:
            shutdown()
        except BaseException:
            # Foreign code; its memory is released all the same.
            logger.exception("a pipeline could not shut down", extra=self._log_fields())

    def _log_fields(self) -> dict[str, str]:
        return {"pipeline_id": self._pipeline_id}


def _free_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _resolve(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)
