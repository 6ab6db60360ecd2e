"""Model files that a pipeline needs on disk before it is constructed."""

from pydantic import BaseModel, Field


class Artifact(BaseModel):
    """Base of all artifacts."""


class HuggingfaceRepoArtifact(Artifact):
    """Files of one Hugging Face repository."""

    repo_id: str = Field(description="Repository, as 'owner/name'")
    files: list[str] = Field(description="Paths inside the repository; a folder stands for all")


class GoogleDriveArtifact(Artifact):
    """One shared Google Drive file, unpacked if it is a ZIP archive."""

    file_id: str = Field(description="Id in the file's sharing link")
    files: list[str] | None = Field(
        default=None, description="Names expected on disk; None for a single file named by its id"
    )
    name: str | None = Field(default=None, description="Folder below the models folder")
