"""Where a link server can be reached."""

import sys

from pydantic import BaseModel, ConfigDict, Field


class LinkAddress(BaseModel):
    """The two doors of one link server; the caller takes the nearer one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    node_id: str = Field(description="Machine (Ray node) that the server runs on.")
    unix_name: str | None = Field(
        description="Name in Linux's abstract socket namespace, or None where there is none. "
        "Such a socket leaves no file behind, however its process ends."
    )
    host: str = Field(description="IP address for callers on other nodes.")
    port: int = Field(description="TCP port for callers on other nodes.")

    def unix_path_from(self, node_id: str) -> str | None:
        """Return the Unix socket path to use from ``node_id``, or None if TCP must be used."""
        if self.unix_name is None or node_id != self.node_id or sys.platform != "linux":
            return None
        return f"\0{self.unix_name}"
