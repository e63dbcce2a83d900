"""How a fault is made, what is done to the client meanwhile, and what must be seen.

Three shapes cover nearly all: a server that cannot be connected to (connecting), a stream that is lost (losing), and a
stream that goes on although something is wrong with it (flowing). Each makes a function of a Lab.
"""

import contextlib
import random
import socket
import threading
import time
import zlib
from dataclasses import dataclass
from typing import Optional, Tuple

import clips
import network
from lab import HEALED_LIMIT, SLACK
from mpegclient import Client, Order, State, Status, errors
from programs import SYSTEM_PYTHON, Program, free_port
from servers import HERE, SUPPORT, Server, start_nginx


@dataclass(frozen=True)
class Expected:
    """What the user must see: one of the statuses, one of the phases (none: any), and whether retrying helps."""

    statuses: Tuple[str, ...]
    phases: Tuple[str, ...] = ()
    retryable: Optional[bool] = None


def see(*statuses, phases=(), retryable=None):
    return Expected(statuses, phases, retryable)


# ---- Servers that cannot be connected to: each occupies a port until its stack is closed. ----


def nobody(_lab, _port, _stack):
    """Nothing listens."""


def swallow_calls(_lab, port, stack):
    """A listener whose queue is full: the system answers no more calls."""
    listener = stack.enter_context(socket.create_server(("127.0.0.1", port), backlog=0))
    for _ in range(4):
        caller = stack.enter_context(socket.socket())
        caller.setblocking(False)
        caller.connect_ex(listener.getsockname())
    time.sleep(0.2)


def proxy(fault, number=0):
    """A proxy of the support kit that needs no server."""

    def make(_lab, port, stack):
        stack.callback(start_proxy(port, None, fault, number).kill)

    return make


def proxied(fault, number=0, clip="video"):
    """A proxy of the support kit before a real server."""

    def make(lab, port, stack):
        target = free_port()
        stack.enter_context(lab.protocol.serve(target, clip))
        stack.callback(start_proxy(port, target, fault, number).kill)

    return make


def start_proxy(port, target, fault, number):
    command = [SYSTEM_PYTHON, SUPPORT / "fault_proxy.py", "--port", port]
    to_target = [] if target is None else ["--target", target]
    return Program(*command, *to_target, fault, number).wait_for("READY")


def mute_datagrams(_lab, port, stack):
    """A UDP port that takes everything and never answers."""
    stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)).bind(("127.0.0.1", port))


def answer_with_garbage(_lab, port, stack):
    """A UDP port that answers every datagram with random bytes."""
    answerer = socket.socket(type=socket.SOCK_DGRAM)
    answerer.bind(("127.0.0.1", port))
    answerer.settimeout(0.1)
    run_thread(stack, lambda: answer_once(answerer, random.Random(1)), answerer.close)


def answer_once(answerer, choice):
    with contextlib.suppress(socket.timeout):
        _, address = answerer.recvfrom(65536)
        answerer.sendto(choice.randbytes(1000), address)


def send_garbage(_lab, port, stack):
    """Random datagrams without end."""
    sender = socket.socket(type=socket.SOCK_DGRAM)
    choice = random.Random(1)

    def send():
        sender.sendto(choice.randbytes(1316), ("127.0.0.1", port))
        time.sleep(0.005)

    run_thread(stack, send, sender.close)


def run_thread(stack, step, close):
    """Repeats a step in a thread until the stack is closed."""
    over = threading.Event()

    def loop():
        while not over.is_set():
            step()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    stack.callback(close)
    stack.callback(thread.join)
    stack.callback(over.set)


def serving(*options, **more):
    """A real server, but with options that spoil it."""

    def make(lab, port, stack):
        stack.enter_context(lab.protocol.serve(port, "video", *options, **more))

    return make


def other_mount(lab, port, stack):
    """An RTSP server that does not know the path asked for."""
    stack.enter_context(lab.protocol.serve(port, mount="/other"))


def unpublished(_lab, port, stack):
    """An RTMP server that nobody publishes to."""
    stack.callback(start_nginx(port).kill)


# ---- Connecting ----


