"""GStreamer with an appsink that keeps the newest picture only."""

from __future__ import annotations

import sys
from typing import Iterator

import numpy as np

from . import Frame, Size

#: Where Debian has PyGObject, which needs the system's own GStreamer.
_SYSTEM_PACKAGES = "/usr/lib/python3/dist-packages"

_NAMES = {"h264": "h264", "hevc": "h265"}

#: Nanoseconds to wait for a picture at most.
_PATIENCE = 20_000_000_000


class Peer:
    title = "GStreamer"

    def __init__(self) -> None:
        # At the end, so that every other package is the environment's own.
        sys.path.append(_SYSTEM_PACKAGES)
        try:
            import gi

            gi.require_version("Gst", "1.0")
            from gi.repository import Gst
        except ValueError as error:
            raise ImportError(str(error)) from error
        Gst.init(None)
        # Looked up before there are threads: PyGObject makes its classes when they are first used, without a lock.
        self.playing, self.stopped = Gst.State.PLAYING, Gst.State.NULL
        self.used = Gst.Sample.get_buffer, Gst.Buffer.map, Gst.MapFlags.READ
        if Gst.ElementFactory.find("avdec_h264") is None:
            raise ImportError("the plugin libav of GStreamer is missing")
        self.Gst = Gst
        self.version = ".".join(map(str, Gst.version()[:3]))

    def file(self, path: str, codec: str, size: Size) -> Iterator[Frame]:
        source = f'filesrc location="{path}" ! parsebin'
        pipeline = Pipeline(self, source, codec, size, sink="max-buffers=4")
        try:
            while True:
                yield pipeline.next()
        except EOFError:
            pipeline.close()

    def live(self, url: str, codec: str, size: Size, rate: int) -> "Pipeline":
        name = _NAMES[codec]
        source = f'rtspsrc location="{url}" protocols=tcp latency=0 ! rtp{name}depay ! {name}parse'
        # Before the conversion: what is left out is not converted.
        thin = f"videorate drop-only=true ! video/x-raw,framerate={rate}/1 !" if rate else ""
        return Pipeline(self, source, codec, size, sink="max-buffers=1 drop=true", thin=thin)


class Pipeline:
    """A pipeline that runs."""

    def __init__(self, peer: Peer, source: str, codec: str, size: Size, sink: str, thin: str = "") -> None:
        self._peer = peer
        self._size = size
        caps = f"video/x-raw,format=RGB,width={size.width},height={size.height},pixel-aspect-ratio=1/1"
        convert = f"videoscale add-borders=false ! videoconvert ! {caps}"
        decode = f"avdec_{_NAMES[codec]} max-threads=1"
        text = f"{source} ! {decode} ! {thin} {convert} ! appsink name=sink sync=false {sink}"
        self._pipeline = peer.Gst.parse_launch(text)
        self._sink = self._pipeline.get_by_name("sink")
        self._pipeline.set_state(peer.playing)

    def next(self) -> Frame:
        sample = self._sink.emit("try-pull-sample", _PATIENCE)
        if sample is None:
            raise EOFError
        buffer = sample.get_buffer()
        is_mapped, mapped = buffer.map(self._peer.Gst.MapFlags.READ)
        if not is_mapped:
            raise EOFError("not mapped")
        try:
            # The sink's buffer is given back, so that the caller needs a copy.
            return np.frombuffer(mapped.data, np.uint8).reshape(self._size.height, self._size.width, 3).copy()
        finally:
            buffer.unmap(mapped)

    look = next

    def close(self) -> None:
        self._pipeline.set_state(self._peer.stopped)
