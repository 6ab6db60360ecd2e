"""Rules for every test: a known category, a clean environment, nothing left behind."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

CATEGORIES = {"unit", "contract", "integration", "cluster", "e2e"}
ROOT = Path(__file__).parent
LASTING_THREADS = ("asyncio_", "ThreadPoolExecutor", "AnyIO worker", "ray_", "pydevd", "tqdm")
"""Pools and monitors of libraries, which end with the process that runs the tests."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a test outside the category folders."""
    for item in items:
        category = item.path.relative_to(ROOT).parts[0]
        if category not in CATEGORIES:
            message = f"{item.path} is in none of the test folders {sorted(CATEGORIES)}"
            raise pytest.UsageError(message)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the settings of whoever runs the tests away from them."""
    for name in ("RAY_ADDRESS", "HF_TOKEN", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DAYDREAM_SCOPE_DIR", str(tmp_path / "scope"))


@pytest.fixture(autouse=True)
def no_leaked_threads() -> Iterator[None]:
    """Fail a test that leaves a thread of ours running."""
    before = set(threading.enumerate())
    yield
    left = [
        thread
        for thread in threading.enumerate()
        if thread not in before and not thread.name.startswith(LASTING_THREADS)
    ]
    for thread in left:
        thread.join(timeout=2)
    leaked = [thread.name for thread in left if thread.is_alive()]
    assert not leaked, f"threads left running: {leaked}"


@pytest_asyncio.fixture(autouse=True)
async def no_leaked_tasks() -> AsyncIterator[None]:
    """Fail a test that leaves a task running on its event loop."""
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    if left:
        await asyncio.wait(left, timeout=2)
    leaked = [task.get_name() for task in left if not task.done()]
    assert not leaked, f"tasks left running: {leaked}"
