"""Credentials reach the server whatever they are made of, and nobody else."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import threading
import time
import urllib.parse
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Tuple

import pytest

from live import numbers_of, restart, running
from mpegclient import Client, Phase, State, Status, errors, redact
from support import PATIENCE, RtspServer, free_port, run_python, wait_until
from web import Site

pytest_plugins = ["live_fixtures"]

USER = "operatör 7"

#: Everything that means something within a URL, and what is no ASCII.
PASSWORD = "s3cr@t#pa%ss/w:rd?€42&x=+y"

SCHEMES = {"digest": (), "basic": ("--basic",)}


def quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")


@contextlib.contextmanager
def guarded(clips: Path, scheme: str = "digest", password: str = PASSWORD) -> Iterator[RtspServer]:
    """A server that wants credentials."""
    login = ["--user", USER, "--password", password, *SCHEMES[scheme]]
    with RtspServer(*login, f"/video={clips / 'video.h264'},h264,25") as server:
        yield server


@pytest.fixture(scope="module", params=SCHEMES)
def server(request: pytest.FixtureRequest, clips: Path) -> Iterator[RtspServer]:
    """A server that wants credentials, by Digest and by Basic."""
    with guarded(clips, request.param) as server:
        yield server


def check_shows(url: str, **parameters: str) -> None:
    with running(url, cache_size=12, **parameters) as client:
        assert len(set(numbers_of(client.read_latest(5, timeout=PATIENCE)))) == 5


# ---- What is taken ----


def test_credentials_as_parameters_are_taken_as_they_are(server: RtspServer) -> None:
    check_shows(server.url(), username=USER, password=PASSWORD)


def test_credentials_in_the_url_are_taken_encoded(server: RtspServer) -> None:
    check_shows(server.url(userinfo=f"{quoted(USER)}:{quoted(PASSWORD)}@"))


def test_parameters_count_instead_of_what_the_url_holds(server: RtspServer) -> None:
    check_shows(server.url(userinfo="somebody:else@"), username=USER, password=PASSWORD)


def test_wrong_credentials_are_refused(server: RtspServer) -> None:
    for user, password in [("", ""), (USER, "wrong"), ("wrong", PASSWORD), (quoted(USER), quoted(PASSWORD))]:
        with Client(server.url(), username=user, password=password) as client:
            with pytest.raises(errors.Unauthorized) as raised:
                client.setup()
            failure = client.last_failure()
            assert failure is not None and failure.status is Status.UNAUTHORIZED
            # The exception tells the same, by itself.
            for told in (failure, raised.value):
                assert (told.phase, told.protocol_status, told.retryable) == (Phase.AUTH, 401, failure.retryable)
            # A failure of the call itself is not taken for the stream's.
            with pytest.raises(errors.BadState) as raised_by_call:
                client.start()
            assert (raised_by_call.value.phase, raised_by_call.value.protocol_status) == (Phase.NONE, None)


def test_credentials_over_http(clips: Path) -> None:
    """A server of files that wants no credentials is given them and goes on; the parameters reach every protocol."""
    with Site(clips) as site, Client(site.url("video.ts"), username=USER, password=PASSWORD) as client:
        client.setup()
        assert client.state is State.READY


# ---- Trying again ----


def test_wrong_credentials_are_tried_again_at_the_longest_delay_only(server: RtspServer) -> None:
    """A camera locks an account that is tried too often."""
    delays = {"reconnect_delay_min": 20, "reconnect_delay_max": 1500}
    with Client(server.url(), username=USER, password="wrong", **delays) as client:
        client.setup(timeout=0)
        client.start()
        wait_until(lambda: client.stats().connect_attempts >= 1 and client.last_failure() is not None, "it fails")
        first = time.monotonic()
        assert client.state is State.CONNECTING
        with pytest.raises(errors.Timeout, match="credentials"):
            client.wait(timeout=0.3)
        wait_until(lambda: client.stats().connect_attempts >= 2, "it is tried again")
        # The delay varies by a fifth.
        assert time.monotonic() - first > 1.1
        assert client.stats().connect_attempts == 2


def test_a_lost_stream_whose_password_was_changed_is_tried_at_the_longest_delay(clips: Path) -> None:
    delays = {"reconnect_delay_min": 20, "reconnect_delay_max": 1500}
    with guarded(clips) as server, running(server.url(), username=USER, password=PASSWORD, **delays) as client:
        client.wait(3, timeout=PATIENCE)
        server.stop()
        with restart(server, "--user", USER, "--password", "changed", f"/video={clips / 'video.h264'},h264,25"):

            def is_refused() -> bool:
                failure = client.last_failure()
                return failure is not None and failure.status is Status.UNAUTHORIZED

            wait_until(is_refused, "the old password is refused")
            attempts = client.stats().connect_attempts
            time.sleep(1)
            assert client.stats().connect_attempts <= attempts and client.state is State.RECONNECTING


# ---- What is shown ----

#: Opens addresses one after the other, each of them also in the background, and prints all that a program gets to see
#: of it. The name of each case stands before it, on both streams.
SHOW_ALL = """
import json, sys
import mpegclient
from mpegclient import Client, errors
cases, patience, has_callback = json.loads(sys.argv[1])

