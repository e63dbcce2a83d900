"""The clips that the servers send: numbered pictures, so that a frame tells which one it is and whether it is whole.

A picture shows its number as black and white cells, one for each bit, in 15 bands; every second band shows the bits
turned over. One that is grey, smeared, damaged or put together from two is found out, whatever size it was scaled to.
"""

import subprocess
import tempfile
from pathlib import Path

import numpy as np

RATE = 25
BITS, BANDS = 10, 15

#: 40 seconds: no cell of a few seconds sees a sender begin anew.
LENGTH = 1000


def picture(number, width=320, height=240):
    """The picture with this number: one byte a pixel, black or white."""
    bits = [(number >> bit) & 1 for bit in range(BITS)]
    cells = np.array([[bit ^ (band & 1) for bit in bits] for band in range(BANDS)], np.uint8) * 255
    plain = cells.repeat(height // BANDS, axis=0).repeat(width // BITS, axis=1)
    # Without noise a picture would fit into one packet, and nothing could be lost out of its middle.
    noise = np.random.default_rng(number).integers(0, 48, plain.shape, np.uint8)
    return np.where(plain > 0, 255 - noise, noise)


def number_of(frame):
    """The number that a frame shows; None if it is no whole picture."""
    lightness = frame.mean(axis=2)
    height, width = lightness.shape
    cells = lightness.reshape(BANDS, height // BANDS, BITS, width // BITS)
    # Scaling and compression blur the edges.
    inner = cells[:, 2:-2, :, 2:-2]
    bits = inner.min(axis=(1, 3)) > 128
    if not (bits | (inner.max(axis=(1, 3)) < 128)).all():
        return None
    bits[1::2] ^= True
    return int(bits[0] @ (1 << np.arange(BITS))) if (bits == bits[0]).all() else None


# ---- Making them ----


def ffmpeg(*arguments, feed=()):
    """Runs the ffmpeg program to its end, with ``feed`` as its standard input."""
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        for chunk in feed:
            process.stdin.write(chunk)
    if process.returncode != 0:
        raise RuntimeError(f"failed: {' '.join(command)}")


def encode(path, numbers, *options, size=(320, 240)):
    """Encodes the pictures with these numbers."""
    width, height = size
    source = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{width}x{height}", "-r", RATE, "-i", "-"]
    ffmpeg(*source, *options, path, feed=(picture(number, width, height).tobytes() for number in numbers))


def x264(key_distance):
    """H.264 with a key frame every so many frames, and with the delimiters that the RTSP server cuts at."""
    keys = ["-g", key_distance, "-keyint_min", key_distance, "-sc_threshold", 0, "-bf", 0]
    return ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", *BITRATE, *keys, "-x264-params", "aud=1",
            "-f", "h264"]  # fmt: skip


BITRATE = ["-b:v", "500k", "-maxrate", "500k", "-bufsize", "250k"]

X265 = ["-pix_fmt", "yuv420p", "-c:v", "libx265", "-preset", "ultrafast", *BITRATE, "-f", "hevc", "-x265-params",
        "log-level=error:keyint=25:min-keyint=25:scenecut=0:bframes=0:aud=1:repeat-headers=1"]  # fmt: skip


#: What a loss hurts in its own way: pictures that lead a key frame, and key frames that come in parts.
OPEN = {
    "open.h264": ["-c:v", "libx264", "-preset", "veryfast", "-x264-params",
                  "aud=1:keyint=25:min-keyint=25:scenecut=0:bframes=2:open-gop=1", "-f", "h264"],
    "parts.h264": ["-c:v", "libx264", "-preset", "veryfast", "-x264-params",
                   "aud=1:keyint=25:scenecut=0:bframes=0:intra-refresh=1:slices=3", "-f", "h264"],
    "open.h265": ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params",
                  "log-level=error:keyint=25:min-keyint=25:scenecut=0:bframes=2:open-gop=1:aud=1:repeat-headers=1",
                  "-f", "hevc"],
}  # fmt: skip


def copy(source, target, *options):
    """Puts the pictures of one clip into another container."""
    rate = ["-r", RATE] if source.suffix in (".h264", ".h265") else []
    # A copy would begin at the first key frame, also where there is none.
    ffmpeg(*rate, "-i", source, "-c", "copy", "-copyinkf", *options, target)


