"""The shared files of a site, to be replaced by those of a backup.

They are unpacked by the site's own user, in a folder that this user cannot reach yet, and change places with those that
are there in one step. `live` is the path of the folder.
"""

from __future__ import annotations

import ctypes
import grp
import os
import pwd
import shutil
import tarfile
from typing import IO, Any

from members import reason_to_refuse
from pipeline import Program
from places import BLOCK, Place, blocks
from talk import Failed

WEB = "www-data"
MODE = 0o2750
UNPACK = ["tar", "--extract", "--file=-", "--preserve-permissions", "--no-same-owner", "--xattrs", "--acls"]
# Only root can enter what lies above the folder that is unpacked into: it has to be entered before.
INSIDE = ["sh", "-c", 'cd "$0" && exec "$@"']
AT_FDCWD, RENAME_EXCHANGE = -100, 2


class Files(Place):
    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.user = pwd.getpwnam(str(values["user"]))
        self.web = grp.getgrnam(WEB).gr_gid
        # `shared`, which belongs to root.
        self.above = os.path.dirname(self.live)
        self.outer = os.path.join(self.above, self.scratch)
        self.inner = os.path.join(self.outer, "folders")
        self.number = os.path.join(self.outer, "number")

    def folder(self) -> str:
        return self.above

    def check(self) -> None:
        if not os.path.isdir(self.live):
            raise Failed("check", "The site has no shared files on the server.", "Deploy it first.")

    def prepare(self) -> None:
        self.discard()
        os.mkdir(self.outer, 0o700)
        os.mkdir(self.inner)
        os.chown(self.inner, self.user.pw_uid, self.web)
        os.chmod(self.inner, MODE)

    def loader(self) -> Program:
        # With the group of the web server, which alone lets it keep the bit that hands the group down.
        who = [f"--reuid={self.user.pw_uid}", f"--regid={self.user.pw_gid}", f"--groups={self.web}"]
        return Program("load", "tar", [*INSIDE, self.inner, "setpriv", *who, "--", *UNPACK])

    def move(self, source: IO[bytes], sink: IO[bytes]) -> None:
        """Looks at each member before its content is passed on. Raises Failed."""
        try:
            with tarfile.open(fileobj=Passing(source, sink), mode="r|", bufsize=BLOCK) as archive:  # type: ignore[call-overload]
                for member in archive:
                    if reason := reason_to_refuse(member):
                        raise Failed("load", f"The backup cannot be unpacked, as {reason}.", "Nothing was changed.")
                    archive.members = []
        except tarfile.TarError as error:
            raise Failed("load", f"The backup is no whole archive: {error}.", "Verify it.") from None
        for block in blocks(source):
            sink.write(block)

    def check_loaded(self) -> None:
        os.sync()

    def is_loaded(self) -> bool:
        return os.path.isdir(self.inner)

    def is_swapped(self) -> bool:
        try:
            with open(self.number) as file:
                return int(file.read()) == os.stat(self.live).st_ino
        except (FileNotFoundError, ValueError):
            return False

    def swap(self) -> None:
        if not self.is_swapped():
            with open(self.number, "w") as file:
                file.write(str(os.stat(self.inner).st_ino))
                file.flush()
                os.fsync(file.fileno())
            exchange(self.inner, self.live)
        self.discard()

    def discard(self) -> None:
        shutil.rmtree(self.outer, ignore_errors=False) if os.path.isdir(self.outer) else None


class Passing:
    """What is read from one pipe is written to the other."""

    def __init__(self, source: IO[bytes], sink: IO[bytes]) -> None:
        self._source, self._sink = source, sink

    def read(self, most: int) -> bytes:
        block = self._source.read(most)
        self._sink.write(block)
        return block


def exchange(one: str, other: str) -> None:
    """Two paths change places, at one moment. renameat2(2). Raises Failed."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE):
        reason = os.strerror(ctypes.get_errno())
        raise Failed("swap", f"The folders cannot change places: {reason}.", "Nothing was changed. Try again.")
