import stat
from pathlib import Path

import pytest

from siaga.config import Configuration
from siaga.deployment import Deployment
from siaga.errors import DeploymentExistsError, NoDeploymentError
from siaga.initialise import initialise


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return initialise(tmp_path_factory.mktemp("deployments") / "city")


def test_a_new_deployment_reads_back_with_the_defaults_of_a_city(made: Deployment) -> None:
    assert Deployment.open(made.layout.root, environment={}).configuration == Configuration()


def test_no_secret_can_be_read_by_others(made: Deployment) -> None:
    secrets = [*made.layout.secrets.iterdir(), *made.layout.tls.glob("*.key")]
    assert len(secrets) == 6
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}


def test_what_is_there_is_never_overwritten(made: Deployment) -> None:
    before = made.layout.deployment_key.read_bytes()
    with pytest.raises(DeploymentExistsError):
        initialise(made.layout.root)
    assert made.layout.deployment_key.read_bytes() == before


def test_a_folder_with_anything_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(DeploymentExistsError):
        initialise(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_what_a_power_failure_left_half_made_is_made_anew(tmp_path: Path) -> None:
    half = tmp_path / ".city.partial"
    half.mkdir()
    (half / "siaga.toml").write_text("[broker")
    initialise(tmp_path / "city")
    assert not half.exists()


def test_a_folder_without_a_deployment_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NoDeploymentError, match="siaga init"):
        Deployment.open(tmp_path)


def test_two_deployments_share_no_secret(made: Deployment, tmp_path: Path) -> None:
    other = initialise(tmp_path / "other")
    ours = {path.read_bytes() for path in made.layout.secrets.iterdir()}
    theirs = {path.read_bytes() for path in other.layout.secrets.iterdir()}
    assert ours.isdisjoint(theirs)
