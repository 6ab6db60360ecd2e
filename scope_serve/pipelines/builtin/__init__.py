"""The pipelines of this package: a plugin like any other, behind the same entry point.

Their modules load without torch, so that a catalog can be made in a process that computes
nothing; torch is imported when one of them is constructed.
"""

from collections.abc import Callable

from scope_serve.pipelines.builtin.controller_viz import ControllerVisualizerPipeline
from scope_serve.pipelines.builtin.gray import GrayPipeline
from scope_serve.pipelines.builtin.passthrough import PassthroughPipeline
from scope_serve.pipelines.builtin.test_pattern import TestPatternPipeline
from scope_serve.plugins.hookspecs import hookimpl


@hookimpl
def register_pipelines(register: Callable[[type], None]) -> None:
    """Register every built-in pipeline."""
    register(PassthroughPipeline)
    register(GrayPipeline)
    register(ControllerVisualizerPipeline)
    register(TestPatternPipeline)
