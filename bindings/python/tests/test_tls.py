"""Servers whose certificate cannot be verified are refused, wherever a stream leads to; and how to go on is said."""

from __future__ import annotations

import contextlib
import re
import subprocess
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Type

import pytest

import mpegclient
from live import NEVER, numbers_of, run_ffmpeg
from mpegclient import Client, Order, Phase, State, Status, errors
from support import PATIENCE, RtspServer
from web import Certificate, Site, make_certificate

pytest_plugins = ["live_fixtures"]

#: The names of a server on this machine.
HERE = ("DNS:localhost", "IP:127.0.0.1")

#: No test here is about time.
QUICK: Dict[str, Any] = {"realtime": "off", "cache_size": 100}


class Certificates(NamedTuple):
    """Certificates that are their own authority, and a file of both that fit this machine."""

    one: Certificate
    other: Certificate
    elsewhere: Certificate
    both: Path


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Two for this machine, and one for another."""
    folder = tmp_path_factory.mktemp("certificates")
    one, other = (make_certificate(folder, name, *HERE) for name in ("one", "other"))
    elsewhere = make_certificate(folder, "elsewhere", "DNS:elsewhere.example", "IP:127.1.2.3")
    both = folder / "both.pem"
    both.write_text(one.certificate.read_text() + other.certificate.read_text())
    return Certificates(one, other, elsewhere, both)


@pytest.fixture(scope="module")
def segments(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with first.ts, pictures 0 to 49, and second.ts, pictures 50 to 99."""
    folder = tmp_path_factory.mktemp("segments")
    for name, begin in (("first", 0), ("second", 2)):
        part = ["-ss", begin, "-t", 2, "-i", clips / "video.mp4", "-c", "copy"]
        run_ffmpeg(*part, "-output_ts_offset", begin, folder / f"{name}.ts")
    return folder


@pytest.fixture
def one(segments: Path, certificates: Certificates) -> Iterator[Site]:
    """An https server of the segments."""
    with Site(segments, certificates.one) as site:
        yield site


@pytest.fixture
def other(segments: Path, certificates: Certificates) -> Iterator[Site]:
    """Another, with another certificate."""
    with Site(segments, certificates.other) as site:
        yield site


def shown(client: Client) -> List[int]:
    """The numbers of the pictures that a source shows until its end."""
    client.setup(timeout=PATIENCE)
    client.start()
    with pytest.raises(errors.Ended):
        client.wait(NEVER, timeout=PATIENCE)
    return numbers_of(client.read(100, order=Order.NEXT, timeout=0).frames)


def check_refused(client: Client, word: str = "certificate") -> None:
    """Setup fails because of the certificate, and says so."""
    with pytest.raises(errors.Untrusted, match=word):
        client.setup(timeout=PATIENCE)
    failure = client.last_failure()
    assert failure is not None and (failure.status, failure.phase) == (Status.UNTRUSTED, Phase.CONNECT)
    assert client.state is State.IDLE and client.stats().packets == 0


def check_shows_nothing(client: Client, error: Type[errors.Error] = errors.Error) -> None:
    """Setup fails, or the stream that it leads to ends without a picture."""
    with pytest.raises(error):
        client.setup(timeout=PATIENCE)
        client.start()
        client.wait(timeout=PATIENCE)
    assert client.stats().published == 0


# ---- https ----


def test_a_certificate_that_nobody_vouches_for_is_refused_by_default(one: Site) -> None:
    for host in ("127.0.0.1", "localhost"):
        with Client(one.url("first.ts", host), **QUICK) as client:
            check_refused(client)
    assert not one.paths, "something was asked of a server that is not trusted"


def test_a_certificate_that_the_caller_trusts_is_taken(one: Site, certificates: Certificates) -> None:
    for host in ("127.0.0.1", "localhost"):
        with Client(one.url("first.ts", host), ca_file=certificates.one.certificate, **QUICK) as client:
            assert shown(client) == list(range(50))


def test_a_certificate_of_another_authority_is_refused(one: Site, certificates: Certificates) -> None:
    with Client(one.url("first.ts"), ca_file=certificates.other.certificate, **QUICK) as client:
        check_refused(client)


def test_verification_can_be_turned_off_and_on_again(one: Site) -> None:
    with Client(one.url("first.ts"), tls_verify="off", **QUICK) as client:
        assert shown(client) == list(range(50))
        client.parameters["tls_verify"] = "on"
        with pytest.raises(errors.Untrusted):
            client.setup()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_certificate_for_another_host_is_refused(segments: Path, certificates: Certificates, host: str) -> None:
    with Site(segments, certificates.elsewhere) as site:
        with Client(site.url("first.ts", host), ca_file=certificates.elsewhere.certificate, **QUICK) as client:
            check_refused(client)
        assert not site.paths


