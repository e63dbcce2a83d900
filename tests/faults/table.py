"""The matrix: what goes wrong (rows), over which protocol (columns), and what the user must see.

A cell is a scenario, or a dash with the reason in a word or two. Cells that are quick take seconds.
"""

from dataclasses import dataclass
from typing import Callable, Dict, List, Union

import scenarios as s
from scenarios import see

PROTOCOLS = ["rtsp-tcp", "rtsp-udp", "rtsps", "rtmp", "http", "hls", "srt", "udp", "file"]

RTSP = ["rtsp-tcp", "rtsp-udp", "rtsps"]
PLAIN_RTSP = ["rtsp-tcp", "rtsp-udp"]
WEB = ["http", "hls"]
TCP = [*RTSP, "rtmp", *WEB]
#: TCP carries the pictures too.
TCP_MEDIA = ["rtsp-tcp", "rtsps", "rtmp", *WEB]
SENDERS = ["srt", "udp"]
LIVE = [*TCP, *SENDERS]


@dataclass(frozen=True)
class Cell:
    """One fault over one protocol."""

    name: str
    run: Callable
    is_quick: bool


@dataclass(frozen=True)
class Row:
    fault: str
    columns: Dict[str, Union[Cell, str]]


def given(protocols, run, quick=()):
    """The same scenario over some protocols; ``quick``: those where it takes seconds, or True."""
    return {name: (run, quick is True or name in quick) for name in protocols}


def dash(reason, *protocols):
    return {name: reason for name in protocols}


def row(fault, *parts):
    columns = {}
    for part in parts:
        for protocol, content in part.items():
            is_cell = isinstance(content, tuple)
            columns[protocol] = Cell(f"{fault}/{protocol}", *content) if is_cell else content
    missing = set(PROTOCOLS) - set(columns)
    assert not missing, f"the row {fault!r} says nothing of {missing}"
    return Row(fault, columns)


NO_CONNECTION = dash("connectionless", "udp")
NO_NETWORK = dash("local", "file")

# ---- What the user must see ----

CONNECT_TIMEOUT = see("TIMEOUT", phases=("CONNECT",), retryable=True)
SETUP_TIMEOUT = see("TIMEOUT", phases=("CONNECT", "SETUP", "PROBE"), retryable=True)
REFUSED = see("REFUSED", phases=("CONNECT",), retryable=True)
NO_SENSE = see("BAD_DATA", "TIMEOUT", "SERVER_GONE", "IO", retryable=True)
UNAUTHORIZED = see("UNAUTHORIZED", phases=("AUTH",), retryable=True)
NOT_FOUND = see("NOT_FOUND", retryable=True)
STALLED = see("STALLED", phases=("READ",), retryable=True)
GONE = see("SERVER_GONE", phases=("READ",), retryable=True)
# HLS goes on from one connection to the next; which one it was that failed decides.
SILENT_OR_GONE = see("STALLED", "SERVER_GONE", phases=("READ",), retryable=True)
NO_VIDEO = see("NO_VIDEO", phases=("PROBE",))
UNREADABLE = see("BAD_DATA", "NO_VIDEO", "IO")

# A playlist is asked for, then segments, which come in steps of a second.
HLS_LIMIT = 4.0
# Silence counts in segments, and three of them of 6 s are assumed; what was fetched before is shown meanwhile.
HLS_NOTICE = 18.0 + 4.0
# A call whose first packet was lost is repeated by the kernel after a second.
CALL_LIMIT = 3.0
# The sender takes one client, and needs 5 s to see that the one before has gone.
SRT_LIMIT = 7.0

