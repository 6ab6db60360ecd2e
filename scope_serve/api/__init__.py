"""The HTTP API: Scope's routes and bodies, and errors with stable codes. No Ray, no aiortc."""
