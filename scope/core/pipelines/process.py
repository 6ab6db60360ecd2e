"""Conversions between frames and what models compute with."""

from scope_serve.pipelines.process import normalize_frame_sizes, postprocess_chunk, preprocess_chunk

__all__ = ["normalize_frame_sizes", "postprocess_chunk", "preprocess_chunk"]
