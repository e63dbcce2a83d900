"""How sources end: without a picture, cut off, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from live import all_frames, run_ffmpeg
import mpegclient
from mpegclient import Client, Phase, State, Status, errors
from support import PATIENCE

PICTURE = ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=25"]
H264 = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-g", 25, "-bf", 0, "-b:v", "1M"]


@pytest.fixture(scope="module")
def pictureless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of files of which no picture can be decoded."""
    folder = tmp_path_factory.mktemp("pictureless")
    run_ffmpeg(*PICTURE, "-frames:v", 3, "-c:v", "libwebp_anim", "-loop", 0, folder / "animated.webp")
    key = ["-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb",
           "-encryption_kid", "a7e61c373e219033c21091fa607bf3b8"]  # fmt: skip
    run_ffmpeg(*PICTURE, "-frames:v", 20, *H264, *key, folder / "encrypted.mp4")
    # ITU-T H.264, table 7-1: 5 is the slice of an IDR picture.
    keyless = ["-bsf:v", "filter_units=remove_types=5", "-c", "copy"]
    run_ffmpeg(*PICTURE, "-frames:v", 60, *H264, folder / "all.mp4")
    run_ffmpeg("-i", folder / "all.mp4", *keyless, folder / "keyless.ts")
    return folder


@pytest.mark.parametrize(
    ("name", "status", "cause"),
    [
        ("animated.webp", Status.BAD_DATA, "image data not found"),
        ("encrypted.mp4", Status.UNSUPPORTED, "encrypted"),
        ("keyless.ts", Status.BAD_DATA, "no key frame"),
    ],
)
def test_a_file_of_which_no_picture_is_decoded_fails_with_the_cause(
    pictureless: Path, name: str, status: Status, cause: str
) -> None:
    with Client(pictureless / name) as client:
        client.setup(timeout=PATIENCE)
        client.start()
        try:
            client.read(1, timeout=PATIENCE)
        except errors.StreamFailed:
            pass
        else:
            # FFmpeg 9 decodes animated WebP.
            assert name == "animated.webp" and "libavformat 59." not in mpegclient.build_info()
            return
        failure = client.last_failure()
        assert failure is not None and (failure.status, failure.phase) == (status, Phase.DECODE)
        assert cause in failure.message and not failure.retryable
        assert client.state is State.FAILED
        with pytest.raises(errors.StreamFailed):
            next(iter(client.batches(1)))


def cut(path: Path, share: float) -> Path:
    """The first part of a file."""
    whole = path.read_bytes()
    shortened = path.with_name(f"cut-{path.name}")
    shortened.write_bytes(whole[: int(len(whole) * share)])
    return shortened


@pytest.mark.parametrize("share", [0.5, 0.83])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov", "clip.mkv", "fragments.mp4"])
def test_a_truncated_file_ends_with_a_failure_that_says_so(tmp_path: Path, name: str, share: float) -> None:
    flags = "frag_keyframe+empty_moov" if name.startswith("fragments") else "faststart"
    options = ["-movflags", flags] if name.endswith(("mp4", "mov")) else []
    run_ffmpeg(*PICTURE, "-frames:v", 100, *H264, *options, tmp_path / name)
    for path, is_truncated in ((tmp_path / name, False), (cut(tmp_path / name, share), True)):
        with Client(path, overflow="block") as client:
            client.setup(timeout=PATIENCE)
            client.start()
            frames = sum(1 for _ in all_frames(client))
            failure = client.last_failure()
            assert client.state is State.ENDED
            if not is_truncated:
                assert (frames, failure) == (100, None)
                continue
            assert 100 * share - 30 < frames < 100
            assert failure is not None and failure.status is Status.BAD_DATA and "truncated" in failure.message