ROWS: List[Row] = [
    # ---- Connecting ----
    row("refused",
        given(TCP, s.connecting(s.nobody, REFUSED), quick=TCP),
        given(["srt"], s.connecting(s.nobody, see("REFUSED", "TIMEOUT", retryable=True)), quick=True),
        NO_CONNECTION, NO_NETWORK),
    row("refused 1000 times",
        given(["rtsp-tcp", "http"], s.repeatedly_refused, quick=["rtsp-tcp"]),
        dash("alike", "rtsp-udp", "rtsps", "rtmp", "hls"), dash("slow", "srt"), NO_CONNECTION, NO_NETWORK),
    row("call swallowed",
        given(TCP, s.connecting(s.swallow_calls, CONNECT_TIMEOUT), quick=["rtsp-tcp", "rtmp", "http"]),
        dash("no TCP", "srt"), NO_CONNECTION, NO_NETWORK),
    row("mute",
        given(TCP, s.connecting(s.proxy("mute"), SETUP_TIMEOUT), quick=TCP),
        given(["srt"], s.connecting(s.mute_datagrams, SETUP_TIMEOUT), quick=True),
        given(["udp"], s.connecting(s.nobody, SETUP_TIMEOUT), quick=True), NO_NETWORK),
    row("half open",
        given(TCP, s.connecting(s.proxy("halfopen"), SETUP_TIMEOUT), quick=["rtsp-tcp", "http"]),
        dash("as mute", "srt"), NO_CONNECTION, NO_NETWORK),
    row("garbage for ever",
        given(TCP, s.connecting(s.proxy("garbage"), NO_SENSE), quick=TCP),
        given(["srt"], s.connecting(s.answer_with_garbage, NO_SENSE)),
        given(["udp"], s.connecting(s.send_garbage, NO_SENSE), quick=True), NO_NETWORK),
    *(row(f"stall after {reply}",
        given(PLAIN_RTSP, s.connecting(s.proxied("stallreply", number), SETUP_TIMEOUT), quick=["rtsp-tcp"]),
        dash("encrypted", "rtsps"), dash("no RTSP", "rtmp", *WEB, *SENDERS, "file"))
      for number, reply in enumerate(["nothing", "OPTIONS", "DESCRIBE", "SETUP"])),
    row("stall after PLAY",
        given(["rtsp-tcp"], s.stalling_at_start(s.proxied("stallreply", 4)), quick=True),
        given(["rtsp-udp"], s.stalling_at_start(s.udp_blocked), quick=True),
        given(["rtsps"], s.stalling_at_start(s.proxied("stallbytes", 5000))),
        given(WEB, s.connecting(s.proxied("stallreply", 0), SETUP_TIMEOUT), quick=["http"]),
        dash("no RTSP", "rtmp", *SENDERS, "file")),
    row("unauthorised",
        given(RTSP, s.connecting(s.serving("--user", "bob", "--password", "p@ss/w:rd"), UNAUTHORIZED),
              quick=["rtsp-tcp"]),
        given(WEB, s.connecting(s.serving("--status", "401"), UNAUTHORIZED, healed_limit=HLS_LIMIT), quick=["http"]),
        given(["rtmp"], s.connecting(s.serving(rule="deny play all;"),
                                     see("UNAUTHORIZED", "SERVER_GONE", "IO", "TIMEOUT", retryable=True))),
        given(["srt"], s.connecting(s.serving("&passphrase=0123456789abc&pbkeylen=16"),
                                    see("UNAUTHORIZED", "REFUSED", "SERVER_GONE", "IO", "TIMEOUT"),
                                    query="?passphrase=0123456789xyz&pbkeylen=16", heals=False)),
        dash("no login", "udp", "file")),
    row("unknown path",
        given(RTSP, s.connecting(s.other_mount, NOT_FOUND), quick=["rtsp-tcp"]),
        given(WEB, s.connecting(s.serving("--status", "404"), NOT_FOUND, healed_limit=HLS_LIMIT),
              quick=["http", "hls"]),
        given(["rtmp"], s.connecting(s.unpublished, see("TIMEOUT", "NOT_FOUND", retryable=True)), quick=True),
        given(["file"], s.opening(lambda lab: "/nowhere/at/all.mp4", see("NOT_FOUND", retryable=False)), quick=True),
        dash("no paths", *SENDERS)),
    row("server unavailable",
        given(WEB, s.connecting(s.serving("--status", "503"), see("SERVER_GONE", retryable=True),
                                healed_limit=HLS_LIMIT), quick=["http"]),
        dash("no 503", *RTSP, "rtmp", *SENDERS, "file")),
    row("dead name server",
        given([*TCP, "srt"], s.dead_names, quick=["rtsp-tcp"]),
        dash("own address", "udp"), NO_NETWORK),
    # ---- Losing ----
    row("frozen",
        given([*RTSP, "rtmp", "http", *SENDERS], s.losing(s.Frozen, STALLED),
              quick=["rtsp-tcp", "rtsp-udp", "rtmp", "http", *SENDERS]),
        given(["hls"], s.losing(s.Frozen, SILENT_OR_GONE, notice=HLS_NOTICE, healed_limit=HLS_LIMIT)), NO_NETWORK),
    row("packets dropped",
        given([*RTSP, "rtmp", "http", "udp"], s.losing(s.Unplugged, STALLED, healed_limit=CALL_LIMIT),
              quick=["rtsp-tcp", "rtsp-udp"]),
        given(["srt"], s.losing(s.Unplugged, STALLED, healed_limit=SRT_LIMIT)),
        given(["hls"], s.losing(s.Unplugged, SILENT_OR_GONE, notice=HLS_NOTICE, healed_limit=HLS_LIMIT)), NO_NETWORK),
    row("killed and restarted",
        given([*RTSP, "rtmp", "http"], s.losing(s.Killed, GONE, notice=0),
              quick=["rtsp-tcp", "rtsp-udp", "rtmp", "http"]),
        given(SENDERS, s.losing(s.Killed, STALLED), quick=True),
        given(["hls"], s.losing(s.Killed, SILENT_OR_GONE, healed_limit=HLS_LIMIT)), NO_NETWORK),
    *(row(name.upper(),
        given(["rtsp-tcp", "rtsps", "rtmp", "http"],
              s.flowing(s.proxied(name, 100_000), seconds=6, generations=True, expected=GONE), quick=quick),
        given(["hls"], s.flowing(s.proxied(name, 50_000), seconds=8, gap=8)),
        dash("as killed", "rtsp-udp"), dash("no TCP", *SENDERS), NO_NETWORK)
      for name, quick in (("fin", ["rtsp-tcp", "rtmp", "http"]), ("rst", ["rtsp-tcp"]))),
    # ---- Flowing ----
    row("slow",
        given(["rtsp-tcp", "rtsps", "rtmp"],
              s.flowing(s.proxied("slow", 40_000), seconds=8, at_least=10, gap=4, asked=10, stall_timeout=5000)),
        given(WEB, s.flowing(s.proxied("slow", 60_000), at_least=10, gap=4, asked=10, stall_timeout=5000),
              quick=["http"]),
        given(["rtsp-udp"], s.flowing(s.proxied("slow", 2_000), at_least=50, lost=0, asked=10)),
        dash("no TCP", *SENDERS), NO_NETWORK),
    row("single bytes",
        given(["rtsp-tcp", "rtsp-udp", "rtsps", "rtmp", "http"], s.flowing(s.proxied("chop", 1), at_least=50, lost=0),
              quick=["rtsp-tcp", "http"]),
        given(["hls"], s.flowing(s.proxied("chop", 1), at_least=40, lost=0, asked=10)),
        dash("no TCP", *SENDERS), NO_NETWORK),
    row("corrupted framing",
        given(TCP_MEDIA, s.corrupted_framing, quick=["rtsp-tcp"]),
        dash("checksummed", "rtsp-udp", *SENDERS), NO_NETWORK),
    row("UDP loss 5 %",
        given(["rtsp-udp"], s.flowing(s.serving("--network", "drop-probability=0.05"), seconds=6, at_least=80),
              quick=True),
        given(["srt"], s.flowing(s.udp_fault("loss", 5), seconds=6, at_least=100), quick=True),
        given(["udp"], s.flowing(s.udp_fault("loss", 5), seconds=6, at_least=80), quick=True),
        dash("TCP", *TCP_MEDIA), NO_NETWORK),
    row("UDP loss, compared",
        given(["rtsp-udp"], s.comparing_pictures, quick=True), dash("TCP", *TCP_MEDIA), dash("no RTP", *SENDERS),
        NO_NETWORK),
    row("UDP duplication",
        given(["rtsp-udp"], s.flowing(s.serving("--network", "duplicate-probability=0.1"), at_least=60, lost=0),
              quick=True),
        given(["srt"], s.flowing(s.udp_fault("duplicate", 10), at_least=60, lost=0)),
        given(["udp"], s.flowing(s.udp_fault("duplicate", 10), at_least=60)),
        dash("TCP", *TCP_MEDIA), NO_NETWORK),
    row("UDP reorder",
        given(["rtsp-udp"], s.flowing(s.serving("--network",
              "delay-probability=0.1 min-delay=20 max-delay=60 allow-reordering=true"), at_least=60), quick=True),
        given(["srt"], s.flowing(s.udp_fault("reorder", 10), at_least=60, lost=0)),
        given(["udp"], s.flowing(s.udp_fault("reorder", 10), at_least=40)),
        dash("TCP", *TCP_MEDIA), NO_NETWORK),
    row("UDP 1-3 ms late, compared",
        given(["rtsp-udp"], s.slightly_late, quick=True), dash("TCP", *TCP_MEDIA), dash("no RTP", *SENDERS),
        NO_NETWORK),
    row("multicast",
        given(["rtsp-udp"], s.multicast, quick=True), dash("TCP", *TCP_MEDIA), dash("no RTP", *SENDERS), NO_NETWORK),
    row("UDP jitter",
        given(["rtsp-udp"], s.flowing(s.serving("--network",
              "delay-probability=1 min-delay=0 max-delay=50 allow-reordering=false"), at_least=60, lost=0)),
        given(SENDERS, s.flowing(s.udp_fault("jitter", 50), at_least=60, lost=0)),
        dash("TCP", *TCP_MEDIA), NO_NETWORK),
    row("UDP blocked",
        given(["rtsp-tcp"], s.flowing(s.udp_blocked, at_least=60, lost=0, transport="auto"), quick=True),
        dash("see stall", "rtsp-udp"), dash("TCP", "rtsps", "rtmp", *WEB), dash("as mute", *SENDERS), NO_NETWORK),
    row("TCP refused by server",
        given(["rtsp-udp"], s.flowing(s.serving("--transport", "udp"), at_least=60, lost=0, transport="auto"),
              quick=True),
        dash("see UDP", "rtsp-tcp", "rtsps"), dash("no choice", "rtmp", *WEB, *SENDERS, "file")),
    # ---- What is in the stream ----
    row("resolution flip",
        given([*LIVE, "file"], s.resizing, quick=["rtsp-tcp", "udp", "file"])),
    row("codec flip",
        given(RTSP, s.losing(s.OtherCodec, GONE, notice=0), quick=["rtsp-tcp"]),
        given([*WEB, *SENDERS, "file"], s.changing_codec), dash("no HEVC", "rtmp")),
    row("keys 20 s apart",
        given(RTSP, s.joining_late), dash("server waits", "rtmp"), dash("from start", *WEB, "srt", "file"),
        given(["udp"], s.joining_late)),
    row("never a key frame",
        given([*RTSP, "http", *SENDERS, "file"], s.without_keys), dash("never sent", "rtmp", "hls")),
    row("truncated file",
        given(["file"], s.opening(lambda lab: lab.protocol.url(0, "truncated.mp4"), UNREADABLE), quick=True),
        given(["http"], s.files_over_http("truncated.mp4", UNREADABLE), quick=True),
        dash("no files", *RTSP, "rtmp", "hls", *SENDERS)),
    row("truncated stream",
        given(["file"], s.playing("truncated.ts", (15, 30), 4.0), quick=True),
        given(["http"], s.playing("truncated.ts", (15, 30), 4.0)),
        dash("no files", *RTSP, "rtmp", "hls", *SENDERS)),
    row("empty file",
        given(["file"], s.opening(lambda lab: lab.protocol.url(0, "empty.mp4"), UNREADABLE), quick=True),
        given(["http"], s.files_over_http("empty.mp4", UNREADABLE), quick=True),
        dash("no files", *RTSP, "rtmp", "hls", *SENDERS)),
    row("garbage file",
        given(["file"], s.opening(lambda lab: lab.protocol.url(0, "garbage.mp4"), UNREADABLE), quick=True),
        given(["http"], s.files_over_http("garbage.mp4", UNREADABLE), quick=True),
        dash("no files", *RTSP, "rtmp", "hls", *SENDERS)),
    row("audio only",
        given(PLAIN_RTSP, s.only_sound, quick=["rtsp-tcp"]), given(["rtsps"], s.only_sound),
        given(["rtmp", "http", "hls", *SENDERS], s.serving_clip("audio", NO_VIDEO, asked=13.0)),
        given(["file"], s.opening(lambda lab: lab.protocol.url(0, "audio.m4a"), NO_VIDEO), quick=True)),
    row("time jumps",
        given(["file"], s.playing("jump.ts", (48, 50), 5.0), quick=True),
        given(["udp"], s.clock_of_sender(0, 900)), dash("server paces", *RTSP),
        dash("as restart", "rtmp", *WEB, "srt")),
    row("time goes back",
        given(["file"], s.playing("back.ts", (96, 100), 7.0), quick=True),
        given(["udp"], s.clock_of_sender(900, 0), quick=True), dash("server paces", *RTSP),
        dash("as restart", "rtmp", *WEB, "srt")),
    row("time wraps",
        given(["file"], s.playing("wrap.ts", (48, 50), 5.0), quick=True),
        given(RTSP, s.flowing(s.serving("--rtp", "timestamp-offset=4294780000"), at_least=60, lost=0),
              quick=["rtsp-udp"]),
        given(["udp"], s.wrapping(95439.5), quick=True), dash("as file", "rtmp", *WEB, "srt")),
    row("time absent",
        given(["file"], s.playing("absent.h264", (48, 50), 5.0), quick=True),
        dash("always there", *LIVE)),
]  # fmt: skip


def cells():
    """Every cell, by name."""
    return {cell.name: cell for line in ROWS for cell in line.columns.values() if isinstance(cell, Cell)}
