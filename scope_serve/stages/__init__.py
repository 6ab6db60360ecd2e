"""Runs one pipeline for one session at a time, in its own thread.

`scope_serve.stages.runner` is the way in. What to decide lives in modules without threads
(parameters, chunking, flow control, error budget); `calls` acts on it.
"""
