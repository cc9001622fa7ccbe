"""MQTT passwords, stored only as Mosquitto's own hash: `$7$iterations$salt$hash`."""

import base64
import binascii
import hashlib
import hmac

SALT_BYTES = 12
# Mosquitto's default. Passwords here are 256 random bits, which no iteration count makes harder
# to guess; but the broker hashes in its only thread, so 100,000 iterations (50 ms) would make
# every reconnect storm an outage.
ITERATIONS = 101
_HASH_BYTES = 64


def password_text(random: bytes) -> str:
    """Return random bytes as a password: base64url without padding."""
    return base64.urlsafe_b64encode(random).decode().rstrip("=")


def hash_password(password: str, salt: bytes, iterations: int = ITERATIONS) -> str:
    """Return the PBKDF2-SHA512 hash in the form of a Mosquitto password file."""
    digest = _digest(password, salt, iterations)
    parts = (base64.b64encode(part).decode() for part in (salt, digest))
    return "$".join(("", "7", str(iterations), *parts))


def verify_password(password: str, stored: str) -> bool:
    """Tell whether a password has this hash, in constant time; a malformed hash fits nothing."""
    try:
        _, kind, iterations, salt, digest = stored.split("$")
        count, raw_salt = int(iterations), base64.b64decode(salt, validate=True)
        expected = base64.b64decode(digest, validate=True)
    except (ValueError, binascii.Error):
        return False
    if kind != "7" or count < 1:
        return False
    return hmac.compare_digest(_digest(password, raw_salt, count), expected)


def _digest(password: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations, _HASH_BYTES)