def show(what, text):
    print(what, text, flush=True)

def play(client, url, timeout):
    try:
        client.setup(url, timeout=timeout)
        client.start()
        show("FRAMES", client.read(2, timeout=patience).frames.shape)
    except errors.Error as error:
        show("ERROR", f"{type(error).__name__} {error} {error!r}")
    for what, tell in (("DESCRIBE", client.describe), ("STR", client.__str__), ("REPR", client.__repr__)):
        show(what, tell())
    show("FAILURE", client.last_failure())
    show("EVENTS", list(iter(client.next_event, None)))

mpegclient.set_log_level(mpegclient.LogLevel.DEBUG)
if has_callback:
    mpegclient.set_log_callback(lambda level, line: show("LOG", level.name + " " + line))
for name, (url, parameters) in cases.items():
    print("CASE", name, flush=True)
    print("CASE", name, file=sys.stderr, flush=True)
    with Client(setup_timeout=4000, **parameters) as client:
        play(client, url, None)
        play(client, url, 0)
"""

#: An address and the parameters that go with it.
Case = Tuple[str, Dict[str, str]]


def shown_of_all(cases: Dict[str, Case], patience: float) -> Dict[str, str]:
    """All that a program and its standard error show of addresses: with a callback for the log, and without."""
    outputs = dict.fromkeys(cases, "")
    for has_callback in (True, False):
        result = run_python(["-c", SHOW_ALL, json.dumps([cases, patience, has_callback])])
        assert result.returncode == 0, result.stderr
        assert ("LOG" in result.stdout) is has_callback and ("mpegclient:" in result.stderr) is not has_callback
        for part in f"{result.stdout}{result.stderr}".split("CASE ")[1:]:
            name, output = part.split("\n", 1)
            outputs[name] += output
    return outputs


def shown_of(url: str, patience: float = 5, **parameters: str) -> str:
    """The same of one address, which may work."""
    return shown_of_all({"": (url, parameters)}, patience)[""]


def check_hidden(output: str, *secrets: str) -> None:
    """None of the secrets is in the output: raw, encoded in any spelling, or escaped as by repr."""
    for secret in secrets:
        encoded = quoted(secret)
        lower = re.sub(r"%..", lambda match: match[0].lower(), encoded)
        for form in {secret, encoded, lower, urllib.parse.quote(secret), repr(secret)[1:-1]}:
            lines = [line for line in output.splitlines() if form in line]
            assert not lines, f"{form!r} is shown: {lines[0]}"


def test_the_credentials_of_a_stream_are_never_shown(server: RtspServer) -> None:
    output = shown_of(server.url(), username=USER, password=PASSWORD)
    assert output.count("FRAMES (2, 240, 320, 3)") == 4
    check_hidden(output, USER, PASSWORD)
    output = shown_of(server.url(userinfo=f"{quoted(USER)}:{quoted(PASSWORD)}@"))
    assert output.count("FRAMES (2, 240, 320, 3)") == 4
    check_hidden(output, USER, PASSWORD)


def test_credentials_that_are_refused_are_never_shown(server: RtspServer) -> None:
    output = shown_of(server.url(), 0.3, username=USER, password=PASSWORD + "?")
    assert "ERROR Unauthorized" in output
    check_hidden(output, USER, PASSWORD)


#: Two that no message holds by chance.
SECRET, OTHER = "hunter2fox", "zebra88crossing"


class Address(NamedTuple):
    """An address with {port} in it, and parameters, that hold one or both secrets."""

    url: str
    parameters: Dict[str, str] = {}


DEAD = {
    "userinfo": Address(f"rtsp://{OTHER}:{SECRET}@127.0.0.1:{{port}}/video"),
    "userinfo, http": Address(f"http://{OTHER}:{SECRET}@127.0.0.1:{{port}}/video.ts"),
    "userinfo, rtmp": Address(f"rtmp://{OTHER}:{SECRET}@127.0.0.1:{{port}}/live/video"),
    "@ in the password": Address(f"rtsp://{OTHER}:{SECRET}@{SECRET}@127.0.0.1:{{port}}/video"),
    "@ in the name": Address(f"rtsp://{OTHER}@{OTHER}:{SECRET}@127.0.0.1:{{port}}/video"),
    "/ in the password": Address(f"rtsp://{OTHER}:{SECRET}/{SECRET}@127.0.0.1:{{port}}/video"),
    "# in the password": Address(f"rtsp://{OTHER}:{SECRET}#{SECRET}@127.0.0.1:{{port}}/video"),
    "? in the password": Address(f"rtsp://{OTHER}:{SECRET}?{SECRET}@127.0.0.1:{{port}}/video"),
    "space in the password": Address(f"rtsp://{OTHER}:{SECRET} {SECRET}x@127.0.0.1:{{port}}/video"),
    "quote in the password": Address(f'rtsp://{OTHER}:{SECRET}"{SECRET}x@127.0.0.1:{{port}}/video'),
    "% that encodes nothing": Address(f"rtsp://{OTHER}:{SECRET}%zz{SECRET}@127.0.0.1:{{port}}/video"),
    "no password": Address(f"rtsp://{SECRET}@127.0.0.1:{{port}}/video"),
    "no name": Address(f"rtsp://:{SECRET}@127.0.0.1:{{port}}/video"),
    "two schemes": Address(f"rtsp://rtsp://{OTHER}:{SECRET}@127.0.0.1:{{port}}/video"),
    "one slash": Address(f"rtsp:/{OTHER}:{SECRET}@127.0.0.1:{{port}}/video"),
    "no slash": Address(f"rtsp:{OTHER}:{SECRET}@127.0.0.1:{{port}}/video"),
    "no scheme": Address(f"{OTHER}:{SECRET}@127.0.0.1:{{port}}/video"),
    "no host": Address(f"rtsp://{OTHER}:{SECRET}@"),
    "no port": Address(f"rtsp://{OTHER}:{SECRET}@127.0.0.1:no/{{port}}"),
    "query, user and password": Address(f"rtsp://127.0.0.1:{{port}}/video?user={OTHER}&password={SECRET}"),
    "query, token": Address(f"http://127.0.0.1:{{port}}/video.ts?token={SECRET}&x=1"),
    "query, access_token": Address(f"http://127.0.0.1:{{port}}/video.ts?access_token={SECRET}"),
    "query, encoded": Address(f"http://127.0.0.1:{{port}}/video.ts?next=%2Fv%3Ftoken%3D{SECRET}%26x=1"),
    "query, comma in the token": Address(f"http://127.0.0.1:{{port}}/video.ts?token=a,{SECRET};{OTHER}"),
    "query, capitals": Address(f"http://127.0.0.1:{{port}}/video.ts?Token={SECRET}&PASSWORD={OTHER}"),
    "passphrase": Address(f"srt://127.0.0.1:{{port}}?passphrase={SECRET}&connect_timeout=300"),
    "passphrase as an option": Address(
        "srt://127.0.0.1:{port}?connect_timeout=300", {"av.passphrase": SECRET, "av.streamid": f"token={OTHER}"}
    ),
    "authorization as an option": Address(
        "http://127.0.0.1:{port}/video.ts", {"av.headers": f"Authorization: Bearer {SECRET}\r\nX-Api-Key: {OTHER}\r\n"}
    ),
    "cookies as an option": Address("http://127.0.0.1:{port}/video.ts", {"av.cookies": f"session={SECRET}; path=/"}),
    "a proxy with a password": Address(
        "http://127.0.0.1:{port}/video.ts", {"av.http_proxy": f"http://{OTHER}:{SECRET}@127.0.0.1:{{port}}"}
    ),
    "query, a camera's own names": Address(
        f"http://127.0.0.1:{{port}}/videostream.cgi?loginuse={OTHER}&loginpas={SECRET}&rate=0"
    ),
    "query, other names": Address(
        f"http://127.0.0.1:{{port}}/v?usr={OTHER}&pw={SECRET}&psw={SECRET}&passwort={SECRET}&pin={SECRET}&code={SECRET}"
    ),
    "query, sessions": Address(
        f"http://127.0.0.1:{{port}}/v?sid={SECRET}&sessionid={OTHER}&ticket={SECRET}&account={OTHER}&login={OTHER}"
    ),
    "query, signatures": Address(
        f"http://127.0.0.1:{{port}}/v?jwt={SECRET}&hmac={SECRET}&hash={OTHER}&md5={SECRET}&sign={SECRET}&hdnts={OTHER}"
    ),
    "query, an unknown name": Address(f"http://127.0.0.1:{{port}}/v?zzz={SECRET}&channel=1"),
    "query, no name": Address(f"http://127.0.0.1:{{port}}/v?{SECRET}"),
    "query, RTSP": Address(f"rtsp://127.0.0.1:{{port}}/cam/realmonitor?channel=1&subtype=0&passwd={SECRET}&u={OTHER}"),
    "query, Azure": Address(f"http://127.0.0.1:{{port}}/v.mp4?sv=2020-08-04&se=x&sig={SECRET}%3D&spr={OTHER}"),
    "query, Amazon": Address(f"http://127.0.0.1:{{port}}/v.m3u8?X-Amz-Credential={OTHER}&X-Amz-Signature={SECRET}"),
    "query, Akamai": Address(f"http://127.0.0.1:{{port}}/v.m3u8?hdnea=st=1~exp=2~acl=/*~hmac={SECRET}&x={OTHER}"),
    "fragment": Address(f"http://127.0.0.1:{{port}}/v.ts#access_token={SECRET}"),
    "matrix parameters": Address(f"http://127.0.0.1:{{port}}/v.ts;jsessionid={SECRET};x={OTHER}"),
    "path, names and values": Address(
        f"rtsp://127.0.0.1:{{port}}/user={OTHER}_password={SECRET}_channel=1_stream=0.sdp?real_stream"
    ),
    "path, names and values with &": Address(f"rtsp://127.0.0.1:{{port}}/user={OTHER}&password={SECRET}&channel=1"),
    "path, names and values encoded": Address(f"rtsp://127.0.0.1:{{port}}/user%3D{OTHER}_password%3D{SECRET}"),
    "path, user and password": Address(f"rtsp://127.0.0.1:{{port}}/0/{OTHER}:{SECRET}/main"),
    "path, user and password with @": Address(f"rtsp://127.0.0.1:{{port}}/{OTHER}:{SECRET}@cam/1"),
    "path, behind a name": Address(f"http://127.0.0.1:{{port}}/token/{SECRET}/v.m3u8"),
    "path, IPTV": Address(f"http://127.0.0.1:{{port}}/live/{OTHER}/{SECRET}/12345.ts"),
    "path, stream key": Address(f"rtmp://127.0.0.1:{{port}}/live/{SECRET}"),
    "path, stream key and more": Address(f"rtmp://127.0.0.1:{{port}}/live/{SECRET}?token={OTHER}"),
    "stream ID": Address(f"srt://127.0.0.1:{{port}}?streamid=publish:cam:{OTHER}:{SECRET}&connect_timeout=300"),
    "stream ID of the standard form": Address(
        f"srt://127.0.0.1:{{port}}?connect_timeout=300&streamid=#!::u={OTHER},s={SECRET}"
    ),
    "concat": Address(f"concat:http://{OTHER}:{SECRET}@127.0.0.1:{{port}}/1.ts|http://a:{SECRET}@127.0.0.1:{{port}}/2.ts"),
    "everything at once": Address(
        f"rtsp://{OTHER}:p@{SECRET}/w#r?d&:@127.0.0.1:{{port}}/user={OTHER}_password={SECRET}?token={SECRET}#{OTHER}"
    ),
    "password without a host": Address(f"rtsp://{OTHER}:{SECRET}/1"),
    "keys as options": Address(
        "rtsp://127.0.0.1:{port}/video", {"av.srtp_in_params": SECRET, "av.srtp_out_params": OTHER}
    ),
    "keys as options, HTTP": Address(
        "http://127.0.0.1:{port}/v", {"av.post_data": SECRET, "av.key_pem": OTHER, "av.decryption_keys": f"a={SECRET}"}
    ),
    "keys as options, files": Address(
        "/nowhere/video.mp4", {"av.decryption_key": SECRET, "av.activation_bytes": OTHER, "av.audible_key": SECRET}
    ),
    "keys as options, RTMP": Address(
        "rtmp://127.0.0.1:{port}/live", {"av.rtmp_playpath": SECRET, "av.rtmp_conn": f"S:{OTHER}"}
    ),
    "an unknown option": Address("http://127.0.0.1:{port}/v", {"av.zzz": SECRET}),
    "cookies of several lines": Address(
        "http://127.0.0.1:{port}/v", {"av.cookies": f"a={SECRET}; path=/; domain=x\nb={OTHER}; path=/"}
    ),
    "headers of other names": Address(
        "http://127.0.0.1:{port}/v", {"av.headers": f"Proxy-Authorization: Basic {SECRET}\r\nX-Whatever: {OTHER}\r\n"}
    ),
    "given beside a broken address": Address(
        "rtsp:/127.0.0.1:{port}/video", {"username": OTHER, "password": SECRET}
    ),
    "given and repeated elsewhere": Address(
        f"rtsp://127.0.0.1:{{port}}/{SECRET}/video", {"username": OTHER, "password": SECRET}
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def shown_of_dead() -> Dict[str, str]:
    """What is shown of each of them, in one program: to start one for each would take a minute."""
    port = str(free_port())

    def fill(address: Address) -> Case:
        parameters = {key: value.replace("{port}", port) for key, value in address.parameters.items()}
        return address.url.format(port=port), parameters

    return shown_of_all({name: fill(address) for name, address in DEAD.items()}, 0.08)


@pytest.mark.parametrize("name", DEAD)
def test_what_an_address_holds_is_never_shown(shown_of_dead: Dict[str, str], name: str) -> None:
    output = shown_of_dead[name]
    assert output.count("DESCRIBE") == 4 and "ERROR" in output and "parameters:" in output
    check_hidden(output, SECRET, OTHER)


#: Those of a network address whose host stands where libavformat looks for it.
WITH_HOST = [name for name, address in DEAD.items() if "://127" in address.url or "@127.0.0.1:{port}" in address.url]


@pytest.mark.parametrize("name", WITH_HOST)
def test_host_and_port_of_an_address_are_shown(shown_of_dead: Dict[str, str], name: str) -> None:
    parameters = shown_of_dead[name].split("parameters:")[1]
    assert re.search(r"url = .*127\.0\.0\.1:[0-9]+", parameters), parameters


@pytest.mark.parametrize("command", [["check", "--seconds", "1"], ["probe"], ["probe", "--json"]], ids=" ".join)
def test_the_programs_show_no_credentials(tmp_path: Path, command: List[str]) -> None:
    for url in (
        f"rtsp://{OTHER}:{SECRET}/x#y?z@127.0.0.1:{free_port()}/video",
        f"rtsp:{OTHER}:{SECRET}@127.0.0.1:{free_port()}/video",
        f"rtsp://127.0.0.1:{free_port()}/user={OTHER}_password={SECRET}_channel=1_stream=0.sdp",
    ):
        result = run_python(["-m", "mpegclient", *command, url, "-p", "setup_timeout=500"], cwd=tmp_path)
        assert result.returncode == 1 and "127.0.0.1" in result.stdout, result.stderr
        check_hidden(result.stdout + result.stderr, SECRET, OTHER)
        wrong = run_python(["-m", "mpegclient", *command, "/nowhere", url], cwd=tmp_path)
        assert wrong.returncode == 2 and "127.0.0.1" in wrong.stderr
        check_hidden(wrong.stdout + wrong.stderr, SECRET, OTHER)


@pytest.mark.parametrize("name", ["username", "password", "av.headers", "av.cookies", "av.passphrase", "input_format"])
def test_an_error_does_not_repeat_a_value_that_may_be_a_secret(name: str) -> None:
    with Client() as client:
        for value in (f"{SECRET}\xff".encode("latin-1"), f"{SECRET}\0", (SECRET, 1), [SECRET]):
            with pytest.raises(errors.InvalidArgument) as raised:
                client.parameters[name] = value  # type: ignore[assignment]
            check_hidden(f"{raised.value} {raised.value!r}", SECRET)
            assert "value" in str(raised.value) or name in str(raised.value)


def test_any_text_can_be_cleared_of_credentials() -> None:
    text = f"open rtsp://{OTHER}:{SECRET}@cam:554/1?pwd={SECRET}: refused"
    assert redact(text) == "open rtsp://***@cam:554/1?pwd=***: refused"
    assert redact("x" * 5000) == "x" * 5000


def test_the_tokens_of_a_playlist_are_never_shown(clips: Path, tmp_path: Path) -> None:
    """libav logs the address of each segment that it opens."""
    (tmp_path / "video.ts").write_bytes((clips / "video.ts").read_bytes())
    segment = f"video.ts?token={SECRET}"
    head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:40\n#EXTINF:40.0,\n"
    (tmp_path / "list.m3u8").write_text(f"{head}{segment}\n#EXT-X-ENDLIST\n")
    with Site(tmp_path) as site:
        site.redirects["/moved.m3u8"] = site.url(f"list.m3u8?user={OTHER}&password={SECRET}")
        output = shown_of(site.url("moved.m3u8"))
        assert "FRAMES (2, 240, 320, 3)" in output and "Opening" in output, output
        assert f"/{segment}" in site.paths
    check_hidden(output, SECRET, OTHER)


# ---- Where they go ----


class Recorder:
    """A server that answers each request with one text, and keeps the requests."""

    def __init__(self, answer: Callable[[str], str]) -> None:
        self.requests: List[str] = []
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._answer_all, args=(connection,), daemon=True).start()

    def _answer_all(self, connection: socket.socket) -> None:
        waiting = ""
        with connection, contextlib.suppress(OSError):
            while received := connection.recv(4096):
                waiting += received.decode()
                while "\r\n\r\n" in waiting:
                    request, waiting = waiting.split("\r\n\r\n", 1)
                    self.requests.append(request)
                    number = re.search(r"CSeq: *(\d+)", request)
                    sequence = f"CSeq: {number[1]}\r\n" if number else ""
                    connection.sendall(self._answer(request).replace("\n", f"\r\n{sequence}", 1).encode())

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


OPTIONS = "RTSP/1.0 200 OK\nPublic: DESCRIBE, SETUP, PLAY\r\n\r\n"

#: Challenges of a server that wants a password.
CHALLENGES = {"basic": 'Basic realm="x"', "digest": 'Digest realm="x", nonce="1"'}


@pytest.mark.parametrize("challenge", CHALLENGES)
@pytest.mark.parametrize("engine", ["auto", "libav"])
@pytest.mark.parametrize("has_parameters", [False, True], ids=["in the address", "as parameters"])
def test_a_redirection_gives_the_password_to_no_other_rtsp_server(
    challenge: str, engine: str, has_parameters: bool
) -> None:
    wants = f"RTSP/1.0 401 Unauthorized\nWWW-Authenticate: {CHALLENGES[challenge]}\r\n\r\n"
    with Recorder(lambda _: wants) as other:

        def redirect(request: str) -> str:
            if "OPTIONS" in request:
                return OPTIONS
            if "Authorization" not in request:
                return wants
            return f"RTSP/1.0 302 Moved\nLocation: rtsp://127.0.0.1:{other.port}/else\r\n\r\n"

        with Recorder(redirect) as first:
            userinfo = "" if has_parameters else f"{OTHER}:{SECRET}@"
            given = {"username": OTHER, "password": SECRET} if has_parameters else {}
            with Client(f"rtsp://{userinfo}127.0.0.1:{first.port}/video", rtsp_engine=engine, **given) as client:
                with pytest.raises(errors.Unauthorized) as raised:
                    client.setup()
            assert any("Authorization" in request for request in first.requests)
        assert f"127.0.0.1:{other.port}/else" in str(raised.value)
        assert other.requests and not any("Authorization" in request for request in other.requests)
        check_hidden(str(raised.value), SECRET, OTHER)


def test_a_redirection_within_a_server_keeps_the_password() -> None:
    def answer(request: str) -> str:
        if "OPTIONS" in request:
            return OPTIONS
        if "Authorization" not in request:
            return f"RTSP/1.0 401 Unauthorized\nWWW-Authenticate: {CHALLENGES['basic']}\r\n\r\n"
        if "/video" in request:
            return f"RTSP/1.0 302 Moved\nLocation: rtsp://127.0.0.1:{server.port}/else\r\n\r\n"
        return "RTSP/1.0 404 Not Found\n\r\n"

    with Recorder(answer) as server:
        with Client(f"rtsp://{OTHER}:{SECRET}@127.0.0.1:{server.port}/video", rtsp_engine="libav") as client:
            with pytest.raises(errors.Error):
                client.setup()
        assert any("/else" in request and "Authorization" in request for request in server.requests)


def test_a_redirection_gives_the_password_to_no_other_http_server() -> None:
    wants = f"HTTP/1.1 401 Unauthorized\nWWW-Authenticate: {CHALLENGES['basic']}\r\nContent-Length: 0\r\n\r\n"
    with Recorder(lambda _: wants) as other:

        def redirect(request: str) -> str:
            if "Authorization" not in request:
                return wants
            location = f"http://127.0.0.1:{other.port}/else"
            return f"HTTP/1.1 302 Moved\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"

        with Recorder(redirect) as first:
            with Client(f"http://{OTHER}:{SECRET}@127.0.0.1:{first.port}/video.ts") as client:
                with pytest.raises(errors.Error):
                    client.setup()
            assert any("Authorization" in request for request in first.requests)
        assert other.requests and not any("Authorization" in request for request in other.requests)


# ---- A program with a libav of its own ----


@pytest.fixture(scope="module")
def two_libavs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program two_libavs.c, built with the library that is tested."""
    folder = tmp_path_factory.mktemp("two_libavs")
    here = Path(__file__).resolve().parent
    library = folder / "libmpegclient.so.0"
    library.symlink_to(Path(os.environ["MPEGCLIENT_LIBRARY"]).resolve())
    packages = ["libavformat", "libavutil"]
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", *packages], check=True, capture_output=True, text=True)
    command = ["cc", "-Wall", "-Wextra", "-Werror", f"-I{here.parents[2] / 'include'}", here / "two_libavs.c", library]
    linking = [f"-Wl,-rpath,{folder}", *flags.stdout.split(), "-o", folder / "two_libavs"]
    subprocess.run([*map(str, command), *map(str, linking)], check=True, timeout=120)
    return folder / "two_libavs"


