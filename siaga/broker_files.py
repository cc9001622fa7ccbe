"""The broker's files: written, and kept true while the deployment runs."""

import asyncio
from datetime import UTC, datetime

from gateway.broker.choose import BrokerKind, Choice, choose_broker
from gateway.broker.files import BrokerFiles, reload_mosquitto, watch
from gateway.broker.pki import ensure_certificates
from siaga.deployment import Deployment

RENEWAL_CHECK_S = 24 * 3600.0


def broker_choice(deployment: Deployment) -> Choice:
    """Choose Mosquitto where there is one, as far as the configuration leaves it open.

    Raises NoBrokerError.
    """
    return choose_broker(BrokerKind(deployment.configuration.broker.kind))


def gateway_password(deployment: Deployment) -> str:
    """Give the MQTT password of the gateway."""
    return deployment.layout.gateway_password.read_text(encoding="ascii").strip()


def write_broker_files(deployment: Deployment) -> bool:
    """Write the broker's certificate, configuration, logins and rules; tell if any changed."""
    renewed = renew_certificate(deployment)
    with deployment.registry() as registry:
        files = BrokerFiles(deployment.broker_settings(), registry, gateway_password(deployment))
        return files.write() or renewed


def renew_certificate(deployment: Deployment) -> bool:
    """Make the broker's certificate anew where it is due; tell whether it was."""
    deployment.layout.tls.mkdir(mode=0o700, parents=True, exist_ok=True)
    return ensure_certificates(
        deployment.certificates, deployment.certificate_names, datetime.now(UTC)
    )


async def keep_broker_files(deployment: Deployment, stop: asyncio.Event) -> None:
    """Let a device in, or shut it out, as soon as the registry says so, until `stop`.

    The certificate is renewed when it is due. Mosquitto is told to read all of it again; the
    built-in broker sees changed passwords by itself, and a new certificate at its next start.
    """
    settings = deployment.broker_settings()
    runs_mosquitto = broker_choice(deployment).program is not None

    def reload() -> None:
        if runs_mosquitto:
            reload_mosquitto(settings.pid_file)

    async def renew() -> None:
        while not stop.is_set():
            try:
                await asyncio.wait_for(stop.wait(), RENEWAL_CHECK_S)
            except TimeoutError:
                if await asyncio.to_thread(renew_certificate, deployment):
                    reload()

    with deployment.registry() as registry:
        files = BrokerFiles(settings, registry, gateway_password(deployment))
        async with asyncio.TaskGroup() as group:
            group.create_task(watch(files, reload, stop))
            group.create_task(renew())
