"""Images: the file systems that hosts start from, shared by all labs of the machine.

    images/NAME        a link to the layer that the name means at present
    layers/ID/root     the files
    layers/ID/parent   the id of the layer below; a base image has none
    layers/ID/stamp    what a base image was made from
    layers/ID/lock     locked by whoever uses the layer

A layer is never changed once a name points at it. So a half-built layer is one that no name points at, and an
image can be replaced while hosts run on the layer it was before.
"""

import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tools.targethost.process import LabError, run


@dataclass(frozen=True)
class Layer:
    """A folder of the store, and the open file that locks it, also for a process that inherits the file."""

    folder: Path
    lock: int

    @property
    def root(self) -> Path:
        return self.folder / "root"


@contextmanager
def locked(path: Path, how: int = fcntl.LOCK_EX) -> Iterator[int]:
    """Locks a file, yields its descriptor; raises BlockingIOError when `how` says not to wait."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, how)
        yield descriptor
    finally:
        os.close(descriptor)


class ImageStore:
    def __init__(self, cache: Path) -> None:
        self.names = cache / "images"
        self.layers = cache / "layers"
        self._lock = cache / "images.lock"
        for folder in (self.names, self.layers):
            folder.mkdir(parents=True, exist_ok=True)

    def stamp(self, name: str) -> str | None:
        """What the image was made from; None when there is no such image, or it was made from a host."""
        with suppress(FileNotFoundError):
            return (self.names / name / "stamp").read_text()
        return None

    @contextmanager
    def building(self, name: str) -> Iterator[None]:
        """Only one process at a time builds an image; the others wait here, and find it built."""
        check_image_name(name)
        with locked(self.layers.parent / f"build-{name}.lock"):
            yield

    @contextmanager
    def hold(self, name: str) -> Iterator[list[Layer]]:
        """The layers of an image, topmost first; nobody removes them while their locks are open."""
        with ExitStack() as held:
            with locked(self._lock):
                layers = [
                    Layer(folder, held.enter_context(locked(folder / "lock", fcntl.LOCK_SH)))
                    for folder in self._chain(self._layer_of(name))
                ]
            yield layers

    @contextmanager
    def new_layer(self, name: str, parent: str | None = None) -> Iterator[Layer]:
        """A layer to fill; it becomes the image `name` when the block ends, and is dropped if that fails."""
        check_image_name(name)
        folder = self.layers / f"{name}.{secrets.token_hex(4)}"
        with ExitStack() as held:
            with locked(self._lock):
                folder.mkdir()
                lock = held.enter_context(locked(folder / "lock", fcntl.LOCK_SH))
                if parent:
                    (folder / "parent").write_text(parent)
                    for below in self._chain(parent):
                        held.enter_context(locked(below / "lock", fcntl.LOCK_SH))
            try:
                yield Layer(folder, lock)
                # A machine that loses power must not wake up with an image of empty files.
                run("sync", "--file-system", str(folder))
            except BaseException:
                remove_tree(folder)
                raise
            self._publish(name, folder)

    def remove(self, name: str) -> None:
        """Forgets an image. Its files go when no other image and no running host needs them."""
        with locked(self._lock):
            (self.names / name).unlink(missing_ok=True)
            self._remove_unused()

    def _publish(self, name: str, folder: Path) -> None:
        link = self.names / ".new"
        with locked(self._lock):
            link.unlink(missing_ok=True)
            link.symlink_to(f"../layers/{folder.name}")
            link.replace(self.names / name)
            self._remove_unused()

    def _remove_unused(self) -> None:
        needed = {folder for name in self.names.iterdir() for folder in self._chain(name.readlink().name)}
        for folder in set(self.layers.iterdir()) - needed:
            with suppress(BlockingIOError), locked(folder / "lock", fcntl.LOCK_EX | fcntl.LOCK_NB):
                remove_tree(folder)

    def _layer_of(self, name: str) -> str:
        try:
            return (self.names / name).readlink().name
        except OSError:
            raise LabError(f"there is no image {name}: `build` makes base, `snapshot` others") from None

    def _chain(self, layer: str) -> list[Path]:
        folder = self.layers / layer
        with suppress(FileNotFoundError):
            return [folder, *self._chain((folder / "parent").read_text())]
        return [folder]


def check_image_name(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,40}", name):
        raise LabError(f"{name!r} is no image name: a letter, then letters, digits or '-'")


def remove_tree(folder: Path) -> None:
    """Removes a folder, but nothing that somebody mounted below it."""
    run("rm", "-rf", "--one-file-system", str(folder))
