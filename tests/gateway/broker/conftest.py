"""A registry, certificates and broker files in a folder of their own."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.broker.files import BrokerFiles
from gateway.broker.mosquitto import Mosquitto
from gateway.broker.pki import Certificates, ensure_certificates
from gateway.broker.settings import BrokerSettings
from gateway.registry.migrate import migrate
from gateway.registry.registry import Registry
from tests.gateway.broker.helpers import GATEWAY_PASSWORD, Deployment, free_port


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    made = Certificates(tmp_path_factory.mktemp("tls"))
    ensure_certificates(made, [], datetime.now(UTC))
    return made


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    url = f"sqlite:///{tmp_path}/registry.db"
    migrate(url)
    registry = Registry.open(url, b"d" * 32)
    yield registry
    registry.close()


@pytest.fixture
def deployment(registry: Registry, certificates: Certificates, tmp_path: Path) -> Deployment:
    settings = BrokerSettings(
        directory=tmp_path / "broker",
        certificate=certificates.broker,
        key=certificates.broker_key,
        host="127.0.0.1",
        port=free_port(),
        loopback_port=free_port(),
    )
    files = BrokerFiles(settings, registry, GATEWAY_PASSWORD)
    files.write()
    return Deployment(registry, certificates, settings, files)


@pytest.fixture
async def mosquitto(deployment: Deployment) -> AsyncIterator[Mosquitto]:
    broker = await deployment.start()
    yield broker
    await broker.stop()
