"""What can be wrong with accounts. Each message says what to do next."""

from datetime import timedelta


class AccountsError(Exception):
    """Something a person can put right."""


class WrongCredentialsError(AccountsError):
    """The user name or the password is wrong, or the account is switched off."""

    def __init__(self) -> None:
        super().__init__("user name or password is wrong; check both and try again")


class ThrottledError(AccountsError):
    """Too many failed attempts; `wait` says for how long to hold off."""

    def __init__(self, wait: timedelta) -> None:
        self.wait = wait
        super().__init__(f"too many failed attempts; try again in {wait.total_seconds():.0f} s")


class InvalidAccountError(AccountsError):
    """A member of a new or changed account is not usable; `member` names it."""

    def __init__(self, member: str, reason: str) -> None:
        self.member = member
        super().__init__(f"{member}: {reason}")


class AccountExistsError(AccountsError):
    """The name is taken."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"there is a user or service named {name} already; choose another name")


class UnknownAccountError(AccountsError):
    """Nobody has this name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"nobody is named {name}; list the users to see who is")
