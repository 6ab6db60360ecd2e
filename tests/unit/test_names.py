"""Class names say what a class does."""

import ast
from pathlib import Path

import scope_serve

SAYS_NOTHING = (
    "Manager",
    "Processor",
    "Handler",
    "Helper",
    "Util",
    "Utils",
    "Info",
    "Data",
    "Impl",
)

DICTATED_BY_SCOPE = {"PluginManager", "FailedPluginInfo", "InputSourceInfo"}


def class_names():
    for path in Path(scope_serve.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield node.name


def test_no_class_has_a_name_that_says_nothing():
    vague = {name for name in class_names() if name.endswith(SAYS_NOTHING)}
    assert vague == DICTATED_BY_SCOPE