def connecting(make, expected, asked=1.0, heals=True, query="", healed_limit=HEALED_LIMIT):
    """A setup that cannot succeed: in time, truthful, undone at once; and one in the background that heals."""

    def run(lab):
        port = free_port()
        url = lab.protocol.url(port) + query
        with contextlib.ExitStack() as fault:
            make(lab, port, fault)
            client = lab.client(url)
            lab.expect_failure(client, lab.setup(client, asked), expected)
            client.close()
            stop_while_connecting(lab, url)
            patient = lab.client(url)
            if heals:
                lab.start_in_background(patient)
                time.sleep(0.5)
        if heals:
            server = lab.stack.enter_context(lab.protocol.serve(port))
            lab.await_frame(patient, 0, server.usable_since, healed_limit)
        lab.stop(patient)

    return run


def stop_while_connecting(lab, url):
    """Stops a client that is connecting in the background."""
    client = lab.client(url)
    lab.start_in_background(client)
    time.sleep(0.4)
    lab.check(client.state is State.CONNECTING, f"in the background the state is {client.state.name}, not CONNECTING")
    lab.read_nothing(client, 0)
    lab.stop(client)


def opening(url_of, expected, asked=5.0):
    """A file that cannot be opened: nothing to heal."""

    def run(lab):
        client = lab.client(url_of(lab))
        lab.expect_failure(client, lab.setup(client, asked), expected)
        lab.stop(client)

    return run


def serving_clip(clip, expected, asked=3.0):
    """A server that sends what cannot be shown; its stream has to be refused."""

    def run(lab):
        port = free_port()
        lab.stack.enter_context(lab.protocol.serve(port, clip))
        client = lab.client(lab.protocol.url(port), setup_timeout=int(asked * 1000))
        lab.expect_failure(client, lab.setup(client, asked), expected)
        lab.stop(client)

    return run


def only_sound(lab):
    """An RTSP server whose stream has no video."""
    port = free_port()
    lab.stack.enter_context(lab.protocol.serve(port, "video", "--audio", "/audio"))
    client = lab.client(lab.protocol.url(port, "/audio"), setup_timeout=3000)
    lab.expect_failure(client, lab.setup(client, 3.0), see("NO_VIDEO"))
    lab.stop(client)


def files_over_http(name, expected):
    """A file that a web server hands out."""

    def run(lab):
        port = free_port()
        lab.stack.enter_context(lab.protocol.serve(port))
        client = lab.client(lab.protocol.url(port, f"/{name}"))
        lab.expect_failure(client, lab.setup(client, 3.0), expected)
        lab.stop(client)

    return run


def repeatedly_refused(lab):
    """A thousand failed attempts leave nothing behind."""
    client = lab.client(lab.protocol.url(free_port()), reconnect_delay_min=1, reconnect_delay_max=1)
    lab.start_in_background(client)
    deadline = time.monotonic() + 30
    warm = 0
    while client.stats().connect_attempts < 1000 and time.monotonic() < deadline:
        if not warm and client.stats().connect_attempts > 100:
            warm = lab.footprint()["memory"]
        time.sleep(0.02)
    attempts = client.stats().connect_attempts
    lab.check(attempts >= 1000, f"{attempts} attempts in 30 s, not 1000")
    growth = lab.footprint()["memory"] - (warm or 0)
    lab.check(growth < 2 << 20, f"900 attempts took {growth >> 10} KiB")
    lab.measured["status"] = "REFUSED"
    lab.stop(client)


def stalling_at_start(make):
    """A server that says yes to everything and sends nothing: setup tells it, or the stream does once it is started."""

    def run(lab):
        port = free_port()
        with contextlib.ExitStack() as fault:
            make(lab, port, fault)
            client = lab.client(lab.protocol.url(port))
            status = lab.setup(client, 1.5)
            lab.measured["status"] = status.name
            lab.check(status.name in ("OK", "TIMEOUT"), f"setup says {status.name}, not OK or TIMEOUT")
            if status is not Status.OK:
                lab.start_in_background(client)
            client.start()
            lab.read_nothing(client, 0)
            lab.await_state(client, (State.RECONNECTING, State.CONNECTING), 4.0)
            expect_loss(lab, client, see("STALLED", "TIMEOUT", retryable=True))
        server = lab.stack.enter_context(lab.protocol.serve(port))
        lab.await_frame(client, 0, server.usable_since)
        lab.stop(client)

    return run


