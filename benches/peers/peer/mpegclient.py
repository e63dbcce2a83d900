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
                    # As many as there are, once there are some.
                    client.wait(seen)
                    batch = client.read(8, order=module.Order.NEXT, after=seen, timeout=0)
                except module.errors.Ended:
                    return
                yield from batch.frames
                seen = batch.last_seq

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
        batch = self.client.read(1, after=self._seen, timeout=20)
        self._seen = batch.last_seq
        return batch.frames[-1]

    def look(self) -> Frame:
        return self.client.read_latest(1)[-1]

    def close(self) -> None:
        self.client.close()
