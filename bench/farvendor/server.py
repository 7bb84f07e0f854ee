"""Answers as Cloudflare's API does, each request after a pause, any number of them at a time."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from threading import Thread
from typing import Any

LATENCY_SECONDS = 0.1
ZONE = {"id": "zone-1", "name": "example.com"}
ONLY_PAGE = {"page": 1, "total_pages": 1}


class FarVendor:
    """`rows` are the records that are there, by id: a probe must leave none. `asked` counts the requests."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.asked = 0
        self._ids = count(1)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                method, path, sent = await self._request(head.decode(), reader)
                self.asked += 1
                await asyncio.sleep(LATENCY_SECONDS)
                body = json.dumps({"success": True, "errors": [], **self._answer(method, path, sent)}).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
                )
                writer.write(body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _request(self, head: str, reader: asyncio.StreamReader) -> tuple[str, str, Any]:
        first, *headers = head.splitlines()
        method, path, _ = first.split(" ")
        lengths = [line.partition(":")[2] for line in headers if line.lower().startswith("content-length:")]
        sent = await reader.readexactly(int(lengths[0])) if lengths else b""
        return method, path, json.loads(sent) if sent else None

    def _answer(self, method: str, path: str, sent: Any) -> dict[str, Any]:
        path = path.partition("?")[0]
        if path.endswith("/verify"):
            return {"result": {"id": "t", "status": "active"}}
        if path.endswith("/zones"):
            return {"result": [ZONE], "result_info": ONLY_PAGE}
        if method == "POST":
            row = {**sent, "id": str(next(self._ids))}
            self.rows[row["id"]] = row
            return {"result": row}
        if method == "DELETE":
            return {"result": self.rows.pop(path.rpartition("/")[2])}
        return {"result": list(self.rows.values()), "result_info": ONLY_PAGE}


@contextmanager
def far_vendor(port: int) -> Iterator[FarVendor]:
    """Serves on loopback until the block ends."""
    vendor, loop = FarVendor(), asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(vendor.serve, "127.0.0.1", port))
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield vendor
    finally:
        server.close()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