# ---- Names ----


#: What the threads are called that look names up.
LOOK_UP = "mpegclient-name"


def dead_names(lab):
    """A name server that never answers: setup and terminate are in time, and no writer is left behind."""
    port = free_port()
    lab.stack.enter_context(lab.protocol.serve(port))
    resolver = lab.stack.enter_context(network.DeadResolver())
    url = lab.protocol.url(port).replace("127.0.0.1", network.HOST)

    client = lab.client(url)
    unresolved = see("TIMEOUT", "RESOLVE_FAILED", phases=("RESOLVE",), retryable=True)
    lab.expect_failure(client, lab.setup(client, 1.0), unresolved)
    lab.check(client.stats().abandoned_threads == 0, "the writer was left behind")
    client.close()

    client = lab.client(url)
    lab.start_in_background(client)
    time.sleep(0.4)
    lab.check(client.state is State.CONNECTING, f"while the name is looked up the state is {client.state.name}")
    lab.check(lab.threads_called(LOOK_UP) > 0, "no thread looks the name up")
    lab.timed("terminate", 0.5, client.terminate)
    lab.check(client.stats().abandoned_threads == 0, "the writer was left behind by terminate")
    resolver.learn()
    usable_since = time.monotonic()
    client.start()
    lab.await_frame(client, 0, usable_since)
    lab.stop(client)
    # The system's own limit for a name is 10 s.
    deadline = time.monotonic() + 15
    while lab.threads_called(LOOK_UP) > 0 and time.monotonic() < deadline:
        time.sleep(0.1)
    left = lab.threads_called(LOOK_UP)
    lab.check(left == 0, f"{left} threads that look a name up have not ended by themselves")


# ---- Losing ----


class Frozen:
    """The server's process is stopped; its connections stay."""

    def inject(self, lab, port, server):
        server.freeze()

    def restore(self, lab, port, server):
        server.thaw()
        return server, time.monotonic()


class Killed:
    """The server dies and is started again."""

    def inject(self, lab, port, server):
        server.kill()

    def restore(self, lab, port, server):
        server = lab.stack.enter_context(lab.protocol.serve(port))
        return server, server.usable_since


class OtherCodec(Killed):
    """The server comes back with another codec."""

    def restore(self, lab, port, server):
        clip = "video.h265" if lab.protocol.suffix == ".h264" else "hevc"
        server = lab.stack.enter_context(lab.protocol.serve(port, clip))
        return server, server.usable_since


class Unplugged:
    """Packets are dropped in both directions and nobody is told."""

    def __init__(self):
        self._rules = network.PacketRules()

    def inject(self, lab, port, server):
        self._rules.drop_port(port, lab.protocol.carrier)
        if lab.protocol.name == "rtsp-udp":
            self._rules.drop("udp dport 1024-65535")

    def restore(self, lab, port, server):
        self._rules.clear()
        return server, time.monotonic()


def losing(make_fault, expected, notice=None, healed_limit=HEALED_LIMIT):
    """A stream that is lost: noticed in time, its last frames readable, healed, and stopped in the fault's midst."""

    def run(lab):
        fault, protocol = make_fault(), lab.protocol
        port = free_port()
        server = lab.stack.enter_context(protocol.serve(port))
        client = lab.client(protocol.url(port))
        lab.run(client)
        client.parameters["setup_timeout"] = 2000

        fault.inject(lab, port, server)
        lost_at = time.monotonic()
        limit = (protocol.patience if notice is None else notice) + 0.5 + SLACK
        lab.await_state(client, (State.RECONNECTING,), limit, since=lost_at)
        expect_loss(lab, client, expected)
        newest = client.stats().newest_seq
        lab.read_nothing(client, newest)
        lab.check(len(client.read(1, timeout=0)) == 1, "the last frames cannot be read any more")
        generation = client.read(1, timeout=0).generation

        server, usable_since = fault.restore(lab, port, server)
        lab.await_frame(client, newest, usable_since, healed_limit)
        with contextlib.suppress(errors.Error):
            lab.check(client.read(1, timeout=0).generation > generation, "the new frames have no new generation")
        watched = lab.watch(client, 1.0)
        lab.check(watched.frames >= 10, f"{watched.frames} frames in the second after it healed")
        lab.check(watched.unmarked == 0, f"{watched.unmarked} damaged frames that are not marked corrupt")

        fault.inject(lab, port, server)
        time.sleep(0.3)
        lab.stop(client)

    return run


