"""The only reader of the environment."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def _default_base_dir() -> Path:
    return Path.home() / ".daydream-scope"


class ScopePaths(BaseSettings):
    """Folders of Daydream Scope, under the variable names that Scope's own tools use.

    Every folder has a default that depends on another one; the properties resolve it. None of the
    folders needs to exist.
    """

    model_config = SettingsConfigDict(
        env_prefix="DAYDREAM_SCOPE_", env_ignore_empty=True, extra="ignore", frozen=True
    )

    base_dir: Path = Field(
        default_factory=_default_base_dir,
        validation_alias="DAYDREAM_SCOPE_DIR",
        description="Folder of everything that Scope stores",
    )
    models_dir: Path | None = Field(default=None, description="Folder of model files")
    assets_dir: Path | None = Field(default=None, description="Folder of uploaded media")
    lora_dir: Path | None = Field(default=None, description="Folder of LoRA adapters")
    lora_shared_dir: Path | None = Field(
        default=None, description="Second, read-only folder of LoRA adapters"
    )
    plugins_dir: Path | None = Field(default=None, description="Folder of plugin state")
    logs_dir: Path | None = Field(default=None, description="Folder of log files")

    @property
    def base(self) -> Path:
        """``DAYDREAM_SCOPE_DIR``, else ``~/.daydream-scope``."""
        return self.base_dir.expanduser()

    @property
    def models(self) -> Path:
        """``DAYDREAM_SCOPE_MODELS_DIR``, else ``models`` below the base folder."""
        return self.models_dir.expanduser() if self.models_dir else self.base / "models"

    @property
    def assets(self) -> Path:
        """``DAYDREAM_SCOPE_ASSETS_DIR``, else ``assets`` next to the models folder."""
        return self.assets_dir.expanduser() if self.assets_dir else self.models.parent / "assets"

    @property
    def lora(self) -> Path:
        """``DAYDREAM_SCOPE_LORA_DIR``, else ``lora`` below the models folder."""
        return self.lora_dir.expanduser() if self.lora_dir else self.models / "lora"


class BuildSettings(BaseSettings):
    """Facts about this build that only the one who packaged it knows."""

    model_config = SettingsConfigDict(env_prefix="SCOPE_SERVE_", extra="ignore", frozen=True)

    git_commit: str = Field(
        default="unknown", description="Commit that the image was built from; shown by /health"
    )


def has_ray_token() -> bool:
    """Return whether this user has a token for Ray clusters that ask for one.

    Ray makes one when it starts a cluster on this machine, and looks for it in these places.
    """
    if os.environ.get("RAY_AUTH_TOKEN"):
        return True
    default = Path.home() / ".ray" / "auth_token"
    return Path(os.environ.get("RAY_AUTH_TOKEN_PATH", default)).is_file()


def set_defaults_for_children(defaults: Mapping[str, str]) -> None:
    """Set environment variables for processes started from now on, unless they are set."""
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
