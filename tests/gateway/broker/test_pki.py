"""Certificates, as OpenSSL and mbedTLS see them."""

import base64
import socket
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from gateway.broker.errors import BadSettingError, CertificateError
from gateway.broker.pki import (
    BROKER_LIFETIME,
    CA_LIFETIME,
    RENEW_BEFORE,
    Certificates,
    certificate_names,
    client_context,
    ensure_certificates,
)
from tests.gateway.broker.helpers import Deployment

NOW = datetime(2026, 11, 24, tzinfo=UTC)

# What a board does: its own CA only, certificate and name required.
HANDSHAKE = """
import binascii, socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.verify_mode = ssl.CERT_REQUIRED
context.load_verify_locations(cadata=binascii.a2b_base64("{ca}"))
plain = socket.socket()
plain.connect(socket.getaddrinfo("127.0.0.1", {port})[0][-1])
try:
    secure = context.wrap_socket(plain, server_hostname="{name}")
    secure.write(b"x")
except (OSError, ValueError) as error:
    print("refused", error)
else:
    print("accepted", secure.cipher())
"""


def _broker(files: Certificates) -> x509.Certificate:
    return x509.load_pem_x509_certificate(files.broker.read_bytes())


def test_everything_is_made_once(tmp_path: Path) -> None:
    files = Certificates(tmp_path)
    assert ensure_certificates(files, [], NOW)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert not ensure_certificates(files, [], NOW)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_all_files_are_for_their_owner_only(tmp_path: Path) -> None:
    ensure_certificates(Certificates(tmp_path), [], NOW)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_the_certificate_names_the_loopback_and_the_given_hosts(tmp_path: Path) -> None:
    files = Certificates(tmp_path)
    ensure_certificates(files, ["panic.tarakan.example", "10.0.0.7"], NOW)
    names = _broker(files).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    dns = names.get_values_for_type(x509.DNSName)
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    assert dns == ["localhost", "panic.tarakan.example"]
    assert addresses == ["127.0.0.1", "::1", "10.0.0.7"]


def test_the_authority_signs_certificates_and_the_broker_serves(tmp_path: Path) -> None:
    files = Certificates(tmp_path)
    ensure_certificates(files, [], NOW)
    ca, broker = x509.load_pem_x509_certificate(files.ca.read_bytes()), _broker(files)
    broker.verify_directly_issued_by(ca)
    constraints = ca.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (
        True,
        True,
        0,
    )
    assert not broker.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = broker.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_openssl_verifies_the_chain_strictly(tmp_path: Path) -> None:
    files = Certificates(tmp_path)
    ensure_certificates(files, [], datetime.now(UTC))
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver"]
    command += ["-verify_hostname", "localhost", "-CAfile", str(files.ca), str(files.broker)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_new_name_makes_a_new_certificate_under_the_same_authority(tmp_path: Path) -> None:
    files = Certificates(tmp_path)
    ensure_certificates(files, [], NOW)
    ca = files.ca.read_bytes()
    assert ensure_certificates(files, ["new.example"], NOW)
    assert files.ca.read_bytes() == ca


def test_a_certificate_near_its_end_is_renewed(tmp_path: Path) -> None:
    files = Certificates(tmp_path)
    ensure_certificates(files, [], NOW)
    near = NOW + BROKER_LIFETIME - RENEW_BEFORE
    assert not ensure_certificates(files, [], near - timedelta(days=1))
    assert ensure_certificates(files, [], near)
    assert _broker(files).not_valid_after_utc == near + BROKER_LIFETIME


def test_a_certificate_of_another_authority_is_replaced(tmp_path: Path) -> None:
    ours, theirs = Certificates(tmp_path / "ours"), Certificates(tmp_path / "theirs")
    ensure_certificates(ours, [], NOW)
    ensure_certificates(theirs, [], NOW)
    ours.broker.write_bytes(theirs.broker.read_bytes())
    ours.broker_key.write_bytes(theirs.broker_key.read_bytes())
    assert ensure_certificates(ours, [], NOW)
    _broker(ours).verify_directly_issued_by(x509.load_pem_x509_certificate(ours.ca.read_bytes()))


def test_an_authority_whose_key_is_lost_is_not_replaced(tmp_path: Path) -> None:
    files = Certificates(tmp_path)
    ensure_certificates(files, [], NOW)
    ca = files.ca.read_bytes()
    files.ca_key.unlink()
    with pytest.raises(CertificateError, match=r"ca\.key"):
        ensure_certificates(files, [], NOW, renew=True)
    assert files.ca.read_bytes() == ca


def test_a_key_of_another_authority_is_named(tmp_path: Path) -> None:
    ours, theirs = Certificates(tmp_path / "ours"), Certificates(tmp_path / "theirs")
    ensure_certificates(ours, [], NOW)
    ensure_certificates(theirs, [], NOW)
    ours.ca_key.write_bytes(theirs.ca_key.read_bytes())
    with pytest.raises(CertificateError, match=r"not the key of ca\.pem"):
        ensure_certificates(ours, [], NOW)


def test_an_authority_near_its_end_is_told_of_in_time(tmp_path: Path) -> None:
    files = Certificates(tmp_path)
    ensure_certificates(files, [], NOW)
    with pytest.raises(CertificateError, match="make a new deployment authority"):
        ensure_certificates(files, [], NOW + CA_LIFETIME - timedelta(days=300))


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    files = Certificates(tmp_path)
    ensure_certificates(files, [], NOW)
    files.ca.write_text("nothing")
    with pytest.raises(CertificateError, match=r"ca\.pem: no PEM certificate"):
        ensure_certificates(files, [], NOW)
    with pytest.raises(CertificateError):
        client_context(files.ca)


@given(st.text(max_size=80))
def test_any_name_is_encodable_or_refused(name: str) -> None:
    try:
        names = certificate_names([name])
    except BadSettingError:
        return
    assert x509.SubjectAlternativeName(names).public_bytes()
    assert list(names[:3]) == list(certificate_names([]))


@pytest.mark.parametrize(
    ("name", "outcome"), [("localhost", "accepted"), ("elsewhere.example", "refused")]
)
@pytest.mark.usefixtures("mosquitto")
def test_micropython_verifies_certificate_and_name(
    deployment: Deployment, name: str, outcome: str
) -> None:
    assert _micropython(deployment, deployment.certificates.ca_der, name).startswith(outcome)


@pytest.mark.usefixtures("mosquitto")
def test_micropython_refuses_the_broker_of_another_authority(
    deployment: Deployment, tmp_path: Path
) -> None:
    other = Certificates(tmp_path / "other")
    ensure_certificates(other, [], datetime.now(UTC))
    assert _micropython(deployment, other.ca_der, "localhost").startswith("refused")


@pytest.mark.usefixtures("mosquitto")
def test_cpython_refuses_the_broker_of_another_authority(
    deployment: Deployment, tmp_path: Path
) -> None:
    other = Certificates(tmp_path / "other")
    ensure_certificates(other, [], datetime.now(UTC))
    with (
        socket.create_connection(("127.0.0.1", deployment.settings.port)) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        client_context(other.ca).wrap_socket(plain, server_hostname="localhost")


def _micropython(deployment: Deployment, ca_der: Path, name: str) -> str:
    ca = base64.b64encode(ca_der.read_bytes()).decode()
    script = HANDSHAKE.format(ca=ca, port=deployment.settings.port, name=name)
    program = Path(sys.executable).with_name("micropython")
    done = subprocess.run(
        [program, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout
