"""Where pipelines find their files."""

from scope_serve.pipelines.config import (
    get_assets_dir,
    get_base_dir,
    get_model_file_path,
    get_models_dir,
)

__all__ = ["get_assets_dir", "get_base_dir", "get_model_file_path", "get_models_dir"]
