"""Every error survives the way between two actors, and has a code of its own."""

import inspect
import pickle
from types import UnionType
from typing import Union, get_args, get_origin, get_type_hints

import pytest

from scope_serve import errors
from scope_serve.errors import ScopeServeError
from scope_serve.plugins import errors as plugin_errors

CLASSES = sorted(
    (
        each
        for each in {**vars(errors), **vars(plugin_errors)}.values()
        if inspect.isclass(each) and issubclass(each, ScopeServeError)
    ),
    key=lambda each: each.__name__,
)

SAMPLES = {str: "some text", int: 3, float: 0.5, bool: True}


def sample(annotation):
    """Return a value that an argument annotated like this may have."""
    if get_origin(annotation) in (UnionType, Union):
        return sample(get_args(annotation)[0])
    if get_origin(annotation) is tuple:
        return (sample(get_args(annotation)[0]),) * 2
    return SAMPLES[annotation]


def made(error_class):
    """Make an error with a value for every argument that its class declares."""
    if not inspect.isfunction(error_class.__init__):
        return error_class("what happened")
    names = list(inspect.signature(error_class).parameters)
    hints = get_type_hints(error_class.__init__)
    return error_class(*(sample(hints[name]) for name in names))


@pytest.mark.parametrize("error_class", CLASSES)
def test_error_survives_pickling(error_class):
    error = made(error_class)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is error_class
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)
    assert (copy.code, copy.retryable, copy.field) == (error.code, error.retryable, error.field)


@pytest.mark.parametrize("error_class", CLASSES)
def test_error_says_something(error_class):
    assert len(str(made(error_class))) > 5


def test_codes_are_unique():
    codes = [each.code for each in CLASSES]
    assert sorted(codes) == sorted(set(codes))


def test_codes_are_words_joined_by_underscores():
    assert [each.code for each in CLASSES if not each.code.replace("_", "").islower()] == []
