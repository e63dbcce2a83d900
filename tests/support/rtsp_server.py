#!/usr/bin/python3
"""An RTSP server that sends pre-encoded clips in an endless loop, bit for bit, with GStreamer.

    rtsp_server.py [--address HOST] [--port PORT] [--user NAME --password WORD [--basic]]
                   [--transport any|tcp|udp|multicast] [--tls CERT KEY] [--rtp OPTIONS] [--network OPTIONS]
                   [--tell-sent] [--audio /MOUNT] /MOUNT=FILE,CODEC,FPS ...

CODEC is h264 or h265 (Annex B with access unit delimiters) or mjpeg (JPEGs one after another). Nothing is encoded here,
so the server takes next to no time of the processor and every client can know each picture that it should get.

--rtp sets properties of the payloader, such as "timestamp-offset=0"; --network sends the packets through GStreamer's
netsim with these properties, such as "drop-probability=0.05"; --audio adds a mount of sound alone. --tell-sent writes
"SENT NUMBER NANOSECONDS" for each picture that goes to the payloader, counted from 0, by CLOCK_MONOTONIC.

It listens on 127.0.0.1, or where it is told to. Port 0, the default, is any free port. "READY PORT" on standard output says that it listens. It
ends when its standard input ends, so it never outlives the program that started it.
"""

import argparse
import signal
import sys
import time
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402 (the versions have to be chosen first)

# Codec: the bytes that begin a picture, and the pipeline from pictures to RTP.
H26X = "identity sync=true ! rtp{0}pay name=pay0 pt=96 config-interval=-1"
CODECS = {
    "h264": (b"\0\0\0\1\x09", "video/x-h264,stream-format=byte-stream,alignment=au ! h264parse ! " + H26X.format("h264")),
    "h265": (b"\0\0\0\1\x46", "video/x-h265,stream-format=byte-stream,alignment=au ! h265parse ! " + H26X.format("h265")),
    "mjpeg": (b"\xff\xd8\xff", "image/jpeg ! jpegparse ! identity sync=true ! rtpjpegpay name=pay0 pt=26"),
}

TRANSPORTS = {
    "any": GstRtsp.RTSPLowerTrans.TCP | GstRtsp.RTSPLowerTrans.UDP,
    "tcp": GstRtsp.RTSPLowerTrans.TCP,
    "udp": GstRtsp.RTSPLowerTrans.UDP,
    "multicast": GstRtsp.RTSPLowerTrans.UDP_MCAST,
}

#: A group of those that stay within an organisation (RFC 2365, section 6.2).
GROUP = ("239.192.7.1", "239.192.7.1", 5000, 5099, 1)


def split(clip: bytes, mark: bytes) -> list[bytes]:
    """Cuts a clip into its pictures, each of which begins with the mark."""
    starts = []
    at = clip.find(mark)
    while at >= 0:
        starts.append(at)
        at = clip.find(mark, at + len(mark))
    return [clip[begin:end] for begin, end in zip(starts, starts[1:] + [len(clip)])]


class Loop(GstRtspServer.RTSPMediaFactory):
    """A mount that all clients share: who comes later joins in the middle, as with a camera."""

    def __init__(self, path: str, codec: str, fps: str, rtp: str, network: str, tells: bool = False):
        super().__init__()
        mark, pipeline = CODECS[codec]
        pipeline = pipeline.replace("name=pay0", f"name=pay0 {rtp}")
        if network:
            pipeline = pipeline.replace("name=pay0", "") + f" ! netsim {network} ! identity name=pay0"
        self.pictures = split(Path(path).read_bytes(), mark)
        if not self.pictures:
            raise ValueError(f"{path} holds no {codec} with the marks to cut it at")
        self.interval = int(Gst.SECOND / float(fps))
        caps, rest = pipeline.split(" ! ", 1)
        self.set_launch(f"( appsrc name=pictures is-live=true format=time caps={caps} ! {rest} )")
        self.set_shared(True)
        self.tells = tells
        self.connect("media-configure", self.configure)

    def configure(self, _factory, media):
        """Feeds the pipeline of a first client; it paces itself by the timestamps (identity sync=true)."""
        count = 0

        def feed(source, _size):
            nonlocal count
            picture = Gst.Buffer.new_wrapped(self.pictures[count % len(self.pictures)])
            picture.pts = picture.dts = count * self.interval
            picture.duration = self.interval
            count += 1
            source.emit("push-buffer", picture)

        media.get_element().get_by_name_recurse_up("pictures").connect("need-data", feed)
        if self.tells:
            payloader = media.get_element().get_by_name_recurse_up("pay0")
            payloader.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, self.tell_sent)

    def tell_sent(self, _pad, probe):
        """A picture goes out now."""
        print("SENT", round(probe.get_buffer().pts / self.interval), time.monotonic_ns(), flush=True)
        return Gst.PadProbeReturn.OK