def make_pictures(folder):
    """The plain clips, as bare H.264 and H.265."""
    encode(folder / "video.h264", range(LENGTH), *x264(25))
    encode(folder / "video.h265", range(250), *X265)
    encode(folder / "long.h264", range(LENGTH), *x264(500))
    encode(folder / "large.h264", range(50), *x264(25))
    encode(folder / "small.h264", range(50, 100), *x264(25), size=(160, 120))
    join(folder / "resize.h264", folder / "large.h264", folder / "small.h264")
    # 5 is the type of the slices of a key frame; the parameter sets stay.
    copy(folder / "video.h264", folder / "keyless.h264", "-bsf:v", "filter_units=remove_types=5", "-f", "h264")
    for name, options in OPEN.items():
        encode(folder / name, range(250), "-pix_fmt", "yuv420p", *BITRATE, *options)
    encode(folder / "camera.mjpeg", range(250), "-pix_fmt", "yuvj420p", "-c:v", "mjpeg", "-q:v", 2, "-f", "mjpeg")


def make_streams(folder):
    """The same as transport streams and files."""
    for name in ("video", "long", "resize", "keyless"):
        copy(folder / f"{name}.h264", folder / f"{name}.ts", "-f", "mpegts")
    copy(folder / "video.h265", folder / "hevc.ts", "-f", "mpegts")
    copy(folder / "video.ts", folder / "video.mp4", "-f", "mp4")
    copy(folder / "video.mp4", folder / "short.mp4", "-t", 2)
    copy(folder / "video.ts", folder / "short.ts", "-t", 2, "-f", "mpegts")
    copy(folder / "large.h264", folder / "large.ts", "-f", "mpegts")
    # Both programs have the same numbers: nothing in the stream but its packets says that the codec changes.
    copy(folder / "hevc.ts", folder / "later.ts", "-t", 4, "-output_ts_offset", 2, "-f", "mpegts")
    join(folder / "codec.ts", folder / "large.ts", folder / "later.ts")
    ffmpeg("-f", "lavfi", "-i", "sine=d=40", "-c:a", "aac", "-b:a", "32k", "-f", "mpegts", folder / "audio.ts")
    ffmpeg("-f", "lavfi", "-i", "sine=d=2", "-c:a", "aac", "-b:a", "32k", folder / "audio.m4a")


def make_odd_files(folder):
    """Files that are cut off, empty, no video at all, or whose clock misbehaves."""
    whole, stream = (folder / "short.mp4").read_bytes(), (folder / "short.ts").read_bytes()
    (folder / "truncated.mp4").write_bytes(whole[: len(whole) // 2])
    (folder / "truncated.ts").write_bytes(stream[: len(stream) // 2 + 77])
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "garbage.mp4").write_bytes(np.random.default_rng(7).bytes(50_000))
    (folder / "absent.h264").write_bytes((folder / "large.h264").read_bytes())
    jump = "setts=pts='if(gte(N,25),PTS+900*90000,PTS)':dts='if(gte(N,25),DTS+900*90000,DTS)'"
    copy(folder / "short.ts", folder / "jump.ts", "-bsf:v", jump, "-f", "mpegts")
    join(folder / "back.ts", folder / "short.ts", folder / "short.ts")
    # The clock of a transport stream has 33 bits: it wraps after 95443.7 s, in the middle of this clip.
    copy(folder / "short.ts", folder / "wrap.ts", "-output_ts_offset", 95442.7, "-mpegts_copyts", 1, "-f", "mpegts")


def make_certificate(folder):
    """A certificate that nobody signed, for rtsps."""
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", *files, *subject]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def join(target, *parts):
    target.write_bytes(b"".join(part.read_bytes() for part in parts))


def make_clips(folder):
    """Makes all of them, unless they are there. The folder appears whole or not at all."""
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        new = Path(scratch, "clips")
        new.mkdir()
        for make in (make_pictures, make_streams, make_odd_files, make_certificate):
            make(new)
        try:
            new.rename(folder)
        except OSError:
            pass  # another run was faster
