"""Real servers, one kind for each protocol, that can be frozen, killed and started anew at the same port.

Every server sends a clip, and is usable when its constructor returns.
"""

import os
import tempfile
import time
from pathlib import Path

from clips import RATE
from programs import SYSTEM_PYTHON, Program, is_bound, wait_until

HERE = Path(__file__).resolve().parent
SUPPORT = HERE.parent / "support"

#: Names the engine that is to read rtsp://, by the words of the parameter rtsp_engine.
ENGINE = "MPEGCLIENT_RTSP_ENGINE"

#: The ffmpeg program as a sender at the clip's own pace; it tells on standard output how far it is.
SENDER = ["ffmpeg", "-loglevel", "quiet", "-nostdin", "-re", "-stats_period", "0.1", "-progress", "pipe:1"]
LOOP = ["-stream_loop", "-1"]
HAS_SENT = "out_time_us=[1-9]"

#: Pictures before the first key frame are sent too.
COPY = ["-c", "copy", "-copyinkf"]


class Server:
    """Programs that together serve a stream."""

    def __init__(self, *programs):
        self._programs = programs
        self.usable_since = time.monotonic()

    def freeze(self):
        for program in self._programs:
            program.freeze()

    def thaw(self):
        for program in self._programs:
            program.thaw()

    def kill(self):
        for program in self._programs:
            program.kill()

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.kill()


class Protocol:
    """How a protocol's server is started, and what a client is told."""

    #: The protocol beneath that its server listens at: "tcp", "udp", or None.
    carrier = "tcp"
    suffix = ".ts"
    #: Seconds of silence after which the library counts it as lost, at a stall_timeout of 1 s.
    patience = 1.0
    parameters: dict = {}

    def __init__(self, name, clips):
        self.name, self.clips = name, clips

    def clip(self, name):
        return self.clips / f"{name}{self.suffix}"


class Rtsp(Protocol):
    suffix = ".h264"
    scheme = "rtsp"
    server_options: list = []

    def __init__(self, name, clips, transport="tcp"):
        super().__init__(name, clips)
        self.parameters = {"transport": transport, "rtsp_engine": os.environ.get(ENGINE, "auto")}

    def url(self, port, path="/video"):
        return f"{self.scheme}://127.0.0.1:{port}{path}"

    def serve(self, port, clip="video", *options, mount="/video"):
        path = self.clip(clip) if "." not in clip else self.clips / clip
        command = [SYSTEM_PYTHON, SUPPORT / "rtsp_server.py", "--port", port, *self.server_options, *options]
        command.append(f"{mount}={path},{path.suffix[1:]},{RATE}")
        return Server(Program(*command).wait_for("READY"))


class Rtsps(Rtsp):
    scheme = "rtsps"

    def __init__(self, name, clips):
        super().__init__(name, clips)
        self.server_options = ["--tls", clips / "cert.pem", clips / "key.pem"]
        # FFmpeg 5.1 cannot verify the certificate of an rtsps server; whoever wants it has to say so.
        self.parameters = {"transport": "tcp", "tls_verify": "off"}


NGINX = """
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
daemon off;
master_process off;
pid nginx.pid;
events {{ worker_connections 64; }}
rtmp {{ server {{ listen 127.0.0.1:{port}; application live {{ live on; {rule} }} }} }}
"""


def start_nginx(port, rule=""):
    """nginx with one application, live, that publishers and players call."""
    folder = Path(tempfile.mkdtemp())
    (folder / "nginx.conf").write_text(NGINX.format(port=port, rule=rule))
    nginx = Program("/usr/sbin/nginx", "-p", folder, "-e", folder / "error.log", "-c", folder / "nginx.conf")
    wait_until(lambda: is_bound(port), "nginx listens")
    return nginx


class Rtmp(Protocol):
    def url(self, port, path="/live/video"):
        return f"rtmp://127.0.0.1:{port}{path}"

    def serve(self, port, clip="video", rule=""):
        nginx = start_nginx(port, rule)
        output = [*COPY, "-f", "flv", self.url(port)]
        sender = Program(*SENDER, *LOOP, "-i", self.clip(clip), *output).wait_for(HAS_SENT)
        return Server(nginx, sender)


class Http(Protocol):
    path = "/live.ts"

    def url(self, port, path=None):
        return f"http://127.0.0.1:{port}{path or self.path}"

    def serve(self, port, clip="video", *options, folder=None):
        command = [SYSTEM_PYTHON, HERE / "web_server.py", "--port", port, *options]
        return Server(Program(*command, folder or self.clips, self.clip(clip)).wait_for("READY"))


class Hls(Http):
    path = "/live.m3u8"
    #: It counts the silence in segments, and assumes three of 6 s until it knows better.
    patience = 18.0

    def serve(self, port, clip="video", *options):
        folder = Path(tempfile.mkdtemp())
        playlist = folder / "live.m3u8"
        segments = ["-f", "hls", "-hls_time", 1, "-hls_list_size", 4, "-hls_flags", "delete_segments"]
        sender = Program(*SENDER, *LOOP, "-i", self.clip(clip), *COPY, *segments, playlist)
        web = super().serve(port, clip, *options, folder=folder)
        wait_until(lambda: playlist.exists() and "#EXTINF" in playlist.read_text(), "the first segment is there")
        return Server(sender, *web._programs)


class Srt(Protocol):
    carrier = "udp"

    def url(self, port, options=""):
        return f"srt://127.0.0.1:{port}{options}"

    def serve(self, port, clip="video", options=""):
        # ffmpeg takes one client and ends with it: the next one begins anew.
        command = [*SENDER, *LOOP, "-i", self.clip(clip), *COPY, "-f", "mpegts"]
        words = [*map(str, command), f"srt://127.0.0.1:{port}?mode=listener{options}"]
        again = Program("sh", "-c", 'while :; do "$@"; done', "sh", *words)
        wait_until(lambda: is_bound(port, "udp"), "the SRT sender listens")
        return Server(again)


class Udp(Protocol):
    carrier = "udp"

    def url(self, port):
        return f"udp://127.0.0.1:{port}"

    def serve(self, port, clip="video", *options):
        output = [*COPY, *options, "-f", "mpegts", f"udp://127.0.0.1:{port}?pkt_size=1316"]
        return Server(Program(*SENDER, *LOOP, "-i", self.clip(clip), *output).wait_for(HAS_SENT))


class File(Protocol):
    carrier = None

    def url(self, _port, name="video.mp4"):
        return str(self.clips / name)

    def serve(self, _port, *_options):
        return Server()


def protocols(clips):
    """One of each, by name, in the order of the table's columns."""
    kinds = [
        Rtsp("rtsp-tcp", clips),
        Rtsp("rtsp-udp", clips, "udp"),
        Rtsps("rtsps", clips),
        Rtmp("rtmp", clips),
        Http("http", clips),
        Hls("hls", clips),
        Srt("srt", clips),
        Udp("udp", clips),
        File("file", clips),
    ]
    return {kind.name: kind for kind in kinds}
