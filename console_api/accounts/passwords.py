"""Argon2id passwords (RFC 9106, second recommended option: 64 MiB, t=3, p=4)."""

from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from console_api.accounts.errors import InvalidAccountError

SHORTEST: Final = 10
LONGEST: Final = 1024


class Passwords:
    """Hashes and checks passwords; a check costs the same for a user who does not exist.

    One check takes about 50 ms and 64 MiB, so callers bound how many run at a time.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._nobody = self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """Return the PHC string of an acceptable password, else raise InvalidAccountError."""
        if len(password) < SHORTEST:
            raise InvalidAccountError("password", f"use at least {SHORTEST} characters")
        if len(password) > LONGEST:
            raise InvalidAccountError("password", f"use at most {LONGEST} characters")
        return self._hasher.hash(password)

    def check(self, stored: str | None, password: str) -> bool:
        """Say whether the password is the stored one; `None` stands for no such user."""
        try:
            self._hasher.verify(stored or self._nobody, password[: LONGEST + 1])
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    def outdated(self, stored: str) -> bool:
        """Say whether the hash was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(stored)
