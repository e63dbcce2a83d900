"""What to say to a person when a stream cannot be had: what failed, in which step, and what to try."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Dict, Optional

from ..constants import Phase, State, Status
from ..errors import Error
from ..records import Failure

_SERVER = "Is the server up, and are host, port and firewall right?"

#: What to try, for each status that a stream can fail with.
ADVICE: Dict[Status, str] = {
    Status.TIMEOUT: f"{_SERVER} It answered nothing in time. A slow one may need a longer setup_timeout.",
    Status.RESOLVE_FAILED: "Is the host name spelt right? Try its IP address, or check this machine's DNS.",
    Status.REFUSED: "The host is there, but nothing listens at this port. Is the server running, and is the port right?",
    Status.UNREACHABLE: "Is this machine in the right network? Try to ping the host; check VPN, route and firewall.",
    Status.UNAUTHORIZED: "Check user name and password: rtsp://USER:PASSWORD@host/path, with @ : / in them as %40 %3A %2F.",
    Status.NOT_FOUND: "The server is there but has no such stream. Check the path; cameras tell theirs in their manual.",
    Status.SERVER_GONE: "The server hung up. Does it limit the number of clients? Try --transport tcp, or look at its log.",
    Status.STALLED: "The server connects but sends no video. Is its camera on? Behind a firewall try --transport tcp.",
    Status.NO_VIDEO: "The source has no video. Is it the right one?",
    Status.UNSUPPORTED: "FFmpeg here lacks the protocol, format or decoder. Compare with: ffprobe URL",
    Status.BAD_DATA: "What came is not a stream that FFmpeg understands. Is the address the stream's, not a web page's?",
    Status.IO: f"{_SERVER} Does another player show it, such as: ffplay URL",
    Status.UNTRUSTED: "The server's certificate is not signed by anyone known here, or is for another host name.",
    Status.FAILED: "The stream failed for good; the line above tells why.",
    Status.OUT_OF_MEMORY: "Ask for less: a smaller --width, --height or --cache-size.",
    Status.SYSTEM: "The operating system refused a thread, a file or memory. Check the limits of this user (ulimit -a).",
    Status.INTERNAL: "That is a defect in mpegclient. Please report it with the lines above.",
}

#: What to say when a stream lives but gives no frames, for each state in which that is so.
TROUBLE: Dict[State, str] = {
    State.CONNECTING: "No connection was made in this time; it is still being tried.",
    State.WAITING_KEYFRAME: "Video comes, but no key frame to begin with has come yet. Watch longer (--seconds), "
    "or have the camera send key frames more often.",
    State.STALLED: "The connection stands, but nothing comes over it.",
    State.RECONNECTING: "The stream was lost; it is being connected again by itself for as long as the client lives.",
}

_PHASES: Dict[Phase, str] = {
    Phase.RESOLVE: "looking up the host name",
    Phase.CONNECT: "connecting",
    Phase.AUTH: "authenticating",
    Phase.SETUP: "setting up the session",
    Phase.PROBE: "finding out what the stream holds",
    Phase.READ: "reading packets",
    Phase.DECODE: "decoding",
    Phase.CONVERT: "scaling and converting colours",
}


@dataclass(frozen=True)
class Explanation:
    """What a person needs to know about a stream that cannot be had. As a text it is one line for each thing known."""

    #: What failed, in the library's words, which hold no credentials.
    what: str
    status: Optional[Status] = None
    #: The step in which it failed.
    phase: Optional[str] = None
    #: RTSP or HTTP status that the server answered.
    answer: Optional[int] = None
    advice: Optional[str] = None
    #: How the stream stands, where it still lives.
    standing: Optional[str] = None

    def __str__(self) -> str:
        lines = {"what failed: ": self.what, "in phase:    ": self.phase, "answer:      ": self.answer,
                 "what to try: ": self.advice}  # fmt: skip
        told = [self.standing] if self.standing else []
        return "\n".join(told + [f"{label}{value}" for label, value in lines.items() if value is not None])


def explain(error: Error, failure: Optional[Failure]) -> Explanation:
    """What to say about a call that failed; ``failure`` is the last one of the client's stream."""
    status = Status(error.status)
    if failure is not None and status in (failure.status, Status.FAILED):
        return _explanation(str(error), failure.status, failure)
    # The stream's last failure is another story.
    return _explanation(str(error), status, None)


def explain_trouble(state: State, failure: Optional[Failure]) -> Explanation:
    """What to say about a stream that lives but gives no frames."""
    if failure is None or state is State.WAITING_KEYFRAME:
        return Explanation(f"no frames come, the state is {state.name}", advice=TROUBLE[state])
    return replace(_explanation(failure.message, failure.status, failure), standing=TROUBLE[state])


def _explanation(what: str, status: Status, failure: Optional[Failure]) -> Explanation:
    return Explanation(
        what,
        status,
        phase=_PHASES.get(failure.phase) if failure else None,
        answer=failure.protocol_status if failure else None,
        advice=ADVICE.get(status),
    )