def expect_loss(lab, client, expected):
    failure = client.last_failure()
    lab.note_failure(failure)
    if lab.check(failure is not None, "no failure is told"):
        names = " or ".join(expected.statuses)
        lab.check(failure.status.name in expected.statuses, f"the loss is told as {failure.status.name}, not {names}")
        lab.expect_details(failure, expected)


# ---- Flowing ----


def flowing(
    make, seconds=4.0, at_least=25, unmarked=0, asked=5.0, lost=None, gap=2.0, generations=False, expected=None, **more
):
    """A stream that goes on although something is wrong with it.

    ``at_least`` frames have to come; at most ``unmarked`` damaged ones may not be marked, ``lost`` ones be missing, and
    between two frames may be ``gap`` seconds. With ``generations`` connections are lost and made anew, each loss told
    as ``expected``.
    """

    def run(lab):
        port = free_port()
        make(lab, port, lab.stack)
        client = lab.client(lab.protocol.url(port), **more)
        client.parameters["setup_timeout"] = int(asked * 1000)
        status = lab.setup(client, asked)
        lab.measured["status"] = status.name
        if not lab.check(status is Status.OK, f"setup says {status.name}: {client.last_failure()}"):
            return
        client.start()
        watched = lab.watch(client, seconds)
        lab.check(watched.frames >= at_least, f"{watched.frames} frames in {seconds:.0f} s, not {at_least}")
        lab.check(watched.unmarked <= unmarked, f"{watched.unmarked} damaged frames that are not marked corrupt")
        lab.check(lost is None or watched.lost <= lost, f"{watched.lost} frames are missing, at most {lost} may")
        lab.check(watched.longest_gap_s <= gap, f"no frame for {watched.longest_gap_s:.1f} s")
        lab.check(client.state.is_living, f"the state is {client.state.name}")
        if generations:
            lab.check(len(watched.generations) > 1, "the connection was not made anew")
            expect_loss(lab, client, expected)
        else:
            lab.check(len(watched.generations) <= 1, f"{len(watched.generations)} connections, not 1")
        lab.stop(client)

    return run


def corrupted_framing(lab):
    """Bits turn over in a third of what comes: the stream lives on.

    Damage within a picture is measured and not judged: many a wrong bit makes another valid picture.
    """
    port = free_port()
    proxied("corrupt", 30)(lab, port, lab.stack)
    client = lab.client(lab.protocol.url(port))
    lab.start_in_background(client)
    watched = lab.watch(client, 8.0)
    lab.note_failure(client.last_failure())
    # TLS checks every byte: its connection ends with the first that is wrong, before anything is shown.
    needs_frames = lab.protocol.name != "rtsps"
    lab.check(watched.frames > 0 or not needs_frames, f"no frame in 8 s; {watched.states}")
    lab.check(client.state.is_living, f"the state is {client.state.name}")
    lab.stop(client)


def udp_fault(fault, number):
    """A relay that spoils datagrams, between the sender and the client."""

    def make(lab, port, stack):
        from_client = lab.protocol.name == "srt"
        target = free_port()
        # Plain UDP is sent to the relay; over SRT the client calls it.
        near, far = (port, target) if from_client else (target, port)
        command = [SYSTEM_PYTHON, HERE / "udp_proxy.py", "--port", near, "--target", far]
        flags = ["--from-client"] if from_client else []
        if from_client:
            stack.enter_context(lab.protocol.serve(target))
        stack.callback(Program(*command, *flags, fault, number).wait_for("READY").kill)
        if not from_client:
            stack.enter_context(lab.protocol.serve(near))

    return make


def udp_blocked(lab, port, stack):
    """A firewall that lets TCP through and no UDP."""
    rules = network.PacketRules()
    stack.callback(rules.clear)
    rules.drop("udp dport 1024-65535")
    stack.enter_context(lab.protocol.serve(port))


