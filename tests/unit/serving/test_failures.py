from ray.exceptions import RayTaskError

from scope_serve.errors import CapacityError, ParameterError
from scope_serve.serving.failures import last_words, own_error


def test_an_error_of_ours_is_found():
    error = CapacityError("full")
    assert own_error(error) is error


def test_an_error_of_ours_is_found_inside_what_ray_makes_of_it():
    cause = ParameterError("strength", "too much", "invert")
    found = own_error(RayTaskError("lease", "traceback", cause).as_instanceof_cause())
    assert type(found) is ParameterError
    assert (found.name, found.reason, found.pipeline_id) == ("strength", "too much", "invert")


def test_an_error_of_ours_is_found_behind_another():
    error = RuntimeError("call failed")
    error.__cause__ = CapacityError("full")
    assert own_error(error) is error.__cause__


def test_other_errors_are_not_ours():
    assert own_error(ValueError("x")) is None


def test_a_traceback_is_reduced_to_its_error():
    told = """Deploying app 'x' failed with exception:
Traceback (most recent call last):
  File "builders.py", line 3, in build
    raise
scope_serve.errors.PipelineNotFoundError: pipeline 'nope' is not offered here; offered: 'gray'
"""
    assert last_words(told) == (
        "scope_serve.errors.PipelineNotFoundError: "
        "pipeline 'nope' is not offered here; offered: 'gray'"
    )


def test_a_message_without_a_traceback_is_kept():
    assert last_words(" nothing fits \n") == "nothing fits"
