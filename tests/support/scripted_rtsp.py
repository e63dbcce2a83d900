"""An RTSP server that sends H.264 and H.265 clips packet by packet as a test wants it, over TCP.

Real servers do one thing each: this one sets markers where it is told to, splits and joins NAL units as it is told to,
leaves packets out, and answers requests with whatever a test has for them. What it sends is a real encoder's.
"""

import base64
import contextlib
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Callable, Dict, Iterable, List, Optional, Tuple, Union

CLOCK = 90_000
PAYLOAD_TYPE = 96

#: Types of NAL units. ITU-T H.264, table 7-1, and H.265, table 7-1.
SETS = {"h264": (7, 8), "h265": (32, 33, 34)}
DELIMITER = {"h264": 9, "h265": 35}


def kind_of(nal: bytes, codec: str) -> int:
    return nal[0] & 0x1F if codec == "h264" else nal[0] >> 1 & 0x3F


def is_slice(nal: bytes, codec: str) -> bool:
    return 1 <= kind_of(nal, codec) <= 5 if codec == "h264" else kind_of(nal, codec) < 32


def nal_units(stream: bytes) -> List[bytes]:
    """The NAL units of a byte stream (annex B of both standards)."""
    return [nal.rstrip(b"\0") for nal in re.split(b"\0\0\1", stream)[1:]]


def pictures(stream: bytes, codec: str) -> List[List[bytes]]:
    """The NAL units of each picture; the stream has access unit delimiters, which are left out."""
    found: List[List[bytes]] = []
    for nal in nal_units(stream):
        if kind_of(nal, codec) == DELIMITER[codec]:
            found.append([])
        else:
            found[-1].append(nal)
    return found


@dataclass(frozen=True)
class Packet:
    timestamp: int
    is_marked: bool
    payload: bytes
    #: What is sent in place of the timestamp; it is not what the packet's turn depends on.
    stamp: Optional[int] = None
    #: The synchronization source (SSRC), and the sequence number where it is not the packet's place in the list.
    source: int = 1
    number: Optional[int] = None
    payload_type: int = PAYLOAD_TYPE


@dataclass(frozen=True)
class Report:
    """A sender report: RFC 3550, section 6.4.1."""

    #: What the sender's clock shows, in units of 2^-32 s since the beginning of an era.
    ntp: int
    timestamp: int


@dataclass(frozen=True)
class Way:
    """How NAL units are sent."""

    #: Bytes that a packet holds at most; larger NAL units are sent in pieces. 0: each is sent whole.
    most: int = 1400
    #: Neighbours that fit are put together.
    joins: bool = False
    #: Where markers are set: at the "end" of pictures, "never", or after every "slice".
    markers: str = "end"
    #: Where parameter sets are: in the "band", in the "sdp", or in "both".
    sets: str = "both"


def packetize(picture: List[bytes], codec: str, timestamp: int, way: Way) -> List[Packet]:
    """One picture's packets: RFC 6184 and RFC 7798."""
    if way.sets == "sdp":
        picture = [nal for nal in picture if kind_of(nal, codec) not in SETS[codec]]
    packets: List[Packet] = []
    joined: List[bytes] = []

    def flush() -> None:
        if len(joined) == 1:
            packets.append(Packet(timestamp, False, joined[0]))
        elif joined:
            header = b"\x78" if codec == "h264" else b"\x60\x01"
            packets.append(Packet(timestamp, False, header + b"".join(struct.pack(">H", len(n)) + n for n in joined)))
        joined.clear()

    for nal in picture:
        if way.joins and sum(map(len, joined)) + len(nal) + 2 * len(joined) + 4 < way.most:
            joined.append(nal)
            continue
        flush()
        payloads = [nal] if not way.most or len(nal) <= way.most else pieces(nal, codec, way.most)
        packets += [Packet(timestamp, False, payload) for payload in payloads]
        if way.markers == "slice" and is_slice(nal, codec):
            packets[-1] = replace(packets[-1], is_marked=True)
    flush()
    if way.markers != "never":
        packets[-1] = replace(packets[-1], is_marked=True)
    return packets


def pieces(nal: bytes, codec: str, most: int) -> List[bytes]:
    """A NAL unit in pieces: RFC 6184, section 5.8, and RFC 7798, section 4.4.3."""
    size = 1 if codec == "h264" else 2
    header = bytes([nal[0] & 0xE0 | 28]) if codec == "h264" else bytes([nal[0] & 0x81 | 49 << 1, nal[1]])
    chunks = [nal[at : at + most] for at in range(size, len(nal), most)]
    flags = [(index == 0) << 7 | (index == len(chunks) - 1) << 6 for index in range(len(chunks))]
    return [header + bytes([flag | kind_of(nal, codec)]) + chunk for flag, chunk in zip(flags, chunks)]


def describe(codec: str, sets: Iterable[bytes], mode: int = 1) -> str:
    """A session description with these parameter sets in it."""
    by_kind: Dict[int, List[str]] = {}
    for nal in sets:
        by_kind.setdefault(kind_of(nal, codec), []).append(base64.b64encode(nal).decode())
    lists = [",".join(by_kind[kind]) for kind in SETS[codec] if kind in by_kind]
    if codec == "h264":
        parameters = [f"packetization-mode={mode}"] + ([f"sprop-parameter-sets={','.join(lists)}"] if lists else [])
    else:
        parameters = [f"sprop-{name}={text}" for name, text in zip(("vps", "sps", "pps"), lists)]
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
             f"a=rtpmap:{PAYLOAD_TYPE} {codec.upper()}/{CLOCK}", "a=control:video"]  # fmt: skip
    lines += [f"a=fmtp:{PAYLOAD_TYPE} {';'.join(parameters)}"] if parameters else []
    return "\r\n".join(lines) + "\r\n"


