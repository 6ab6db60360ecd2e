"""Cluster tests share one real Ray cluster per module."""

import pytest

from tests.cluster.local_serve import LocalServe


@pytest.fixture(scope="module")
def serve(request):
    """Run the module's ``CONFIG`` on a cluster of its own."""
    with LocalServe(request.module.CONFIG) as running:
        yield running
