"""From the pipelines that a client asks for to the stages of its session. Pure."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scope_serve.errors import (
    InvalidRequestError,
    ParameterError,
    PipelineNotFoundError,
    UsageError,
)
from scope_serve.pipelines.base_schema import UsageType
from scope_serve.pipelines.descriptor import PipelineDescriptor

TEXT, VIDEO = "text", "video"
MAX_STAGES = 8


@dataclass(frozen=True, slots=True)
class ChainNode:
    """One pipeline that a client asks for.

    Attributes:
        node_id: What the client calls it; parameters are addressed to it by this name.
        pipeline_id: The pipeline.
    """

    node_id: str
    pipeline_id: str


@dataclass(frozen=True, slots=True)
class StageSpec:
    """One stage of a session: a pipeline, what the client calls it, and the mode it runs in."""

    node_id: str
    pipeline_id: str
    input_mode: str


def resolve_chain(
    nodes: Sequence[ChainNode],
    offered: Mapping[str, PipelineDescriptor],
    *,
    input_mode: str | None,
    has_video_input: bool,
) -> tuple[StageSpec, ...]:
    """Return the stages for ``nodes``, each with the input mode it will run in.

    The first stage runs in the mode that was asked for; if none was, in video mode when the client
    sends video and the pipeline takes it, else in text mode. Later stages get the pictures of the
    stage before them, so they run in video mode.

    Raises:
        PipelineNotFoundError: A pipeline is not offered.
        ParameterError: ``input_mode`` is not one of the first pipeline's modes.
        UsageError: A pipeline cannot stand where it was put.
        InvalidRequestError: The chain is empty or too long, or two nodes have the same name.
    """
    if not nodes:
        raise InvalidRequestError("a chain needs a pipeline, and there is no pipeline in this one")
    if len(nodes) > MAX_STAGES:
        raise InvalidRequestError(f"a chain of {len(nodes)} pipelines; at most {MAX_STAGES}")
    if len({node.node_id for node in nodes}) < len(nodes):
        raise InvalidRequestError("two pipelines of the chain have the same node id")
    descriptors = [_find(node.pipeline_id, offered) for node in nodes]
    _check_order(descriptors)
    modes = [
        _first_mode(descriptors[0], input_mode, has_video_input=has_video_input),
        *(VIDEO for _ in descriptors[1:]),
    ]
    return tuple(
        StageSpec(node.node_id, node.pipeline_id, mode)
        for node, mode in zip(nodes, modes, strict=True)
    )


def _find(pipeline_id: str, offered: Mapping[str, PipelineDescriptor]) -> PipelineDescriptor:
    try:
        return offered[pipeline_id]
    except KeyError:
        raise PipelineNotFoundError(pipeline_id, tuple(sorted(offered))) from None


def _first_mode(
    descriptor: PipelineDescriptor, wanted: str | None, *, has_video_input: bool
) -> str:
    supported = descriptor.supported_modes
    if wanted is None:
        video = VIDEO in supported and (has_video_input or TEXT not in supported)
        wanted = VIDEO if video else TEXT
    if wanted not in supported:
        listed = ", ".join(supported)
        reason = f"{wanted!r} is not a mode of this pipeline; its modes: {listed}"
        raise ParameterError("input_mode", reason, descriptor.pipeline_id)
    if wanted == VIDEO and not has_video_input:
        reason = "the pipeline needs video, but the offer sends none"
        raise ParameterError("input_mode", reason, descriptor.pipeline_id)
    return wanted


def _check_order(descriptors: Sequence[PipelineDescriptor]) -> None:
    for before, after in itertools.pairwise(descriptors):
        is_last = before.usage == (UsageType.POSTPROCESSOR,)
        if is_last and UsageType.POSTPROCESSOR not in after.usage:
            found = f"{before.pipeline_id!r} is a postprocessor"
            raise UsageError(f"{found}: it cannot come before {after.pipeline_id!r}")
        if VIDEO not in after.supported_modes:
            found = f"{after.pipeline_id!r} takes no video"
            raise UsageError(f"{found}: it cannot come after {before.pipeline_id!r}")