def comparing_pictures(lab):
    """Packets are lost by chance: each picture that is not marked is the file's, and every lost packet is counted.

    Where pictures are refreshed in parts, only those before the first loss are not.
    """
    # What is lost on the way to others would be counted too.
    lab.has_shadows = False
    port, names = free_port(), ["video.h264", "open.h264", "parts.h264", "video.h265", "open.h265"]
    mounts = [f"/{name}={lab.protocol.clips / name},{name[-4:]},{clips.RATE}" for name in names]
    lab.stack.enter_context(lab.protocol.serve(port, "video", *mounts))
    exact = {name: pictures_of(lab, str(lab.protocol.clips / name)) for name in names}
    clients = {name: lab.client(lab.protocol.url(port, f"/{name}"), rtsp_engine="native", **GRAY) for name in names}
    for client in clients.values():
        lab.run(client)
    lossy = network.LossyNetwork()
    seen = {name: {"marked": 0, "right": 0, "wrong": 0} for name in names}
    for per_thousand, seconds in ((5, 4), (50, 4), (0, 4)):
        lossy.lose(per_thousand)
        compare(clients, exact, seen, seconds)
    for name, client in clients.items():
        lab.measured[name] = seen[name]
        lab.check(seen[name]["wrong"] == 0, f"{name}: unmarked pictures are not the file's: {seen[name]}")
        lab.check(seen[name]["right"] and seen[name]["marked"], f"{name} shows no difference: {seen[name]}")
    counted, lost = sum(client.stats().lost_packets for client in clients.values()), lossy.lost
    lab.check(lost > 20, f"only {lost} packets were lost")
    lab.check(counted == lost, f"{lost} packets were lost, {counted} counted")
    for client in clients.values():
        lab.stop(client)


def slightly_late(lab):
    """Packets come 1 to 3 ms late, behind others: every picture is the file's, none is marked and none is missing."""
    port, names = free_port(), ["video.h264", "open.h264", "video.h265"]
    mounts = [f"/{name}={lab.protocol.clips / name},{name[-4:]},{clips.RATE}" for name in names]
    late = "delay-probability=0.05 min-delay=1 max-delay=3 allow-reordering=true"
    lab.stack.enter_context(lab.protocol.serve(port, "video", "--network", late, *mounts))
    exact = {name: pictures_of(lab, str(lab.protocol.clips / name)) for name in names}
    clients = {name: lab.client(lab.protocol.url(port, f"/{name}"), **GRAY) for name in names}
    for client in clients.values():
        lab.run(client)
    seen = {name: {"marked": 0, "right": 0, "wrong": 0} for name in names}
    compare(clients, exact, seen, 6)
    for name, client in clients.items():
        lab.measured[name] = seen[name]
        lab.check(seen[name]["right"] > 60, f"{name}: few pictures came: {seen[name]}")
        lab.check(not seen[name]["marked"] and not seen[name]["wrong"], f"{name}: pictures are spoilt: {seen[name]}")
        lab.check(client.stats().lost_packets == 0, f"{name}: {client.stats().lost_packets} packets count as lost")
        lab.stop(client)


def multicast(lab):
    """A server that sends to a group alone is left to libavformat, which is told."""
    command = [*network.add_other_host(), SYSTEM_PYTHON, SUPPORT / "rtsp_server.py", "--address", network.OTHER_HOST]
    options = ["--port", 8554, "--transport", "multicast", f"/video={lab.protocol.clip('video')},h264,{clips.RATE}"]
    lab.stack.enter_context(Server(Program(*command, *options).wait_for("READY")))
    client = lab.client(f"rtsp://{network.OTHER_HOST}:8554/video", transport="auto", setup_timeout=5000)
    lab.run(client)
    watched = lab.watch(client, 4)
    lab.check(watched.frames >= 60, f"{watched.frames} frames in 4 s")
    lab.check(client.stream_info().engine == "libav", f"{client.stream_info().engine} reads it")
    lab.stop(client)


#: One byte a pixel is enough to compare.
GRAY = {"pixel_format": "gray8", "setup_timeout": 10000}


