"""The clips: made here unless a folder of footage is given."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterable, List

import barcode

#: Frames a second, and frames from one key frame to the next, of all that is made here.
RATE, GOP = 25, 50

#: Names that footage may end in.
SUFFIXES = {".mp4", ".mkv", ".mov", ".ts", ".avi"}

#: Something like a camera's picture: fine structure everywhere that moves, and a sensor's noise.
_PICTURE = f"mandelbrot=size=1920x1080:rate={RATE}:maxiter=300:end_scale=0.02,noise=alls=6:allf=t"

_X264 = ["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-b:v", "4M", "-maxrate", "5M",
         "-bufsize", "2M", "-x264-params", f"keyint={GOP}:min-keyint={GOP}:scenecut=0:sliced-threads=0:aud=1"]  # fmt: skip
_X265 = ["-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-b:v", "2500k", "-tag:v", "hvc1", "-x265-params",
         f"log-level=error:keyint={GOP}:min-keyint={GOP}:scenecut=0:bframes=0"]  # fmt: skip

#: How what is streamed is encoded: with what the server cuts at, and parameter sets before each key frame.
_LIVE = {"h264": [*_X264, "-f", "h264"],
         "h265": [*_X265[:-1], f"{_X265[-1]}:aud=1:repeat-headers=1", "-f", "hevc"]}  # fmt: skip


@dataclass(frozen=True)
class Clip:
    """A file to decode."""

    path: Path
    #: libav's name of the codec.
    codec: str
    width: int
    height: int
    frames: int

    @property
    def title(self) -> str:
        """What it is, in short."""
        return f"{self.height}p {self.codec.upper().replace('264', '.264').replace('HEVC', 'H.265')}"


def made(folder: Path, frames: int) -> List[Clip]:
    """1080p25 clips of H.264 at 4 and of H.265 at 2.5 Mbit/s, without B-frames."""
    source = ["-f", "lavfi", "-i", _PICTURE, "-frames:v", frames]
    h264 = _once(folder / f"h264_{frames}.mp4", *source, *_X264)
    h265 = _once(folder / f"h265_{frames}.mp4", "-i", h264, *_X265)
    return [_look(h264), _look(h265)]


def found(footage: Path, folder: Path, frames: int) -> List[Clip]:
    """The beginnings of the H.264 and H.265 footage of a folder, by name."""
    paths = sorted(path for path in footage.iterdir() if path.suffix.lower() in SUFFIXES)
    clips = [_beginning(clip, folder, frames) for clip in map(_look, paths) if clip.codec in ("h264", "hevc")]
    if not any(clip.codec == "h264" for clip in clips):
        raise SystemExit(f"{footage} holds no H.264 footage: looked for {', '.join(sorted(SUFFIXES))}")
    return clips


def _beginning(clip: Clip, folder: Path, frames: int) -> Clip:
    if clip.frames <= frames:
        return clip
    copy = ["-i", clip.path, "-map", "0:v:0", "-c", "copy", "-frames:v", frames]
    return _look(_once(folder / f"{clip.path.stem}_{frames}.mkv", *copy))


def numbered(clip: Clip, folder: Path, frames: int, codec: str = "h264") -> Path:
    """The beginning of a clip for the RTSP server, with the number of each picture in its top."""
    path = folder / f"live_{clip.path.stem}_{frames}.{codec}"
    height = round(clip.height * barcode.HEIGHT) // 2 * 2
    strips = (barcode.bar(number, clip.width, height).tobytes() for number in range(frames))
    raw = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{clip.width}x{height}", "-r", RATE, "-i", "-"]
    picture = ["-stream_loop", -1, "-i", clip.path, "-filter_complex", f"[1:v]fps={RATE}[v];[v][0:v]overlay=shortest=1"]
    return _once(path, *raw, *picture, "-frames:v", frames, *_LIVE[codec], feed=strips)


def small(folder: Path) -> Path:
    """A clip so cheap to decode that a small machine bears many of it: 320x240, 200 kbit/s."""
    return _once(folder / "small.h264", "-f", "lavfi", "-i", f"testsrc2=size=320x240:rate={RATE}", "-frames:v", 250,
                 *_X264, "-b:v", "200k", "-maxrate", "250k", "-bufsize", "100k", "-f", "h264")  # fmt: skip


def _once(path: Path, *arguments: Any, feed: Iterable[bytes] = ()) -> Path:
    """Runs ffmpeg unless its output is there. It appears whole or not at all."""
    if path.exists():
        return path
    print(f"making {path.name}", flush=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{os.getpid()}-{path.name}")
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", *map(str, arguments), str(unfinished)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for chunk in feed:
            process.stdin.write(chunk)
    if process.returncode != 0:
        unfinished.unlink(missing_ok=True)
        raise SystemExit(f"{path.name} could not be made")
    return unfinished.rename(path)


def _look(path: Path) -> Clip:
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-count_packets", "-of", "json", "-show_entries",
               "stream=codec_name,width,height,nb_read_packets", path]  # fmt: skip
    told = subprocess.run(command, check=True, capture_output=True).stdout
    streams = json.loads(told)["streams"] or [{}]
    stream = {"codec_name": "", "width": 0, "height": 0, "nb_read_packets": 0, **streams[0]}
    return Clip(path, stream["codec_name"], stream["width"], stream["height"], int(stream["nb_read_packets"]))
