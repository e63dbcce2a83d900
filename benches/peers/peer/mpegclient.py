"""This library, by its Python package."""

from __future__ import annotations

from typing import Iterator

from . import Frame, Size


class Peer:
    title = "mpegclient"

    #: What reads rtsp://, by the words of the parameter rtsp_engine.
    engine = "auto"

    def __init__(self) -> None:
        import mpegclient

        self.module = mpegclient
        self.version = mpegclient.version()

    def file(self, path: str, _codec: str, size: Size) -> Iterator[Frame]:
        module = self.module
        own = {"cache_size": 12, "overflow": "block", "threads": 1}
        with module.Client(path, width=size.width, height=size.height, **own) as client:
            client.setup()
            client.start()
            seen = 0
            while True:
                try:
                    with client.acquire(4, order=module.Order.NEXT, after=seen, timeout=20) as lease:
                        yield from lease.frames
                        seen = lease.last_seq
                except module.errors.Ended:
                    return

    def live(self, url: str, _codec: str, size: Size, rate: int) -> "Live":
        client = self.module.Client(url, width=size.width, height=size.height, frame_rate=rate, cache_size=12, threads=1,
                                    transport="tcp", rtsp_engine=self.engine)  # fmt: skip
        client.setup()
        client.start()
        return Live(client)


class Live:
    """A client that runs."""

    def __init__(self, client) -> None:
        self.client = client
        self._seen = 0

    def next(self) -> Frame:
        # Where it lies in the ring: the array keeps it for as long as it is used.
        lease = self.client.acquire(1, after=self._seen, timeout=20)
        self._seen = lease.last_seq
        return lease.frames[-1]

    def look(self) -> Frame:
        return self.client.read_latest(1)[-1]

    def close(self) -> None:
        self.client.close()
