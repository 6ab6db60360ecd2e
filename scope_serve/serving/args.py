"""What an admin writes under ``args`` of an application in a Serve config."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from scope_serve.webrtc.ice_servers import IceServer


class Autoscaling(BaseModel):
    """How many replicas a pipeline has, following its sessions."""

    model_config = ConfigDict(extra="forbid")

    min_replicas: int = Field(
        default=0, ge=0, description="Replicas that run without sessions; 0 lets the last one go."
    )
    max_replicas: int = Field(default=1, ge=1, description="Replicas at the most.")
    idle_s: float = Field(
        default=60.0, ge=0, description="How long a replica runs on after its last session."
    )

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        if self.min_replicas > self.max_replicas:
            found = f"min_replicas {self.min_replicas} is above max_replicas {self.max_replicas}"
            raise ValueError(found)
        return self


class PipelineArgs(BaseModel):
    """Arguments of `scope_serve.app:build_pipeline`: one pipeline, one application."""

    model_config = ConfigDict(extra="forbid")

    pipeline: str = Field(description="Id of an installed pipeline, for example 'gray'.")
    load_params: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="Load parameters that replicas start with, instead of the schema's defaults.",
    )
    sessions_per_replica: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Sessions that one replica serves at once, each with a pipeline object of its "
        "own.",
    )
    replicas: int = Field(
        default=1, ge=1, description="Replicas that always run. Not together with autoscaling."
    )
    autoscaling: Autoscaling | None = Field(
        default=None, description="Let the number of replicas follow the sessions."
    )
    num_cpus: float = Field(default=1.0, ge=0, description="CPUs booked per replica.")
    num_gpus: float | None = Field(
        default=None,
        ge=0,
        description="GPUs booked per replica. By default one if the pipeline declares "
        "estimated_vram_gb, else none.",
    )
    drain_timeout_s: float = Field(
        default=60.0, ge=0, description="How long a replica that must go waits for its sessions."
    )

    @model_validator(mode="after")
    def _check_scaling(self) -> Self:
        if self.autoscaling is not None and "replicas" in self.model_fields_set:
            raise ValueError("give either replicas or autoscaling, not both")
        return self


class GatewayArgs(BaseModel):
    """Arguments of `scope_serve.app:build_gateway`: the API and the hosts of the sessions."""

    model_config = ConfigDict(extra="forbid")

    ingress_replicas: int = Field(default=1, ge=1, description="Replicas of the HTTP API.")
    session_hosts: int = Field(
        default=1,
        ge=1,
        description="Processes that carry WebRTC connections; about 8 sessions keep one busy.",
    )
    sessions_per_host: int = Field(
        default=16, ge=1, le=256, description="Sessions that one session host takes."
    )
    default_pipelines: list[str] = Field(
        default_factory=list,
        description="Chain for offers that name none. Without it, the only pipeline offered.",
    )
    admission_timeout_s: float = Field(
        default=10.0, gt=0, description="How long an offer waits for a free replica."
    )
    cold_start_timeout_s: float = Field(
        default=300.0,
        gt=0,
        description="How long an offer waits for a pipeline that has no running replica.",
    )
    recovery_timeout_s: float = Field(
        default=60.0,
        gt=0,
        description="How long a session that lost a replica waits for another before it ends.",
    )
    ice_servers: list[IceServer] = Field(
        default_factory=list,
        description="STUN and TURN servers for clients and session hosts. None by default: "
        "clients then must reach the session hosts' own addresses.",
    )
    num_cpus: float = Field(
        default=0.5, ge=0, description="CPUs booked per ingress replica and per session host."
    )
    drain_timeout_s: float = Field(
        default=60.0, ge=0, description="How long a host that must go waits for its sessions."
    )
