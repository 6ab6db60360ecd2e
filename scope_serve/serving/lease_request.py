"""What a session asks of a replica."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class LeaseRequest(BaseModel):
    """A request for a place on a replica."""

    model_config = ConfigDict(extra="forbid")

    input_mode: str = Field(description="Mode that the stage runs in.")
    parameters: dict[str, Any] = Field(description="Load and runtime parameters to start with.")
