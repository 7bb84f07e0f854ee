"""Memory for the parts that are under way."""

from __future__ import annotations

import mmap
import os


class Buffer:
    """`view` is the memory, `file` the same as a file that has no name: what is sent from there, the kernel does not
    copy first. See memfd_create(2).

    It is filled again only after an answer. What of an earlier try is still on its way then belongs to a request that
    failed, and no longer fits its MD5."""

    def __init__(self, size: int) -> None:
        self.file = os.fdopen(os.memfd_create("part"), "r+b", buffering=0)
        self.file.truncate(size)
        self.view = memoryview(mmap.mmap(self.file.fileno(), size))
