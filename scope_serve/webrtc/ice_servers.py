"""ICE servers, as they are configured and as clients get them. Loads no aiortc."""

from pydantic import BaseModel, ConfigDict, Field


class IceServer(BaseModel):
    """A STUN or TURN server, with the keys of W3C's ``RTCIceServer``."""

    model_config = ConfigDict(extra="forbid")

    urls: str | list[str] = Field(description="One or more stun:, turn: or turns: URLs.")
    username: str | None = Field(default=None, description="TURN user name.")
    credential: str | None = Field(default=None, description="TURN password.")
