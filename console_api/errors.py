"""What can go wrong in the console.

`RequestError` is theirs: the caller can put it right, and the message says how.
`InternalError` is ours: the data contradicts itself or the deployment is not set up.
A decision that came too late or is not allowed is no exception but a value:
`console_api.cycle.Conflict`.
"""


class ConsoleError(Exception):
    """Anything the console raises on purpose."""


class RequestError(ConsoleError):
    """The caller asked for something that can't be given as asked."""


class InternalError(ConsoleError):
    """The deployment or its data is not as it must be; no caller can put it right."""


class NotFoundError(RequestError):
    """No `kind` with this `identity`."""

    def __init__(self, kind: str, identity: str) -> None:
        """Remember what was looked for."""
        self.kind = kind
        self.identity = identity
        super().__init__(f"there is no {kind} {identity!r}; list them to see which there are")


class InvalidInputError(RequestError):
    """A value that can't be accepted; `where` is the path to it, `problem` says what is wrong."""

    def __init__(self, where: str, problem: str) -> None:
        """Remember where and what."""
        self.where = where
        self.problem = problem
        super().__init__(f"{where}: {problem}")


class AlreadyExistsError(RequestError):
    """A `kind` with this `identity` is there already."""

    def __init__(self, kind: str, identity: str) -> None:
        """Remember what was to be added."""
        self.kind = kind
        self.identity = identity
        super().__init__(f"{kind} {identity!r} exists already; change it or choose another id")


class NotMigratedError(InternalError):
    """The database's schema is not the one this version works with."""

    def __init__(self, found: str | None, needed: str) -> None:
        """Remember both revisions."""
        self.found = found
        self.needed = needed
        super().__init__(
            f"the console's database is at schema {found or 'none'}, this version needs {needed};"
            " run the migration (siaga init, or siaga up) with the console stopped"
        )


class LogCorruptError(InternalError):
    """The event log can't be read as events; `seq` is the first row that fails."""

    def __init__(self, seq: int, problem: str) -> None:
        """Remember the row."""
        self.seq = seq
        self.problem = problem
        super().__init__(
            f"event {seq} of the log can't be used: {problem};"
            " stop the console, run siaga verify and restore from a backup"
        )
