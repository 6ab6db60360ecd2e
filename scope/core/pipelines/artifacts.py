"""Model files that a pipeline needs."""

from scope_serve.pipelines.artifacts import Artifact, GoogleDriveArtifact, HuggingfaceRepoArtifact

__all__ = ["Artifact", "GoogleDriveArtifact", "HuggingfaceRepoArtifact"]
