"""Bodies of the HTTP API, with Scope's names."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Prompt(BaseModel):
    """One text among those a picture is made from."""

    model_config = ConfigDict(extra="allow")

    text: str = Field(description="What to show.")
    weight: float = Field(default=1.0, ge=0, description="Its share among the prompts.")


class Transition(BaseModel):
    """A gradual change from the current prompts to others."""

    model_config = ConfigDict(extra="allow")

    target_prompts: list[Prompt] = Field(description="The prompts to arrive at.")
    num_steps: int = Field(default=4, ge=0, description="Calls that the change takes.")
    temporal_interpolation_method: Literal["linear", "slerp"] = "linear"


class LoraScale(BaseModel):
    """The strength of one loaded LoRA adapter."""

    path: str = Field(description="Path of the adapter, as it was loaded.")
    scale: float = Field(ge=-10, le=10, description="Its strength.")


class GraphNode(BaseModel):
    """A node of a graph."""

    model_config = ConfigDict(extra="allow")

    id: str
    type: Literal["source", "pipeline", "sink", "record", "node"]
    pipeline_id: str | None = None


class GraphEdge(BaseModel):
    """A connection between two nodes."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    from_node: str = Field(alias="from")
    from_port: str = "video"
    to_node: str
    to_port: str = "video"
    kind: Literal["stream", "parameter"] = "stream"


class Graph(BaseModel):
    """Pipelines and how they are connected, as Scope's editor draws them."""

    nodes: list[GraphNode]
    edges: list[GraphEdge]


class Parameters(BaseModel):
    """Initial parameters. Unknown keys are kept: they may be a pipeline's own."""

    model_config = ConfigDict(extra="allow")

    input_mode: Literal["text", "video"] | None = None
    prompts: list[Prompt] | None = None
    prompt_interpolation_method: Literal["linear", "slerp"] = "linear"
    transition: Transition | None = None
    noise_scale: Annotated[float, Field(ge=0, le=1)] | None = None
    noise_controller: bool | None = None
    denoising_step_list: list[int] | None = None
    manage_cache: bool | None = None
    reset_cache: bool | None = None
    kv_cache_attention_bias: Annotated[float, Field(ge=0.01, le=1)] | None = None
    lora_scales: list[LoraScale] | None = None
    vace_enabled: bool | None = None
    vace_ref_images: list[str] | None = None
    vace_use_input_video: bool | None = None
    vace_context_scale: Annotated[float, Field(ge=0, le=2)] = 1.0
    pipeline_ids: list[str] | None = None
    graph: Graph | None = None
    first_frame_image: str | None = None
    last_frame_image: str | None = None
    images: list[str] | None = None
    recording: bool | None = None
    node_id: str | None = None

    def runtime(self) -> dict[str, Any]:
        """Return what the stages get: everything that was set, but the chain itself."""
        chosen = self.model_dump(exclude_none=True, exclude={"pipeline_ids", "graph", "node_id"})
        return dict(chosen)


class Offer(BaseModel):
    """A WebRTC offer."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    sdp: str
    type: Literal["offer"]
    initial_parameters: Parameters | None = Field(default=None, alias="initialParameters")
    user_id: str | None = None
    connection_id: str | None = None
    connection_info: dict[str, Any] | None = None


class Answer(BaseModel):
    """The server's answer, with all its candidates."""

    sdp: str
    type: Literal["answer"] = "answer"
    session_id: str = Field(serialization_alias="sessionId")


class Candidate(BaseModel):
    """A trickled ICE candidate, with the keys of W3C's ``RTCIceCandidateInit``."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    candidate: str
    sdp_mid: str | None = Field(default=None, alias="sdpMid")
    sdp_mline_index: int | None = Field(default=None, alias="sdpMLineIndex")


class Candidates(BaseModel):
    """Trickled ICE candidates."""

    candidates: list[Candidate] = Field(max_length=64)
