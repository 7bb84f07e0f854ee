"""What was compressed, as a stream of so many bytes at a time."""

from collections.abc import Iterator

import zstandard

# Above what any level of zstd asks for. https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.1.2
LARGEST_WINDOW = 128 * 1024 * 1024
BLOCK = 1024 * 1024


class Broken(Exception):
    """What is wrong with a backup, as the end of a sentence."""


class Plain:
    """The dump in a compressed object. `size` is how many bytes it should have, where that is known."""

    def __init__(self, compressed: Iterator[bytes], size: int | None) -> None:
        self._compressed = compressed
        self._frame = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW).decompressobj()
        self._size = size
        self._pending = memoryview(b"")
        self.position = 0

    def read(self, most: int) -> bytes:
        """So many bytes; fewer only at the end. Raises Broken and ZstdError."""
        pieces = []
        while most and (piece := self._piece(most)):
            pieces.append(piece)
            most -= len(piece)
        return b"".join(pieces)

    def exactly(self, count: int) -> bytes:
        found = self.read(count)
        if len(found) < count:
            raise Broken("it ends too early")
        return found

    def skip(self, count: int) -> None:
        while count:
            count -= len(self.exactly(min(count, BLOCK)))

    def end(self) -> None:
        """Reads what is left, which has to be nothing. Raises Broken."""
        if self.read(1):
            raise Broken("something follows its end")
        if self._size is not None and self.position != self._size:
            raise Broken(f"it unpacks to {self.position} bytes of {self._size}")

    def _piece(self, most: int) -> memoryview:
        while not self._pending:
            chunk = next(self._compressed, None)
            if chunk is None:
                if not self._frame.eof:
                    raise Broken("its compression breaks off")
                return self._pending
            if self._frame.eof:
                raise Broken("something follows its compression")
            self._pending = memoryview(self._frame.decompress(chunk))
            if self._frame.unused_data:
                raise Broken("something follows its compression")
        piece, self._pending = self._pending[:most], self._pending[most:]
        self.position += len(piece)
        return piece