class Said(NamedTuple):
    """What a program said, line by line, without the addresses in memory."""

    output: List[str]
    errors: List[str]


@pytest.fixture
def say(two_libavs: Path, tmp_path: Path) -> Any:
    """Runs the program in a mode."""
    garbage = tmp_path / "garbage.mp4"
    # A box that promises more than there is: libav says of its own accord that it finds no index.
    garbage.write_bytes(b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + b"\0\0\1\0mdat" + bytes(500))
    port = str(free_port())

    def run(mode: str) -> Said:
        result = subprocess.run([two_libavs, mode, garbage, port], capture_output=True, text=True, timeout=2 * PATIENCE)
        assert result.returncode == 0, result.stderr
        without_addresses = re.sub(r"0x[0-9a-f]+", "0x", result.stderr)
        return Said(result.stdout.splitlines(), without_addresses.splitlines())

    return run


def test_a_program_with_its_own_libav_sees_its_own_lines_and_no_others(say: Any) -> None:
    alone, beside = say("alone"), say("beside")
    assert any("moov" in line for line in alone.errors) and any("refused" in line for line in alone.errors)
    assert any("own: /all.mp4 gives" in line for line in alone.errors)
    assert any("hunter2" in line for line in alone.errors), "a program's own lines are its own"
    assert "[debug] own: with its level" in alone.errors and not any("never shown" in line for line in alone.errors)
    assert beside.errors == alone.errors and beside.output == []


def test_a_callback_for_the_library_gets_none_of_the_programs_own_lines(say: Any) -> None:
    alone, debug = say("alone"), say("debug")
    assert debug.errors == alone.errors
    assert debug.output and not any("own:" in line or "hunter2" in line for line in debug.output)