def pictures_of(lab, path):
    """The checksums of a file's pictures."""
    client = lab.client(path, overflow="block", **GRAY)
    client.setup(timeout=5)
    client.start()
    found, after = set(), 0
    with contextlib.suppress(errors.Ended):
        while True:
            batch = client.read(1, order=Order.NEXT, after=after, timeout=5)
            after = batch.last_seq
            found.add(zlib.crc32(batch.frames[0].tobytes()))
    client.close()
    return found


def compare(clients, exact, seen, seconds):
    """Reads the clients' streams for some seconds; counts pictures that are marked, that are right, and that are not."""
    after = {name: client.stats().newest_seq for name, client in clients.items()}
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for name, client in clients.items():
            with contextlib.suppress(errors.Timeout):
                batch = client.read(16, order=Order.NEXT, after=after[name], timeout=0.02)
                after[name] = batch.last_seq
                for frame, info in zip(batch.frames, batch.infos):
                    seen[name]["marked" if info.corrupt else judge(frame, exact[name])] += 1


def judge(frame, exact):
    return "right" if zlib.crc32(frame.tobytes()) in exact else "wrong"


# ---- What is in the stream ----


def resizing(lab):
    """The size changes every two seconds; the output keeps its shape, the connection stays."""
    port = free_port()
    url = lab.protocol.url(port, "resize.ts") if lab.protocol.name == "file" else lab.protocol.url(port)
    lab.stack.enter_context(lab.protocol.serve(port, "resize"))
    client = lab.client(url)
    lab.run(client)
    shape = client.shape()
    watched = lab.watch(client, 8.0, until=lambda seen: len(seen.sizes) >= 2)
    lab.check(len(set(watched.sizes)) == 2, f"the sizes seen are {watched.sizes}")
    lab.check(client.shape() == shape, f"the shape was {shape}, is {client.shape()}")
    lab.check(watched.unmarked == 0, f"{watched.unmarked} damaged frames that are not marked corrupt")
    lab.check(len(watched.generations) == 1, f"{len(watched.generations)} connections, not 1")
    lab.stop(client)


def changing_codec(lab):
    """H.264 becomes HEVC in the midst of a stream, under the same number and without a word."""
    port = free_port()
    is_file = lab.protocol.name == "file"
    lab.stack.enter_context(lab.protocol.serve(port, "codec"))
    client = lab.client(lab.protocol.url(port, "codec.ts") if is_file else lab.protocol.url(port))
    lab.run(client)
    codec = client.stream_info().codec
    lab.watch(client, 8.0, until=lambda _: client.stream_info().codec != codec or tells_bad_data(client))
    lab.note_failure(client.last_failure())
    noticed = client.stream_info().codec != codec or tells_bad_data(client)
    lab.check(noticed, f"still {client.stream_info().codec} from {codec}, and no failure is told")
    if not is_file:
        seen = client.stats().newest_seq
        lab.await_frame(client, seen, time.monotonic(), 4.0)
    lab.stop(client)


def tells_bad_data(client):
    failure = client.last_failure()
    return failure is not None and failure.status is Status.BAD_DATA


def joining_late(lab):
    """Key frames 20 s apart: nothing is shown until one comes, or what is shown is marked."""
    port = free_port()
    lab.stack.enter_context(lab.protocol.serve(port, "long"))
    # Who comes first has the stream from its beginning.
    first = Client(lab.protocol.url(port), **lab.protocol.parameters) if joins_shared_stream(lab) else None
    if first is not None:
        lab.stack.callback(first.close)
        first.setup(timeout=10)
        first.start()
        first.wait(timeout=10)
        time.sleep(2)
    client = lab.client(lab.protocol.url(port), setup_timeout=10000)
    lab.measured["status"] = lab.setup(client, 10.0).name
    client.start()
    watched = lab.watch(client, 22.0, until=lambda seen: seen.frames > 50)
    lab.measured["healed_s"] = watched.first_at
    lab.check(watched.frames > 0, "no frame within 22 s")
    lab.check(watched.unmarked == 0, f"{watched.unmarked} damaged frames that are not marked corrupt")
    bad = {"STALLED", "RECONNECTING", "FAILED", "ENDED"} & set(watched.states)
    lab.check(not bad, f"the states seen are {watched.states}; {client.last_failure()}")
    lab.stop(client)


def joins_shared_stream(lab):
    return lab.protocol.name.startswith("rtsp")


