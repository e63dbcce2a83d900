"""When things go wrong: dead, mute, frozen and unwilling servers, Ctrl-C and fork."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path
from typing import Callable, Type

import pytest

from mpegclient import Client, Order, Phase, State, Status, errors
from support import PATIENCE, RtspServer, free_port, returns_within, run_python, start_python, wait_until

# ---- Servers ----


def test_a_dead_port_is_refused_at_once() -> None:
    with Client(f"rtsp://127.0.0.1:{free_port()}/video") as client:
        begun = time.monotonic()
        with pytest.raises(errors.Refused):
            client.setup()
        assert time.monotonic() - begun < 2
        assert client.state is State.IDLE
        failure = client.last_failure()
        assert failure is not None and failure.time_ns is not None
        assert (failure.status, failure.phase, failure.retryable) == (Status.REFUSED, Phase.CONNECT, True)
        assert failure.time_ns == pytest.approx(time.time_ns(), abs=60e9)


def test_an_unknown_stream_is_not_found(server: RtspServer) -> None:
    with Client(server.url("/nothing")) as client:
        with pytest.raises(errors.NotFound):
            client.setup()
        failure = client.last_failure()
        assert failure is not None and failure.protocol_status == 404


@pytest.mark.parametrize("scheme", [[], ["--basic"]], ids=["digest", "basic"])
def test_credentials_are_wanted_and_never_shown(start_server: Callable[..., RtspServer], scheme: list[str]) -> None:
    server = start_server("--user", "bob", "--password", "p@ss/w:rd", *scheme)
    with Client() as client:
        for url in (server.url(), server.url(userinfo="bob:hunter2@")):
            with pytest.raises(errors.Unauthorized) as raised:
                client.setup(url)
            failure = client.last_failure()
            assert failure is not None and failure.protocol_status == 401
            for text in (str(raised.value), failure.message, str(client)):
                assert "hunter2" not in text
        client.parameters.update(username="bob", password="p@ss/w:rd")
        client.setup(server.url())
        assert client.state is State.READY and "p@ss" not in str(client)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("/nowhere/at/all.mp4", errors.NotFound),
        (__file__, errors.ConnectError),
        ("gopherus://host/1", errors.Unsupported),
        ("rtsp://nowhere.invalid/1", errors.ResolveFailed),
        ("", errors.InvalidArgument),
    ],
)
def test_addresses_that_lead_nowhere(url: str, error: Type[errors.Error]) -> None:
    with Client() as client, pytest.raises(error):
        client.setup(url)


def test_a_libav_option_that_nobody_takes_is_an_error(server: RtspServer) -> None:
    with Client(server.url(), **{"av.nonsense": 1}) as client, pytest.raises(errors.InvalidArgument, match="nonsense"):
        client.setup()


def test_a_mute_server_costs_the_time_allowed_and_no_more(mute_port: int) -> None:
    with Client(f"rtsp://127.0.0.1:{mute_port}/video") as client:
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            client.setup(timeout=0.5)
        assert 0.5 <= time.monotonic() - begun < 3
        assert client.state is State.IDLE


def test_a_frozen_server_holds_nothing_up(start_server: Callable[..., RtspServer]) -> None:
    server = start_server()
    with Client(server.url(), stall_timeout=1000) as client:
        client.setup()
        client.start()
        client.wait(timeout=PATIENCE)
        server.freeze()
        wait_until(lambda: client.state is State.RECONNECTING, "the stream is lost")
        failure = client.last_failure()
        assert failure is not None and failure.status is Status.STALLED
        assert len(client.read(1)) == 1, "its last frames stay readable"
        returns_within(0.7, client.terminate)
        returns_within(0.7, client.clear)
        returns_within(0.7, client.close)


def test_a_lost_stream_comes_back_by_itself(start_server: Callable[..., RtspServer]) -> None:
    server = start_server()
    with Client(server.url(), stall_timeout=1000) as client:
        client.setup()
        client.start()
        client.wait(timeout=PATIENCE)
        server.freeze()
        wait_until(lambda: client.state is State.RECONNECTING, "the stream is lost")
        last = client.read(1).last_seq
        server.thaw()
        again = client.read(1, order=Order.NEXT, after=last, timeout=PATIENCE)
        assert again.generation >= 2 and again.first_seq == last + 1


# ---- Ctrl-C ----

BLOCKED = """
import sys, time
from mpegclient import Client
client = Client(sys.argv[1])
{prepare}
print("blocks", flush=True)
begun = time.monotonic()
try:
    {block}
except KeyboardInterrupt:
    print("interrupted", client.state.name)
