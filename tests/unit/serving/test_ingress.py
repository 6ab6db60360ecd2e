import pytest
from ray.exceptions import ActorDiedError, RayTaskError

from scope_serve.errors import ParameterError, ReplicaGoneError
from scope_serve.serving.ingress import _call


async def answer(error):
    raise error


def raised_by_host(error):
    return RayTaskError("open_session", "traceback", error).as_instanceof_cause()


async def test_what_a_host_refuses_is_told_as_the_host_said_it():
    error = ParameterError("strength", "too much", "invert")
    with pytest.raises(ParameterError) as told:
        await _call(answer(raised_by_host(error)), 5)
    assert type(told.value) is ParameterError


async def test_a_bug_in_a_host_is_not_told_as_a_lack_of_hosts():
    with pytest.raises(KeyError):
        await _call(answer(raised_by_host(KeyError("what"))), 5)


async def test_a_host_that_died_is_gone():
    with pytest.raises(ReplicaGoneError):
        await _call(answer(ActorDiedError()), 5)