def test_a_file_of_authorities_that_is_not_there_is_no_reason_to_trust(one: Site, tmp_path: Path) -> None:
    with Client(one.url("first.ts"), ca_file=tmp_path / "nothing.pem", **QUICK) as client:
        check_shows_nothing(client, errors.ConnectError)
    assert not one.paths


@pytest.mark.parametrize("scheme", ["rtmps", "tls"])
def test_other_protocols_over_tls_are_verified_as_well(one: Site, certificates: Certificates, scheme: str) -> None:
    url = one.url("live/video").replace("https", scheme, 1)
    with Client(url, ca_file=certificates.other.certificate) as client:
        check_refused(client)
        # The server speaks neither; but now it is at least spoken to.
        client.parameters.update(ca_file=certificates.one.certificate, setup_timeout=1000)
        with pytest.raises(errors.Error) as raised:
            client.setup()
        assert not isinstance(raised.value, errors.Untrusted)


@pytest.mark.parametrize("option", ["tls_verify", "verify", "ca_file", "cafile", "protocol_whitelist"])
def test_an_option_of_libav_that_would_replace_a_parameter_is_refused(option: str) -> None:
    with Client() as client, pytest.raises(errors.InvalidArgument, match=f"av.{option} .* the parameter"):
        client.parameters[f"av.{option}"] = "0"


@pytest.mark.parametrize("query", ["verify=0", "tls_verify=0", "verifyhost=elsewhere", "cafile=mine.pem"])
def test_a_query_does_not_turn_verification_off(one: Site, query: str) -> None:
    url = one.url("").replace("https", "tls", 1).rstrip("/")
    with Client(f"{url}?{query}", setup_timeout=1000) as client:
        check_shows_nothing(client)


def test_a_live_stream_is_refused_in_the_background_too(one: Site) -> None:
    with Client(one.url("first.ts"), reconnect="off", **QUICK) as client:
        client.setup(timeout=0)
        client.start()
        with pytest.raises(errors.StreamFailed, match="certificate"):
            client.wait(timeout=PATIENCE)
        failure = client.last_failure()
        assert failure is not None and failure.status is Status.UNTRUSTED


# ---- What leads elsewhere ----


def playlist(folder: Path, *addresses: str, key: str = "") -> str:
    """Writes a playlist of segments of two seconds each; returns its name."""
    lines = "".join(f"#EXTINF:2.0,\n{address}\n" for address in addresses)
    head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n" + key
    (folder / "list.m3u8").write_text(f"{head}{lines}#EXT-X-ENDLIST\n")
    return "list.m3u8"


def test_segments_on_a_server_that_is_not_trusted_are_not_shown(
    one: Site, other: Site, segments: Path, certificates: Certificates
) -> None:
    url = one.url(playlist(segments, other.url("first.ts"), other.url("second.ts")))
    with Client(url, ca_file=certificates.one.certificate, **QUICK) as client:
        check_shows_nothing(client)
        assert one.paths and not other.paths
        client.parameters["ca_file"] = certificates.both
        assert shown(client) == list(range(100))


def test_a_second_segment_on_a_server_that_is_not_trusted_is_not_shown(
    one: Site, other: Site, segments: Path, certificates: Certificates
) -> None:
    """An open connection to the one server must not be taken for one to the other."""
    url = one.url(playlist(segments, "first.ts", other.url("second.ts")))
    with Client(url, ca_file=certificates.one.certificate, **QUICK) as client:
        assert shown(client) == list(range(50))
        assert not other.paths
        client.parameters["ca_file"] = certificates.both
        client.setup()
        client.start()
        with pytest.raises(errors.Ended):
            client.wait(NEVER, timeout=PATIENCE)
        assert numbers_of(client.read(100, timeout=0).frames) == list(range(100))


def test_the_reason_why_segments_are_not_shown_is_said(
    one: Site, other: Site, segments: Path, certificates: Certificates
) -> None:
    url = one.url(playlist(segments, other.url("first.ts")))
    with Client(url, ca_file=certificates.one.certificate, **QUICK) as client:
        with pytest.raises(errors.Untrusted, match="certificate"):
            client.setup(timeout=PATIENCE)


