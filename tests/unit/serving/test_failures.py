from ray.exceptions import RayTaskError

from scope_serve.errors import CapacityError, ParameterError
from scope_serve.serving.failures import own_error


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
