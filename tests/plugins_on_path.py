"""Plugins for tests: the fixture plugins, really installed, and packages written on the spot.

Nothing here is faked: `importlib.metadata` finds real distributions on a real path.
"""

import atexit
import functools
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FIXTURES = Path(__file__).parent / "fixtures"


@functools.cache
def installed_plugin(name: str) -> Path:
    """Install a plugin of ``tests/fixtures`` and return the folder to put on ``PYTHONPATH``.

    Args:
        name: Its folder, for example ``"scope_plugin_invert"``. Installed once per process.
    """
    target = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    atexit.register(shutil.rmtree, target, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--disable-pip-version-check"]
    command += ["--target", str(target), str(FIXTURES / name)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        message = f"cannot install {name}:\n{result.stdout}\n{result.stderr}"
        raise RuntimeError(message)
    return target


def write_distribution(
    folder: Path, package: str, source: str, *, entry_points: dict[str, str] | None = None
) -> str:
    """Write a distribution with one module, as an installer leaves it, and return its name.

    Args:
        folder: Becomes an import path.
        package: Name of the module; the distribution is called the same, with dashes.
        source: Code of the module.
        entry_points: Of the group ``scope``; by default one, the module itself.
    """
    name = package.replace("_", "-")
    declared = {package: package} if entry_points is None else entry_points
    (folder / f"{package}.py").write_text(source, encoding="utf-8")
    metadata = folder / f"{package}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8"
    )
    lines = ["[scope]", *(f"{key} = {value}" for key, value in declared.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return name
