"""What must start fast loads none of the heavy libraries."""

import subprocess
import sys

import pytest

HEAVY = ("ray", "torch", "aiortc", "av")

LIGHT = [
    "import scope_serve",
    "import scope_serve.errors",
    "import scope_serve.settings",
    "import scope_serve.pipelines.base_schema",
    "import scope_serve.pipelines.interface",
    "import scope_serve.pipelines.controller",
    "import scope_serve.pipelines.descriptor",
    "import scope_serve.pipelines.utils",
    "import scope_serve.pipelines.registry",
    "import scope_serve.plugins.discovery",
    "import scope.core.plugins",
    "from scope_serve.pipelines.registry import load_pipelines; load_pipelines()",
]


@pytest.mark.parametrize("statement", LIGHT)
def test_statement_loads_nothing_heavy(statement):
    code = f"import sys\n{statement}\nprint(*sorted(set(sys.modules) & set({HEAVY!r})))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""
