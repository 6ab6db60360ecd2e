"""Names for authors of pipelines."""
