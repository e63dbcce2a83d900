"""What the streams come from: four real servers, and the script of what is done to them, over and over."""

import contextlib
import time
from dataclasses import dataclass

import network
import scenarios
import servers
from programs import free_port

#: Seconds after its start that the 32 bits of a server's RTP timestamps wrap (RFC 3550, section 5.1).
WRAP_S = 20
RTP_CLOCK = 90_000
WRAPS = ["--rtp", f"timestamp-offset={2**32 - WRAP_S * RTP_CLOCK}"]

#: Short times, so that the script goes on quickly.
TIMES = "stall_timeout=1000 reconnect_delay_min=100 reconnect_delay_max=500 cache_size=16"

#: Seconds that a stream has to come back before the next thing is done to it.
HEALING_S = 2


@dataclass
class Site:
    """A server that can be spoilt, and how a client reads it."""

    protocol: servers.Protocol
    clip: str
    options: list
    parameters: list
    #: Where the server listens, and where clients call: not the same where a proxy lies between.
    port: int
    door: int
    server: servers.Server | None = None
    proxy: servers.Program | None = None

    @property
    def stream(self):
        """The stream as a reader is told of it."""
        return " ".join([self.protocol.url(self.door), *self.parameters, TIMES])

    @property
    def wraps(self):
        return bool(self.options)

    def open(self):
        self.server = self.protocol.serve(self.port, self.clip, *self.options)

    def set_proxy(self, fault, number=0):
        if self.proxy is not None:
            self.proxy.kill()
        self.proxy = scenarios.start_proxy(self.door, self.port, fault, number)


class World:
    """The sites by name, and what can be done to each."""

    def __init__(self, clips):
        protocols = servers.protocols(clips)
        self.sites = {
            "tcp": self._site(protocols["rtsp-tcp"], "video", WRAPS, ["transport=tcp"]),
            "udp": self._site(protocols["rtsp-udp"], "video", WRAPS, ["transport=udp"]),
            "libav": self._site(protocols["rtsp-tcp"], "video.h265", WRAPS, ["transport=tcp", "rtsp_engine=libav"]),
            "http": self._site(protocols["http"], "video", [], [], has_proxy=True),
        }
        self._rules = network.PacketRules()
        self._lossy = network.LossyNetwork()

    @staticmethod
    def _site(protocol, clip, options, parameters, has_proxy=False):
        port = free_port()
        return Site(protocol, clip, options, parameters, port, free_port() if has_proxy else port)

    @contextlib.contextmanager
    def opened(self):
        """All servers run meanwhile."""
        try:
            for site in self.sites.values():
                site.open()
            self.sites["http"].set_proxy("pass")
            yield self
        finally:
            for site in self.sites.values():
                for program in filter(None, (site.server, site.proxy)):
                    program.kill()

    # ---- What is done ----

    def freeze(self, name, seconds):
        """Nothing comes any more, and the connections stay open."""
        self.sites[name].server.freeze()
        time.sleep(seconds)
        self.sites[name].server.thaw()

    def restart(self, name, seconds):
        """The server dies and comes back."""
        self.sites[name].server.kill()
        time.sleep(seconds)
        self.sites[name].open()

    def unplug(self, name, seconds):
        """No packet passes."""
        self._rules.drop_port(self.sites[name].port, "tcp")
        time.sleep(seconds)
        self._rules.clear()

    def lose(self, _name, seconds):
        """One datagram in fifty is lost."""
        self._lossy.lose(20)
        time.sleep(seconds)
        self._lossy.lose(0)

    def reset(self, name, seconds):
        """Each connection is reset after some pictures."""
        self.sites[name].set_proxy("rst", 50_000)
        time.sleep(seconds)
        self.sites[name].set_proxy("pass")

    def mute(self, name, seconds):
        """Calls are taken and never answered."""
        self.sites[name].set_proxy("mute")
        time.sleep(seconds)
        self.sites[name].set_proxy("pass")


#: What is done, to which site, for how many seconds. Every site loses its clients at least twice.
SCRIPT = [
    (World.freeze, "tcp", 2),
    (World.restart, "libav", 1),
    (World.lose, "udp", 4),
    (World.reset, "http", 3),
    (World.freeze, "udp", 2),
    (World.unplug, "tcp", 2),
    (World.mute, "http", 2),
    (World.freeze, "libav", 2),
    (World.restart, "udp", 1),
    (World.restart, "tcp", 1),
]