def test_a_playlist_of_playlists_is_verified_to_its_end(
    one: Site, other: Site, segments: Path, certificates: Certificates
) -> None:
    playlist(segments, "first.ts")
    (segments / "main.m3u8").write_text(f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100000\n{other.url('list.m3u8')}\n")
    with Client(one.url("main.m3u8"), ca_file=certificates.one.certificate, **QUICK) as client:
        check_shows_nothing(client)
        assert not other.paths
        client.parameters["ca_file"] = certificates.both
        assert shown(client) == list(range(50))


def test_a_key_from_a_server_that_is_not_trusted_is_not_used(
    one: Site, other: Site, segments: Path, certificates: Certificates
) -> None:
    key = bytes(range(16))
    (segments / "secret.key").write_bytes(key)
    info = segments / "key_info"
    info.write_text(f"{other.url('secret.key')}\n{segments / 'secret.key'}\n")
    encrypted = ["-c", "copy", "-f", "hls", "-hls_time", 2, "-hls_list_size", 0, "-hls_key_info_file", info]
    run_ffmpeg("-i", segments / "first.ts", *encrypted, segments / "encrypted.m3u8")
    with Client(one.url("encrypted.m3u8"), ca_file=certificates.one.certificate, **QUICK) as client:
        check_shows_nothing(client)
        assert not other.paths
        client.parameters["ca_file"] = certificates.both
        assert shown(client) == list(range(50))


@pytest.mark.parametrize("is_secure", [True, False], ids=["from https", "from http"])
def test_a_redirection_to_a_server_that_is_not_trusted_is_not_followed(
    other: Site, segments: Path, certificates: Certificates, is_secure: bool
) -> None:
    with Site(segments, certificates.one if is_secure else None) as site:
        site.redirects["/moved.ts"] = other.url("first.ts")
        with Client(site.url("moved.ts"), ca_file=certificates.one.certificate, **QUICK) as client:
            check_refused(client)
            assert site.paths and not other.paths
            client.parameters["ca_file"] = certificates.both
            assert shown(client) == list(range(50))


def test_verification_turned_off_counts_for_what_a_playlist_leads_to_as_well(
    one: Site, other: Site, segments: Path
) -> None:
    url = one.url(playlist(segments, "first.ts", other.url("second.ts")))
    with Client(url, tls_verify="off", **QUICK) as client:
        assert shown(client) == list(range(100))


# ---- What opens connections past libavformat's own opening of files ----

#: What FFmpeg names in the lists of its program: the line of a demuxer or of a protocol.
DEMUXER = re.compile(r"^ D[ d]?[ d]? +(\S+)", re.MULTILINE)


def ffmpeg_list(kind: str) -> str:
    command = ["ffmpeg", "-hide_banner", f"-{kind}"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def demuxers() -> List[str]:
    """The demuxers of this FFmpeg, devices left out."""
    found = [name.split(",")[0] for name in DEMUXER.findall(ffmpeg_list("demuxers"))]
    assert {"dash", "hls", "concat", "mpegts"} <= set(found) and len(found) > 200
    return found


def input_protocols() -> List[str]:
    found = ffmpeg_list("protocols").split("Input:")[1].split("Output:")[0].split()
    assert {"https", "tls", "concat", "rtmpts"} <= set(found)
    return found


def dash(base: str, kind: str = "static") -> str:
    """A manifest of one segment at an address."""
    return f"""<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="{kind}" mediaPresentationDuration="PT2S" minBufferTime="PT1S"
 profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period duration="PT2S"><AdaptationSet contentType="video"
 mimeType="video/mp4"><Representation id="0" bandwidth="100000" width="320" height="240"><BaseURL>{base}</BaseURL>
<SegmentList duration="2"><SegmentURL media="{base}"/></SegmentList></Representation></AdaptationSet></Period></MPD>
"""


def lists_of(url: str) -> Dict[str, str]:
    """What leads to an address, in the languages that demuxers read."""
    return {
        "list.mpd": dash(url),
        "live.mpd": dash(url, "dynamic"),
        "list.ffconcat": f"ffconcat version 1.0\nfile '{url}'\nduration 2\n",
        "list.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.0,\n{url}\n#EXT-X-ENDLIST\n",
        "map.m3u8": f'#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI="{url}"\n'
        f"#EXTINF:2.0,\n{url}\n#EXT-X-ENDLIST\n",
    }


@pytest.mark.parametrize("name", ["list.mpd", "live.mpd", "list.ffconcat"])
def test_a_list_over_https_is_verified_to_its_end_or_refused(
    one: Site, other: Site, segments: Path, certificates: Certificates, name: str
) -> None:
    (segments / name).write_text(lists_of(other.url("first.ts"))[name])
    with Client(one.url(name), ca_file=certificates.one.certificate, **{"av.safe": 0}) as client:
        with pytest.raises((errors.Unsupported, errors.Untrusted)) as raised:
            client.setup(timeout=PATIENCE)
        if isinstance(raised.value, errors.Unsupported):
            assert "tls_verify = off" in str(raised.value)
            failure = client.last_failure()
            assert failure is not None and failure.phase is Phase.CONNECT and not failure.retryable
        assert one.received and not other.received


def test_no_demuxer_leads_to_a_connection_that_is_not_verified(
    other: Site, segments: Path, certificates: Certificates
) -> None:
    """Whatever demuxers this FFmpeg has, and whatever they open: each reads each list."""
    lists = lists_of(other.url("first.ts"))
    for name, text in lists.items():
        (segments / name).write_text(text)
    with Site(segments) as site:
        for demuxer in demuxers():
            with Client(input_format=demuxer, setup_timeout=300, ca_file=certificates.one.certificate) as client:
                for url in [*map(site.url, lists), other.url("first.ts"), other.url("%d.ts")]:
                    client.parameters["url"] = url
                    with contextlib.suppress(errors.Error):
                        client.setup()
                    client.clear()
                assert not other.received, f"{demuxer} sent a request to a server that is not trusted"
        assert len(site.received) > 200


def test_no_protocol_leads_to_a_connection_that_is_not_verified(other: Site, certificates: Certificates) -> None:
    host = other.url("").split("://")[1].rstrip("/")
    secret = {"username": "user", "password": "secret"}
    for protocol in input_protocols():
        forms = [
            f"{protocol}://{host}/first.ts",
            f"{protocol}:https://{host}/first.ts",
            f"{protocol}+https://{host}/first.ts",
            f"{protocol},,start,0,end,0,,:https://{host}/first.ts",
            f"crypto:{protocol}:https://{host}/first.ts",
            f"{protocol}:tls://{host}",
        ]
        for url in forms:
            with Client(url, setup_timeout=300, ca_file=certificates.one.certificate, **secret) as client:
                with contextlib.suppress(errors.Error):
                    client.setup()
            assert not other.received, f"{url} sent {other.received} to a server that is not trusted"


@pytest.mark.parametrize("transport", ["https", "http"])
def test_rtsp_through_https_is_verified_or_refused(other: Site, certificates: Certificates, transport: str) -> None:
    url = other.url("video").replace("https", "rtsp", 1)
    parameters = {"username": "user", "password": "secret", "av.rtsp_transport": transport}
    with Client(url, setup_timeout=1000, ca_file=certificates.one.certificate, **parameters) as client:
        check_shows_nothing(client)
    assert not other.received


# ---- rtsps ----


@pytest.fixture(scope="module")
def rtsps(clips: Path, certificates: Certificates) -> Iterator[RtspServer]:
    """An RTSP server that speaks TLS."""
    tls = ["--tls", str(certificates.one.certificate), str(certificates.one.key)]
    with RtspServer(*tls, f"/video={clips / 'video.h264'},h264,25") as server:
        yield server


def secure(server: RtspServer) -> str:
    return server.url().replace("rtsp:", "rtsps:", 1)


def test_rtsps_that_cannot_be_verified_says_so_and_how_to_go_on(rtsps: RtspServer, certificates: Certificates) -> None:
    """FFmpeg 5.1 has no way to verify it; where a later one has, a certificate that is trusted is enough."""
    trusting: Dict[str, Any] = {"ca_file": certificates.one.certificate}
    for parameters in ({}, trusting):
        with Client(secure(rtsps), **parameters) as client:
            try:
                client.setup()
            except errors.Untrusted:
                assert not parameters
            except errors.Unsupported as error:
                assert "verif" in str(error) and "tls_verify" in str(error) and "off" in str(error)
                failure = client.last_failure()
                assert failure is not None and not failure.retryable
            else:
                assert parameters, "a certificate that nobody vouches for"


def test_rtsps_works_once_verification_is_turned_off(rtsps: RtspServer) -> None:
    with Client(secure(rtsps), tls_verify="off", cache_size=12) as client:
        client.setup(timeout=PATIENCE)
        client.start()
        assert len(set(numbers_of(client.read_latest(12, timeout=PATIENCE)))) == 12
        assert client.stream_info().is_live


def test_the_build_tells_its_tls_library() -> None:
    """Which one is there decides what can be verified."""
    known = ("gnutls", "openssl", "mbedtls", "libtls", "schannel", "securetransport")
    assert any(name in mpegclient.build_info().lower().replace(" ", "") for name in known), mpegclient.build_info()