@dataclass
class Mount:
    """What a path leads to."""

    sdp: str
    #: What is sent; None in place of a packet that is lost.
    packets: List[Union[Packet, Report, None]]
    #: Answers in place of the usual ones, by method: a head, and what follows it; None: there is no answer.
    answers: Dict[str, Optional[Tuple[str, bytes]]] = field(default_factory=dict)
    #: Seconds from one picture to the next.
    interval: float = 0.001
    #: Whether the connection is closed after the last packet.
    is_finite: bool = True


def mount(stream: bytes, codec: str, way: Way = Way(), rate: int = 25, is_lost: Callable[[int], bool] = lambda _: False,
          **more: object) -> Mount:  # fmt: skip
    """A clip, sent in some way, without those packets whose number is said to be lost."""
    shown = pictures(stream, codec)
    sets = [] if way.sets == "band" else [nal for nal in shown[0] if kind_of(nal, codec) in SETS[codec]]
    if way.sets != "band":
        later = (nal for picture in shown for nal in picture if kind_of(nal, codec) in SETS[codec])
        sets = list(dict.fromkeys([*sets, *later]))
    step = CLOCK // rate
    sent = [packet for number, picture in enumerate(shown) for packet in packetize(picture, codec, number * step, way)]
    kept: List[Union[Packet, Report, None]] = [None if is_lost(number) else packet for number, packet in enumerate(sent)]
    return Mount(describe(codec, sets, mode=0 if way.most == 0 else 1), kept, **more)  # type: ignore[arg-type]


class ScriptedRtsp:
    """The server. Leaving the ``with`` block ends it. It begins to send once ``go`` is set."""

    def __init__(self, mounts: Dict[str, Mount]) -> None:
        self.mounts = mounts
        self.go = threading.Event()
        #: The first lines of all requests.
        self.requests: List[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._connections: List[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"rtsp://{host}:{self.port}{path}"

    def __enter__(self) -> "ScriptedRtsp":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.go.set()
        for connection in [self._listener, *self._connections]:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._connections.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as reader:
            while True:
                lines = []
                while True:
                    line = reader.readline()
                    if not line:
                        return
                    if not line.strip():
                        break
                    lines.append(line.decode(errors="replace").strip())
                if lines:
                    self.requests.append(lines[0])
                    self._answer(connection, lines)

    def _answer(self, connection: socket.socket, lines: List[str]) -> None:
        method, url, _ = lines[0].split(" ", 2)
        sequence = next(line for line in lines if line.lower().startswith("cseq:"))
        path = "/" + url.split("//", 1)[-1].partition("/")[2]
        path = path.partition("?")[0].removesuffix("/video").rstrip("/") or "/"
        found = self.mounts.get(path)
        head, body = "RTSP/1.0 404 Not Found", b""
        if found is not None:
            answer = found.answers.get(method, self._usual_answer(method, url, lines, found))
            if answer is None:
                return
            head, body = answer
        connection.sendall(f"{head}\r\n{sequence}\r\n\r\n".encode() + body)
        if found is not None and method == "PLAY" and " 200 " in head:
            self._send(connection, found)
        elif method == "TEARDOWN":
            connection.shutdown(socket.SHUT_RDWR)

    def _usual_answer(self, method: str, url: str, lines: List[str], found: Mount) -> Tuple[str, bytes]:
        ok = "RTSP/1.0 200 OK"
        if method == "OPTIONS":
            return f"{ok}\r\nPublic: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN", b""
        if method == "DESCRIBE":
            body = found.sdp.encode()
            return f"{ok}\r\nContent-Type: application/sdp\r\nContent-Base: {url}/\r\nContent-Length: {len(body)}", body
        if method == "SETUP":
            asked = next(line for line in lines if line.lower().startswith("transport:"))
            if "TCP" not in asked:
                return "RTSP/1.0 461 Unsupported Transport", b""
            return f"{ok}\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1", b""
        return f"{ok}\r\nSession: 1", b""

    def _send(self, connection: socket.socket, found: Mount) -> None:
        self.go.wait()
        last = None
        reports = 0
        for index, packet in enumerate(found.packets):
            if packet is None:
                continue
            if isinstance(packet, Report):
                reports += 1
                report = struct.pack(">BBHIQIII", 0x80, 200, 6, 1, packet.ntp, packet.timestamp, 0, 0)
                connection.sendall(struct.pack(">cBH", b"$", 1, len(report)) + report)
                continue
            number = index - reports
            if packet.timestamp != last:
                # Not in one piece with what came before: that would be the past for whoever just starts.
                time.sleep(0.02 if last is None else found.interval)
                last = packet.timestamp
            mark = 0x80 if packet.is_marked else 0
            stamp = (packet.timestamp if packet.stamp is None else packet.stamp) & 0xFFFFFFFF
            sequence = (number if packet.number is None else packet.number) & 0xFFFF
            header = struct.pack(">BBHII", 0x80, mark | packet.payload_type, sequence, stamp, packet.source)
            connection.sendall(struct.pack(">cBH", b"$", 0, 12 + len(packet.payload)) + header + packet.payload)
        if found.is_finite:
            connection.shutdown(socket.SHUT_RDWR)