def without_keys(lab):
    """Never a key frame: shown after about ten seconds, and marked corrupt."""
    port = free_port()
    is_file = lab.protocol.name == "file"
    lab.stack.enter_context(lab.protocol.serve(port, "keyless"))
    url = lab.protocol.url(port, "keyless.ts") if is_file else lab.protocol.url(port)
    client = lab.client(url, setup_timeout=12000)
    status = lab.setup(client, 12.0)
    lab.note_failure(client.last_failure())
    lab.measured["status"] = status.name
    if not lab.check(status is Status.OK, f"setup says {status.name}: {client.last_failure()}"):
        return
    client.start()
    watched = lab.watch(client, 16.0, until=lambda seen: seen.frames > 25)
    lab.measured["healed_s"] = watched.first_at
    if lab.check(watched.frames > 0, f"no frame within 16 s; {watched.states}, {client.stats()}"):
        lab.check(watched.first_at <= 12.0, f"the first frame came after {watched.first_at:.1f} s")
        unmarked = watched.frames - watched.corrupt
        lab.check(unmarked == 0, f"{unmarked} frames are not marked corrupt")
    bad = {"STALLED", "RECONNECTING", "FAILED"} & set(watched.states)
    lab.check(not bad, f"the states seen are {watched.states}")
    lab.stop(client)


def playing(name, frames, most_s, states=("ENDED",), unmarked=0, realtime="auto"):
    """A file that plays to its end: so many frames, in so many seconds at most."""

    def run(lab):
        port = free_port()
        lab.stack.enter_context(lab.protocol.serve(port))
        url = lab.protocol.url(port, name if lab.protocol.name == "file" else f"/{name}")
        client = lab.client(url, realtime=realtime, setup_timeout=5000)
        status = lab.setup(client, 5.0)
        lab.measured["status"] = status.name
        if not lab.check(status is Status.OK, f"setup says {status.name}: {client.last_failure()}"):
            return
        client.start()
        begun = time.monotonic()
        watched = lab.watch(client, most_s + 3)
        took = time.monotonic() - begun
        lab.note_failure(client.last_failure())
        lab.check(took <= most_s, f"took {took:.1f} s, {most_s:.1f} s allowed")
        low, high = frames
        lab.check(low <= watched.frames <= high, f"{watched.frames} frames, {low} to {high} expected")
        lab.check(watched.unmarked <= unmarked, f"{watched.unmarked} damaged frames that are not marked corrupt")
        lab.check(client.state.name in states, f"the state is {client.state.name}, not {' or '.join(states)}")
        if client.state is State.ENDED:
            lab.check(len(client.read(1, timeout=0)) == 1, "the last frames cannot be read any more")
        lab.stop(client)

    return run


def clock_of_sender(before, after):
    """A sender that dies and comes back with another clock, such as one that was set right."""

    def run(lab):
        port = free_port()
        serve = sender_with_clock(lab, port)
        server = lab.stack.enter_context(serve(before))
        client = lab.client(lab.protocol.url(port), stall_timeout=5000)
        lab.run(client)
        newest = client.stats().newest_seq
        server.kill()
        server = lab.stack.enter_context(serve(after))
        lab.await_frame(client, newest, server.usable_since)
        watched = lab.watch(client, 2.0)
        lab.check(watched.frames >= 30, f"{watched.frames} frames in 2 s on the new clock")
        lab.check(watched.unmarked == 0, f"{watched.unmarked} damaged frames that are not marked corrupt")
        lab.stop(client)

    return run


def sender_with_clock(lab, port):
    return lambda offset: lab.protocol.serve(port, "video", "-output_ts_offset", offset)


def wrapping(offset):
    """A sender whose clock wraps while the client watches."""

    def run(lab):
        port = free_port()
        lab.stack.enter_context(sender_with_clock(lab, port)(offset))
        client = lab.client(lab.protocol.url(port))
        lab.run(client)
        watched = lab.watch(client, 5.0)
        lab.check(watched.frames >= 100, f"{watched.frames} frames in 5 s")
        lab.check(watched.lost == 0, f"{watched.lost} frames are missing")
        lab.check(len(watched.generations) == 1, f"{len(watched.generations)} connections, not 1")
        lab.stop(client)

    return run

