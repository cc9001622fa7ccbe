"""Files that are there whole or not at all, and for their owner only."""

import os
import tempfile
from pathlib import Path

from gateway.broker.errors import BrokerFilesError


def write_private(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 onto the disk; raises BrokerFilesError.

    The file belongs to whoever owns its folder, so that a broker running as that account can
    read what root has written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                _give_to_owner_of(path.parent, file.fileno())
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise BrokerFilesError(path, error.strerror or str(error)) from error


def write_private_if_changed(path: Path, content: bytes) -> bool:
    """Write a file unless it has this content already; tell whether it was written."""
    try:
        if path.read_bytes() == content:
            return False
    except FileNotFoundError:
        pass
    except OSError as error:
        raise BrokerFilesError(path, error.strerror or str(error)) from error
    write_private(path, content)
    return True


def _give_to_owner_of(folder: Path, descriptor: int) -> None:
    owner = folder.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
