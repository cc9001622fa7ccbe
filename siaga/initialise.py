"""Make a deployment, whole or not at all."""

import base64
import secrets
import shutil
from pathlib import Path

from console_api import admin
from console_api.accounts.roles import Role
from gateway.registry.migrate import migrate
from siaga.broker_files import write_broker_files
from siaga.config import first_file
from siaga.deployment import Deployment
from siaga.errors import DeploymentExistsError
from siaga.layout import Layout, write_secret

SECRET_BYTES = 32
HTTP_PORT = 8080
MQTT_PORT = 8883
LOOPBACK_PORT = 8882
GATEWAY_PORT = 8081


def initialise(
    directory: Path,
    *,
    http_port: int = HTTP_PORT,
    mqtt_port: int = MQTT_PORT,
    loopback_port: int = LOOPBACK_PORT,
    gateway_port: int = GATEWAY_PORT,
) -> Deployment:
    """Make configuration, secrets, certificates and databases in an empty or new folder.

    It is built beside the folder and renamed into place: a power failure leaves either nothing
    or a whole deployment. Raises DeploymentExistsError.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise DeploymentExistsError(directory)
    building = directory.absolute().with_name(f".{directory.absolute().name}.partial")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(mode=0o700, parents=True)
    text = first_file(http_port, mqtt_port, loopback_port, gateway_port)
    Layout(building).configuration.write_text(text, encoding="utf-8")
    _secrets(Layout(building))
    deployment = Deployment.open(building)
    migrate_databases(deployment)
    _gateway_token(deployment)
    building.rename(directory.absolute())
    made = Deployment.open(directory)
    write_broker_files(made)
    return made


def migrate_databases(deployment: Deployment) -> None:
    """Bring registry and console to this version's schema, making them if need be."""
    deployment.layout.registry.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    migrate(deployment.registry_url)
    with deployment.registry():
        pass  # the first to open it binds it to the deployment key
    admin.initialise(deployment.console_settings())


def _secrets(layout: Layout) -> None:
    layout.secrets.mkdir(mode=0o700)
    write_secret(layout.deployment_key, secrets.token_bytes(SECRET_BYTES))
    write_secret(layout.gateway_password, _printable())
    write_secret(layout.data_centre_secret, _printable())


def _printable() -> bytes:
    return base64.urlsafe_b64encode(secrets.token_bytes(SECRET_BYTES)).rstrip(b"=")


def _gateway_token(deployment: Deployment) -> None:
    token = admin.create_service_token(
        deployment.console_settings(), deployment.configuration.gateway.id, Role.GATEWAY
    )
    write_secret(deployment.layout.gateway_token, token.encode())
