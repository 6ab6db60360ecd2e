"""One caller's live use of a chain of pipelines, without WebRTC and without Ray."""
