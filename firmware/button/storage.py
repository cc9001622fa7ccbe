"""All that outlives a power cut."""

from . import flash
from .counters import Counters
from .flash import StateFile
from .outbox import Outbox


class Storage:
    """All that outlives a power cut, in one directory."""

    def __init__(self, directory: str) -> None:
        """Open what is there. Raises `StorageError` if the directory cannot be used."""
        flash.make_directory(directory)
        self.counters = Counters(directory)
        self.outbox = Outbox(directory + "/outbox")
        self.alarm = StateFile(directory + "/alarm")
        self.config = StateFile(directory + "/config")
