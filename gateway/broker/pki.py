"""A certificate authority of the deployment's own, and the broker's certificate from it.

RFC 5280 profile: ECDSA P-256 with SHA-256, which mbedTLS on the boards and OpenSSL both verify
in milliseconds.
"""

import ipaddress
import re
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.broker.atomic import write_private
from gateway.broker.errors import BadSettingError, CertificateError

CA_LIFETIME = timedelta(days=20 * 365)
BROKER_LIFETIME = timedelta(days=397)
RENEW_BEFORE = timedelta(days=120)
ALWAYS_NAMED = ("localhost", "127.0.0.1", "::1")

_HOST_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")

# A board without a trusted clock starts at its epoch, and must get through to call for help.
_NOT_BEFORE = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Certificates:
    """The files of one deployment's TLS."""

    directory: Path

    @property
    def ca(self) -> Path:
        """The authority's certificate (PEM), which devices are given."""
        return self.directory / "ca.pem"

    @property
    def ca_der(self) -> Path:
        """The same as DER, which mbedTLS reads without a PEM parser."""
        return self.directory / "ca.der"

    @property
    def ca_key(self) -> Path:
        """The authority's private key; nothing but renewal needs it."""
        return self.directory / "ca.key"

    @property
    def broker(self) -> Path:
        """The broker's certificate (PEM)."""
        return self.directory / "broker.pem"

    @property
    def broker_key(self) -> Path:
        """The broker's private key."""
        return self.directory / "broker.key"


def ensure_certificates(
    files: Certificates, names: Iterable[str], now: datetime, *, renew: bool = False
) -> bool:
    """Make what is missing; tell whether the broker has a new certificate and must reload.

    The broker's is made again when it is in its last 120 days, lacks a name or doesn't belong to
    its key or authority, or when `renew` asks for it. The authority is made only where there is
    none. Raises CertificateError, BadSettingError, BrokerFilesError.
    """
    wanted = certificate_names(names)
    ca, ca_key = _authority(files, now)
    if not renew and _serves(files, ca, wanted, now):
        return False
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _broker_certificate(ca, ca_key, key, wanted, now)
    write_private(files.broker_key, _key_pem(key))
    write_private(files.broker, _pem(certificate))
    return True


def certificate_names(names: Iterable[str]) -> Sequence[x509.GeneralName]:
    """Return what the broker's certificate is made for; raises BadSettingError."""
    return [_general_name(name) for name in dict.fromkeys((*ALWAYS_NAMED, *names))]


def client_context(ca: Path) -> ssl.SSLContext:
    """Return what a client on this machine verifies the broker with; raises CertificateError."""
    try:
        context = ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise CertificateError(ca, error.strerror or str(error)) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _authority(
    files: Certificates, now: datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    if not files.ca.exists() and not files.ca_key.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _ca_certificate(key, now)
        write_private(files.ca_key, _key_pem(key))
        write_private(files.ca_der, certificate.public_bytes(serialization.Encoding.DER))
        write_private(files.ca, _pem(certificate))
        return certificate, key
    certificate, key = _read_certificate(files.ca), _read_key(files.ca_key)
    if certificate.public_key() != key.public_key():
        raise CertificateError(files.ca_key, "not the key of ca.pem: restore both from one backup")
    if certificate.not_valid_after_utc < now + BROKER_LIFETIME:
        until = certificate.not_valid_after_utc.date()
        reason = f"ends on {until}: make a new deployment authority and give it to all devices"
        raise CertificateError(files.ca, reason)
    return certificate, key


def _serves(
    files: Certificates, ca: x509.Certificate, wanted: Sequence[x509.GeneralName], now: datetime
) -> bool:
    if not files.broker.exists() or not files.broker_key.exists():
        return False
    certificate, key = _read_certificate(files.broker), _read_key(files.broker_key)
    try:
        certificate.verify_directly_issued_by(ca)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return (
        certificate.public_key() == key.public_key()
        and certificate.not_valid_after_utc - RENEW_BEFORE > now
        and set(wanted) <= set(names.value)
    )


def _ca_certificate(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    # Two deployments' authorities must not share a name: clients look issuers up by it.
    name = _name(f"Siaga local CA {identifier.digest.hex()[:8]}")
    return (
        _builder(name, name, key.public_key(), now + CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )


def _broker_certificate(
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePrivateKey,
    names: Sequence[x509.GeneralName],
    now: datetime,
) -> x509.Certificate:
    authority = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    authority_id = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority)
    own_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        _builder(_name("Siaga broker"), ca.subject, key.public_key(), now + BROKER_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(usage, critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(own_id, critical=False)
        .add_extension(authority_id, critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_NOT_BEFORE)
        .not_valid_after(until)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        ascii_name = name.encode("idna").decode("ascii").lower()
    except UnicodeError:
        ascii_name = ""
    if not _HOST_NAME.fullmatch(ascii_name):
        allowed = "a host name or an IP address that devices connect to"
        raise BadSettingError("certificate name", name, allowed)
    return x509.DNSName(ascii_name)


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Siaga"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _read_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise CertificateError(path, error.strerror or str(error)) from None
    except ValueError:
        raise CertificateError(path, "no PEM certificate: restore it from a backup") from None


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise CertificateError(path, error.strerror or str(error)) from None
    except (ValueError, TypeError):
        raise CertificateError(path, "no PEM private key: restore it from a backup") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CertificateError(path, "not an elliptic-curve key: restore it from a backup")
    return key