def sound() -> GstRtspServer.RTSPMediaFactory:
    factory = GstRtspServer.RTSPMediaFactory.new()
    tone = "audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1"
    factory.set_launch(f"( {tone} ! mulawenc ! rtppcmupay name=pay0 )")
    factory.set_shared(True)
    return factory


def authentication(user: str, password: str, basic: bool, tls: list[str]) -> GstRtspServer.RTSPAuth:
    token = GstRtspServer.RTSPToken.new()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "user")
    auth = GstRtspServer.RTSPAuth.new()
    if tls:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_files(*tls))
    if not user:
        auth.set_default_token(token)
    elif basic:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    else:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(user, password, token)
    return auth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", default="0")
    parser.add_argument("--user")
    parser.add_argument("--password", default="")
    parser.add_argument("--basic", action="store_true", help="Basic instead of Digest")
    parser.add_argument("--transport", choices=TRANSPORTS, default="any")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"), help="rtsps instead of rtsp")
    parser.add_argument("--rtp", default="", help="properties of the payloader")
    parser.add_argument("--network", default="", help="properties of netsim")
    parser.add_argument("--tell-sent", action="store_true")
    parser.add_argument("--audio", metavar="/MOUNT")
    parser.add_argument("mounts", nargs="+", metavar="/MOUNT=FILE,CODEC,FPS")
    options = parser.parse_intermixed_args()

    Gst.init(None)
    server = GstRtspServer.RTSPServer.new()
    server.set_address(options.address)
    server.set_service(options.port)
    has_roles = bool(options.user or options.tls)
    if has_roles:
        server.set_auth(authentication(options.user, options.password, options.basic, options.tls))
    factories = {}
    for mount in options.mounts:
        path, clip = mount.split("=", 1)
        factories[path] = Loop(*clip.rsplit(",", 2), options.rtp, options.network, options.tell_sent)
    if options.audio:
        factories[options.audio] = sound()
    for path, factory in factories.items():
        factory.set_protocols(TRANSPORTS[options.transport])
        if options.transport == "multicast":
            pool = GstRtspServer.RTSPAddressPool.new()
            pool.add_range(*GROUP)
            factory.set_address_pool(pool)
        if has_roles:
            allowed = "user, media.factory.access=(boolean)true, media.factory.construct=(boolean)true"
            factory.add_role_from_structure(Gst.Structure.from_string(allowed)[0])
        server.get_mount_points().add_factory(path, factory)
    if not server.attach(None):
        sys.exit(f"rtsp_server.py: cannot listen on port {options.port}")

    loop = GLib.MainLoop()
    GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGTERM, loop.quit)
    # Nothing is ever written to it: it becomes readable when it ends.
    end = GLib.IOCondition.IN | GLib.IOCondition.HUP
    GLib.io_add_watch(sys.stdin.fileno(), GLib.PRIORITY_HIGH, end, lambda *_: loop.quit())
    # Sessions of clients that vanished without a word would pile up.
    GLib.timeout_add_seconds(5, lambda: server.get_session_pool().cleanup() >= 0)
    print("READY", server.get_bound_port(), flush=True)
    loop.run()


if __name__ == "__main__":
    main()
