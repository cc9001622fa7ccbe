"""One deployment for each test, made by the command itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.data_centre import DataCentre, data_centre
from tests.e2e.deployment import Deployment


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[DataCentre]:
    """A data centre that checks signatures, as its own process."""
    with data_centre(tmp_path / "archive") as running:
        yield running


@pytest.fixture
def city(tmp_path: Path, archive: DataCentre) -> Deployment:
    """A new deployment whose register goes to the data centre of this test."""
    deployment = Deployment(tmp_path / "city", settings={"SIAGA_DATA_CENTRE_URL": archive.url})
    archive.trust(deployment.root / "secrets/data-centre.secret")
    return deployment
