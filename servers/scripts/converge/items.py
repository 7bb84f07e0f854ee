"""What is at a path, and making it something else: at once, through no link, in no folder of somebody else."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

LARGEST_FILE = 16 * 1024 * 1024


class Failed(Exception):
    def __init__(self, command: str, output: str, path: str | None = None) -> None:
        super().__init__(command, output, path)
        self.command, self.output, self.path = command, output, path


class Owner(NamedTuple):
    """Whose folders a path may lie in, besides root's."""

    uid: int
    gid: int


ROOT = Owner(0, 0)


class Item(NamedTuple):
    """`kind` is absent, file, directory or link; `content` a file's text or a link's target."""

    path: str
    kind: str = "absent"
    content: bytes = b""
    mode: int = 0
    uid: int = 0
    gid: int = 0


@contextlib.contextmanager
def folder_of(path: str, owner: Owner) -> Iterator[tuple[int, str]]:
    """The open folder of a path, and the name in it."""
    folder = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    *parents, name = path.split("/")[1:]
    try:
        for parent in parents:
            inner = open_folder(parent, folder, path)
            os.close(folder)
            folder = inner
            if belongs_to_others(os.fstat(folder), owner):
                raise Failed("open", f"another user can write in the folder {parent}", path)
        yield folder, name
    finally:
        os.close(folder)


def open_folder(name: str, inside: int, path: str) -> int:
    try:
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=inside)
    except NotADirectoryError:
        raise Failed("open", f"{name} is a link, or no folder", path) from None


def belongs_to_others(info: os.stat_result, owner: Owner) -> bool:
    by_group = info.st_mode & stat.S_IWGRP and info.st_gid not in (0, owner.gid)
    return bool(info.st_uid not in (0, owner.uid) or info.st_mode & stat.S_IWOTH or by_group)


def read(path: str, owner: Owner) -> Item:
    try:
        with folder_of(path, owner) as (folder, name):
            return read_in(folder, name, path)
    except FileNotFoundError:
        return Item(path)
    except OSError as error:
        raise Failed("read", str(error), path) from None


def read_in(folder: int, name: str, path: str) -> Item:
    info = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if stat.S_ISLNK(info.st_mode):
        return Item(path, "link", os.fsencode(os.readlink(name, dir_fd=folder)))
    if stat.S_ISDIR(info.st_mode):
        return Item(path, "directory", b"", stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid)
    with open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder), "rb") as file:
        info = os.fstat(file.fileno())
        if not stat.S_ISREG(info.st_mode) or info.st_size > LARGEST_FILE:
            raise Failed("read", "it is no file, or too large a one", path)
        return Item(path, "file", file.read(), stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid)


def put(item: Item, owner: Owner) -> None:
    """Makes the path what the item says, at once or not at all."""
    try:
        with folder_of(item.path, owner) as (folder, name):
            put_in(folder, name, item)
            os.fsync(folder)
    except FileNotFoundError:
        if item.kind != "absent":
            raise Failed("write", "its folder does not exist", item.path) from None
    except OSError as error:
        raise Failed("write", str(error), item.path) from None


def put_in(folder: int, name: str, item: Item) -> None:
    if item.kind == "absent":
        remove(folder, name)
    elif item.kind == "directory":
        put_directory(folder, name, item)
    else:
        # Hidden and without a known ending, so that no service takes it for its own.
        spare = f".{name}.dnx"
        remove(folder, spare)
        put_spare(folder, spare, item)
        os.replace(spare, name, src_dir_fd=folder, dst_dir_fd=folder)


def put_spare(folder: int, name: str, item: Item) -> None:
    if item.kind == "link":
        os.symlink(item.content, os.fsencode(name), dir_fd=folder)
        return
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=folder)
    with open(descriptor, "wb") as file:
        file.write(item.content)
        file.flush()
        take_over(descriptor, item)
        os.fsync(descriptor)


def put_directory(folder: int, name: str, item: Item) -> None:
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=folder)
    descriptor = open_folder(name, folder, item.path)
    try:
        take_over(descriptor, item)
    finally:
        os.close(descriptor)


def take_over(descriptor: int, item: Item) -> None:
    # In this order: a change of owner clears the set-id bits of the mode.
    os.fchown(descriptor, item.uid, item.gid)
    os.fchmod(descriptor, item.mode)


def remove(folder: int, name: str) -> None:
    """A folder that holds what is not managed stays."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        pass
    except IsADirectoryError:
        with contextlib.suppress(OSError):
            os.rmdir(name, dir_fd=folder)


def put_back(originals: Iterable[tuple[Item, Owner]]) -> list[str]:
    """Like `put` for each, but goes on after a failure. What failed."""
    failures = []
    for item, owner in originals:
        try:
            put(item, owner)
        except Failed as failed:
            failures.append(f"{failed.path}: {failed.output}")
    return failures


def save(path: str, value: Any) -> None:
    """Writes JSON in a folder of root."""
    put(Item(path, "file", json.dumps(value).encode() + b"\n", 0o600), ROOT)


def load(path: str) -> Any:
    """Reads JSON in a folder of root; None if there is none."""
    item = read(path, ROOT)
    return json.loads(item.content) if item.kind == "file" else None