client.close()
"""

RUN = "client.setup(); client.start()"
CONNECT = "client.setup(timeout=0); client.start()"
LONG = "client.parameters['setup_timeout'] = 600_000"


@pytest.mark.parametrize(
    ("is_mute", "prepare", "block", "state"),
    [
        (False, RUN, "client.wait(10**9, timeout=float('inf'))", "RUNNING"),
        (False, RUN, "client.read(1, after=10**9, timeout=600)", "RUNNING"),
        (False, RUN, "client.read_latest(8, after=10**9, timeout=600)", "RUNNING"),
        (True, CONNECT, "client.shape(timeout=600)", "CONNECTING"),
        (True, LONG, "client.setup()", "IDLE"),
    ],
    ids=["wait", "read", "read_latest", "shape", "setup"],
)
def test_ctrl_c_ends_a_call_that_blocks(
    server: RtspServer, mute_port: int, is_mute: bool, prepare: str, block: str, state: str
) -> None:
    url = f"rtsp://127.0.0.1:{mute_port}/video" if is_mute else server.url()
    with start_python(["-c", BLOCKED.format(prepare=prepare, block=block), url]) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "blocks\n"
            time.sleep(0.5)
            begun = time.monotonic()
            process.send_signal(signal.SIGINT)
            output, errors_written = process.communicate(timeout=PATIENCE)
        except BaseException:
            process.kill()
            raise
    assert (output, process.returncode) == (f"interrupted {state}\n", 0), errors_written
    assert time.monotonic() - begun < 5


def test_a_signal_handler_may_close_the_client(server: RtspServer) -> None:
    program = """
import signal, sys
from mpegclient import Client, errors
client = Client(sys.argv[1])
client.setup()
client.start()
signal.signal(signal.SIGTERM, lambda *_: client.close())
print("blocks", flush=True)
try:
    client.wait(10**9, timeout=600)
except (errors.Interrupted, errors.BadState) as error:
    print(client)
"""
    with start_python(["-c", program, server.url()]) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "blocks\n"
            time.sleep(0.3)
            process.terminate()
            output, errors_written = process.communicate(timeout=PATIENCE)
        except BaseException:
            process.kill()
            raise
    assert (output, process.returncode) == ("a closed client\n", 0), errors_written


# ---- Processes ----


def test_a_forked_child_is_told_so_and_does_no_harm(server: RtspServer) -> None:
    program = """
import os, sys
from mpegclient import Client, errors
client = Client(sys.argv[1])
client.setup()
client.start()
client.wait(timeout=30)
if os.fork() == 0:
    for call in (client.read, client.setup, client.terminate, client.stats, lambda: client.state):
        try:
            call()
        except errors.Forked as error:
            print(error)
    client.close()
    with Client(sys.argv[1]) as own:
        own.setup()
        own.start()
        print(own.read(1, timeout=30).first_seq)
    sys.exit(0)
print(os.waitstatus_to_exitcode(os.wait()[1]))
print(len(client.read(1, after=client.wait(), timeout=30)))
client.close()
"""
    result = run_python(["-c", program, server.url()])
    lines = result.stdout.splitlines()
    assert result.returncode == 0, result.stderr
    assert len(lines) == 8 and all("make a new one in the child" in line for line in lines[:5])
    assert lines[5:] == ["1", "0", "1"]


def test_packets_that_wait_after_the_process_was_stopped_are_read_and_the_stream_is_not_lost(media: Path) -> None:
    program = """
import sys
from mpegclient import Client
with Client(sys.argv[1], stall_timeout=2000) as client:
    client.setup(timeout=30)
    client.start()
    client.read(1, timeout=30)
    while client.next_event() is not None:
        pass
    print("runs", flush=True)
    sys.stdin.readline()
    client.wait(after=client.wait() + 25, timeout=30)
    while (event := client.next_event()) is not None:
        print(event.kind.name, event.state.name)
"""
    url = f"udp://127.0.0.1:{free_port()}"
    options = ["-re", "-stream_loop", "-1", "-i", str(media / "video.mp4"), "-c", "copy", "-f", "mpegts"]
    sender = subprocess.Popen(["ffmpeg", "-v", "error", *options, url])
    try:
        with start_python(["-c", program, url], stdin=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "runs\n"
            process.send_signal(signal.SIGSTOP)
            time.sleep(4)  # twice the stall timeout
            process.send_signal(signal.SIGCONT)
            output, errors_written = process.communicate("\n", timeout=2 * PATIENCE)
    finally:
        sender.kill()
        sender.wait()
    assert (process.returncode, output) == (0, ""), errors_written


def test_a_program_may_end_without_closing(server: RtspServer) -> None:
    program = """
import sys
import mpegclient
mpegclient.set_log_level(mpegclient.LogLevel.DEBUG)
mpegclient.set_log_callback(lambda level, line: None)
client = mpegclient.Client(sys.argv[1])
client.setup()
client.start()
client.wait(timeout=30)
"""
    result: subprocess.CompletedProcess[str] = run_python(["-c", program, server.url()])
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
