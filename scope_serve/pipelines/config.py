"""Where pipelines find their files."""

from pathlib import Path

from scope_serve.settings import ScopePaths


def get_base_dir() -> Path:
    """Return the folder of everything that Scope stores."""
    return ScopePaths().base


def get_models_dir() -> Path:
    """Return the folder of model files."""
    return ScopePaths().models


def get_model_file_path(relative_path: str) -> Path:
    """Return where a model file lies, given its path below the models folder.

    A file of a Hugging Face artifact is at ``"<last part of repo_id>/<file>"``.
    """
    return get_models_dir() / relative_path


def get_assets_dir() -> Path:
    """Return the folder of uploaded media."""
    return ScopePaths().assets
