"""A cluster for each file of tests, and a folder on it to submit from."""

import pytest

from cluster import Cluster
from workplace import Workplace


@pytest.fixture(scope="module")
def cluster():
    with Cluster() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def place(tmp_path_factory, cluster):
    return Workplace(tmp_path_factory.mktemp("shared"), cluster)


@pytest.fixture(params=["srun", "mpirun"])
def launcher(request):
    return request.param
