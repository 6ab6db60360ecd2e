"""WebRTC on aiortc: peers, tracks and pictures. Knows nothing of pipelines."""
