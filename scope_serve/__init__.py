"""Daydream Scope's real-time video pipelines as a service on Ray Serve.

Importing this package loads none of Ray, torch or aiortc.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
