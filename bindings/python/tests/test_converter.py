"""Colours, scaling and geometry, against a conversion in float64 that has nothing from the library."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Tuple

import numpy as np
import pytest

from live import Numbers, Pixels, run_ffmpeg
from mpegclient import Client, FrameInfo, Order, StreamInfo, errors
from reference import FORMATS, SITES, brightness, convert, levels, line, opacity, picture_bytes, scaled
from support import PATIENCE

#: Levels that a channel may be off.
TOLERANCE = 2.0

Size = Tuple[int, int]

#: Even, odd and tiny.
SIZES: List[Size] = [(64, 48), (33, 19), (3, 2), (1, 1)]

#: What is made of each clip besides the picture in its own size: pixel format, size and filter.
OUTPUTS = [
    ("bgr24", (20, 15), "auto"),
    ("rgba", (40, 70), "bicubic"),
    ("gray8", (17, 30), "lanczos"),
    ("rgb24", (13, 37), "bilinear"),
    ("rgba", (130, 5), "nearest"),
    ("bgr24", (45, 10), "area"),
    ("gray8", (9, 7), "auto"),
]


class Clip(NamedTuple):
    """What a client makes of a source."""

    frames: Pixels
    infos: List[FrameInfo]
    stream: StreamInfo


def read_all(source: Path, **parameters: Any) -> Clip:
    """Every frame of a file."""
    frames, infos, last = [], [], 0
    with Client(str(source), overflow="block", **parameters) as client:
        client.setup(timeout=PATIENCE)
        client.start()
        while True:
            try:
                batch = client.read(1, order=Order.NEXT, after=last, timeout=PATIENCE)
            except errors.Ended:
                return Clip(np.concatenate(frames), infos, client.stream_info())
            frames.append(batch.frames)
            infos.extend(batch.infos)
            last = batch.last_seq


def read_raw(folder: Path, data: bytes, stored: str, size: Size, **parameters: Any) -> Clip:
    """Every frame of pictures that have neither container nor codec, and so nothing that could change them."""
    file = folder / "pictures.raw"
    file.write_bytes(data)
    options = {"av.pixel_format": stored, "av.video_size": f"{size[0]}x{size[1]}"}
    return read_all(file, input_format="rawvideo", **options, **parameters)


def check(
    frame: Pixels, expected: Numbers, what: str, order: str = "rgb24", matrix: str = "bt601", seen: Numbers | None = None
) -> None:
    """Fails if any channel of any pixel is not what it should be; ``seen`` is the opacity that a picture has."""
    if order == "gray8":
        expected = brightness(expected, matrix)[..., None]
    elif order == "bgr24":
        expected = expected[..., ::-1]
    elif order == "rgba":
        seen = np.full(frame.shape[:2], 255.0) if seen is None else seen.clip(0, 255)
        worst = np.abs(frame[..., 3] - seen).max()
        assert worst <= 1, f"opacity of {what}: {worst:.2f} levels off"
        # On black, the colours are those of the picture that has no opacity.
        frame, expected = frame[..., :3] * (seen[..., None] / 255), np.minimum(expected, seen[..., None])
    worst = np.abs(frame.astype(float) - expected.clip(0, 255)).max()
    assert worst <= TOLERANCE, f"{what}: {worst:.2f} levels off"


# ---- Pictures ----


def bars(width: int, height: int) -> Pixels:
    """White, yellow, cyan, green, magenta, red, blue and black, side by side."""
    number = 7 - np.arange(width) * 8 // width
    colors = np.stack([number >> 1 & 1, number >> 2 & 1, number & 1], axis=-1) * 255
    return np.broadcast_to(colors.astype(np.uint8), (height, width, 3))


def photograph(width: int, height: int) -> Pixels:
    """Slopes, edges and a little noise, as photographs have them."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    slopes = np.stack([np.sin(3 * x + 2 * y), np.cos(5 * x * y), np.sin(7 * y - 4 * x)], axis=-1) * 90 + 128
    disc = ((x - 0.4) ** 2 + (y - 0.6) ** 2 < 0.08)[..., None] * np.array([60, -80, 40])
    noise = np.random.default_rng(5).normal(0, 4, (height, width, 3))
    return (slopes + disc + noise).clip(0, 255).astype(np.uint8)


def noise(pixel_format: str, size: Size) -> bytes:
    """Any values that a format can hold."""
    chance = np.random.default_rng(7)
    count, depth = picture_bytes(pixel_format, size), FORMATS[pixel_format].depth
    if depth == 8:
        return chance.integers(0, 256, count, np.uint8).tobytes()
    values = chance.integers(0, 2**depth, count // 2, np.uint16) << (6 if pixel_format == "p010le" else 0)
    return values.astype(">u2" if pixel_format.endswith("be") else "<u2").tobytes()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Dict[Tuple[str, Size], List[bytes]]:
    """Bars, a photograph and noise in every format and size. ffmpeg makes the first two from RGB; how well, is no
    matter."""
    folder = tmp_path_factory.mktemp("pictures")
    result = {}
    for size in SIZES:
        source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[0]}x{size[1]}", "-i", "-"]
        outputs = [part for name in FORMATS for part in ("-pix_fmt", name, "-f", "rawvideo", folder / f"{name}.raw")]
        run_ffmpeg(*source, *outputs, feed=[bars(*size).tobytes(), photograph(*size).tobytes()])
        for name in FORMATS:
            data, length = (folder / f"{name}.raw").read_bytes(), picture_bytes(name, size)
            assert len(data) == 2 * length, f"{name} of {size}"
            result[name, size] = [data[:length], data[length:], noise(name, size)]
    return result


# ---- Colours and scaling ----


@pytest.mark.parametrize("pixel_format", FORMATS)
def test_every_format_is_converted_as_in_float64(
    pixel_format: str, pictures: Dict[Tuple[str, Size], List[bytes]], tmp_path: Path
) -> None:
    site = "center" if pixel_format.startswith("yuvj") else "left"
    turn = list(FORMATS).index(pixel_format)
    for n, size in enumerate(SIZES):
        for order, output, name in [("rgb24", size, "auto"), OUTPUTS[(turn + 3 * n) % len(OUTPUTS)]]:
            width, height = (0, 0) if output == size else output
            clip = read_raw(tmp_path, b"".join(pictures[pixel_format, size]), pixel_format, size, width=width,
                            height=height, pixel_format=order, scale_filter=name)  # fmt: skip
            assert clip.frames.shape == (3, output[1], output[0], {"gray8": 1, "rgba": 4}.get(order, 3))
            assert clip.stream.pixel_format == pixel_format
            for kind, frame, data in zip(("bars", "photograph", "noise"), clip.frames, pictures[pixel_format, size]):
                expected = convert(data, pixel_format, size, output, name, site=site)
                seen = opacity(data, pixel_format, size, output, name) if FORMATS[pixel_format].has_alpha else None
                check(frame, expected, f"{kind} of {size}, {name} to {order} of {output}", order, seen=seen)


@pytest.mark.parametrize("name", ["area", "bilinear", "bicubic", "lanczos", "nearest", "auto"])
def test_every_filter_is_that_of_its_name(
    name: str, pictures: Dict[Tuple[str, Size], List[bytes]], tmp_path: Path
) -> None:
    size, data = SIZES[1], pictures["yuv420p", SIZES[1]]
    for output in [(7, 5), (33, 19), (66, 38), (16, 100), (500, 1)]:
        sides = {"width": output[0], "height": output[1]}
        clip = read_raw(tmp_path, b"".join(data), "yuv420p", size, scale_filter=name, **sides)
        for frame, picture in zip(clip.frames, data):
            check(frame, convert(picture, "yuv420p", size, output, name), f"{name} to {output}")


#: Formats whose channels are all of one plane each, in every depth that is read in its own way.
EXTREME_FORMATS = ["yuv444p", "yuv420p", "yuv422p10be", "yuv444p12le", "yuv444p16le", "gbrp10le", "gray", "yuva444p10le"]

#: Enlarged, close to its own size, where sharp filters overshoot most, and reduced.
EXTREME_OUTPUTS: List[Size] = [(61, 47), (23, 18), (9, 7)]


def extremes(pixel_format: str, size: Size, output: Size, name: str) -> List[bytes]:
    """Pictures of the least and the largest values alone that take the middle of the output as far as the filter can, up
    and down for each channel."""
    form = FORMATS[pixel_format]
    kind = np.dtype("u1" if form.depth == 8 else ">u2" if pixel_format.endswith("be") else "<u2")
    count = {"yuv": 3, "rgb": 3, "gray": 1}[form.model]
    signs = []
    for index in range(count):
        across, down = form.pitch if form.model == "yuv" and index in (1, 2) else (1, 1)
        wide, high = -(-size[0] // across), -(-size[1] // down)
        columns = line(name, (0, size[0]), across, SITES["left"][0], wide, output[0])[output[0] // 2]
        rows = line(name, (0, size[1]), down, SITES["left"][1], high, output[1])[output[1] // 2]
        signs.append(np.outer(rows, columns) >= 0)
    opaque = [np.full(signs[0].shape, 2**form.depth - 1, kind)] if form.has_alpha else []
    result = []
    for turn in range(2**count):
        planes = [(sign ^ bool(turn >> n & 1)) * np.array(2**form.depth - 1, kind) for n, sign in enumerate(signs)]
        result.append(b"".join(plane.astype(kind).tobytes() for plane in planes + opaque))
    return result


@pytest.mark.parametrize("pixel_format", EXTREME_FORMATS)
@pytest.mark.parametrize("name", ["area", "bilinear", "bicubic", "lanczos", "nearest", "auto"])
def test_extremes_are_converted_as_in_float64(name: str, pixel_format: str, tmp_path: Path) -> None:
    form, size = FORMATS[pixel_format], (22, 17)
    matrices = ["bt601", "bt709", "bt2020"] if name == "lanczos" and form.model == "yuv" else ["bt601"]
    for output in EXTREME_OUTPUTS:
        data = extremes(pixel_format, size, output, name)
        for matrix, told_range in product(matrices, ["limited", "full"] if form.model == "yuv" else ["full"]):
            clip = read_raw(tmp_path, b"".join(data), pixel_format, size, width=output[0], height=output[1],
                            scale_filter=name, color_matrix=matrix, color_range=told_range)  # fmt: skip
            assert len(clip.frames) == len(data)
            for turn, (frame, picture) in enumerate(zip(clip.frames, data)):
                expected = convert(picture, pixel_format, size, output, name, matrix, told_range == "full")
                check(frame, expected, f"{pixel_format} {turn:03b} by {name} to {output}, {matrix} {told_range}")


def test_a_large_picture_is_bt709_unless_it_says_otherwise(tmp_path: Path) -> None:
    for height, matrix in ((720, "bt709"), (718, "bt601")):
        size, data = (64, height), noise("yuv420p", (64, height))
        clip = read_raw(tmp_path, data, "yuv420p", size)
        check(clip.frames[0], convert(data, "yuv420p", size, size, matrix=matrix), f"{height} lines")
        assert clip.stream.color_matrix == {"bt709": "bt709", "bt601": "bt470bg"}[matrix]
        clip = read_raw(tmp_path, data, "yuv420p", size, color_matrix="bt2020", color_range="full")
        check(clip.frames[0], convert(data, "yuv420p", size, size, matrix="bt2020", full_range=True), "as the user says")
        assert (clip.stream.color_matrix, clip.stream.color_range) == ("bt2020nc", "pc")


def lossless(file: Path, data: bytes, pixel_format: str, size: Size, *options: Any) -> Path:
    """Pictures in FFV1 and Matroska, which keeps them as they are and tells what the options say of them."""
    source = ["-f", "rawvideo", "-pix_fmt", pixel_format, "-s", f"{size[0]}x{size[1]}", "-i", "-"]
    run_ffmpeg(*source, "-c:v", "ffv1", *options, file, feed=[data])
    return file


#: What a stream says, in ffmpeg's words, and what follows: matrix, full range, place of the chroma samples.
TAGS = [
    ("bt709", "tv", "unspecified", ("bt709", False, "left")),
    ("bt470bg", "pc", "center", ("bt601", True, "center")),
    ("smpte170m", "tv", "topleft", ("bt601", False, "topleft")),
    ("bt709", "pc", "left", ("bt709", True, "left")),
    ("bt2020nc", "tv", "unspecified", ("bt2020", False, "topleft")),
    ("bt2020nc", "tv", "left", ("bt2020", False, "left")),
]


@pytest.mark.parametrize(("space", "told_range", "location", "means"), TAGS)
def test_colours_are_what_the_stream_says(
    space: str, told_range: str, location: str, means: Tuple[str, bool, str], tmp_path: Path
) -> None:
    size, (matrix, is_full, site) = (34, 22), means
    for pixel_format in ("yuv420p", "yuv420p10le"):
        data = noise(pixel_format, size)
        options = ["-colorspace", space, "-color_range", told_range, "-chroma_sample_location", location]
        clip = read_all(lossless(tmp_path / "tagged.mkv", data, pixel_format, size, *options))
        expected = convert(data, pixel_format, size, size, matrix=matrix, full_range=is_full, site=site)
        check(clip.frames[0], expected, pixel_format)
        assert (clip.stream.color_matrix, clip.stream.color_range) == (space, told_range)
        assert not clip.stream.is_hdr


def test_high_dynamic_range_is_told_and_converted_by_its_matrix(tmp_path: Path) -> None:
    size, data = (32, 20), noise("yuv420p10le", (32, 20))
    for transfer in ("smpte2084", "arib-std-b67"):
        options = ["-colorspace", "bt2020nc", "-color_range", "tv", "-color_primaries", "bt2020", "-color_trc", transfer]
        clip = read_all(lossless(tmp_path / "hdr.mkv", data, "yuv420p10le", size, *options))
        assert clip.stream.is_hdr
        assert (clip.stream.color_primaries, clip.stream.color_transfer) == ("bt2020", transfer)
        check(clip.frames[0], convert(data, "yuv420p10le", size, size, matrix="bt2020", site="topleft"), transfer)


def light_of(signal: Numbers) -> Numbers:
    """The inverse of the transfer function of ITU-R BT.2020, table 4."""
    alpha, beta = 1.09929682680944, 0.018053968510807
    signal = np.clip(signal, 0, 1)
    return np.where(signal < 4.5 * beta, signal / 4.5, ((signal + alpha - 1) / alpha) ** (1 / 0.45))


def signal_of(light: Numbers) -> Numbers:
    """The transfer function of ITU-R BT.2020, table 4."""
    alpha, beta = 1.09929682680944, 0.018053968510807
    light = np.clip(light, 0, 1)
    return np.where(light < beta, 4.5 * light, alpha * light**0.45 - (alpha - 1))


def constant_luminance(y: Numbers, u: Numbers, v: Numbers) -> Numbers:
    """Levels of red, green and blue by ITU-R BT.2020, table 4, for brightness from 0 to 1 and differences around 0."""
    blue = y + u * np.where(u < 0, 1.9404, 1.5816)
    red = y + v * np.where(v < 0, 1.7184, 0.9936)
    green = signal_of((light_of(y) - 0.2627 * light_of(red) - 0.0593 * light_of(blue)) / 0.6780)
    return 255 * np.stack([red, green, blue], axis=-1)


def pq_light(signal: Numbers) -> Numbers:
    """ITU-R BT.2100, table 4."""
    power = np.clip(signal, 0, 1) ** (32 / 2523)
    return (np.maximum(power - 107 / 128, 0) / (2413 / 128 - 2392 / 128 * power)) ** (16384 / 2610)


def pq_signal(light: Numbers) -> Numbers:
    """ITU-R BT.2100, table 4."""
    power = np.clip(light, 0, 1) ** (2610 / 16384)
    return ((107 / 128 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def ictcp(i: Numbers, t: Numbers, p: Numbers) -> Numbers:
    """Levels of red, green and blue by the inverse of ITU-R BT.2100, table 7, for PQ."""
    cones = np.array([[2048, 2048, 0], [6610, -13613, 7003], [17933, -17390, -543]]) / 4096
    light = np.array([[1688, 2146, 262], [683, 2951, 462], [99, 309, 3688]]) / 4096
    responses = pq_light(np.stack([i, t, p], axis=-1) @ np.linalg.inv(cones).T)
    return 255 * pq_signal(responses @ np.linalg.inv(light).T)


NONLINEAR = [
    ("bt2020c", "bt2020-10", "yuv420p10le", constant_luminance),
    ("bt2020c", "unknown", "yuv420p", constant_luminance),
    ("ictcp", "smpte2084", "yuv444p12le", ictcp),
]


@pytest.mark.parametrize(("space", "transfer", "pixel_format", "levels_of"), NONLINEAR)
def test_colours_coded_from_light_are_converted_by_way_of_light(
    space: str, transfer: str, pixel_format: str, levels_of: Any, tmp_path: Path
) -> None:
    size, form = (34, 22), FORMATS[pixel_format]
    data = noise(pixel_format, size)
    options = ["-colorspace", space, "-color_trc", transfer, "-color_range", "tv", "-color_primaries", "bt2020"]
    file = lossless(tmp_path / "light.mkv", data, pixel_format, size, *options)
    whole = (0.0, 0.0, *map(float, size))
    y, u, v = scaled(form.split(data, *size), form, "auto", size, whole, "topleft")
    flat = levels_of((y - 16) / 219, (u - 128) / 224, (v - 128) / 224).clip(0, 255)
    clip = read_all(file)
    check(clip.frames[0], flat, space)
    assert clip.stream.color_matrix == space
    for output in [(17, 11), (60, 50)]:
        expected = scaled([flat[..., n] for n in range(3)], FORMATS["rgb24"], "auto", output, whole)
        smaller = read_all(file, width=output[0], height=output[1], pixel_format="bgr24").frames[0]
        check(smaller, np.stack(expected, axis=-1), f"{space} to {output}", "bgr24")
    # Brightness is what was sent as such.
    gray = read_all(file, pixel_format="gray8").frames[0]
    assert np.abs(gray[..., 0] - ((y - 16) / 219 * 255).clip(0, 255)).max() <= TOLERANCE


# ---- Opacity ----


@pytest.mark.parametrize("pixel_format", ["rgba", "ya8", "yuva444p10le"])
def test_colours_beside_opacity_are_those_of_the_source(pixel_format: str, tmp_path: Path) -> None:
    """Where nothing is scaled, also where next to nothing or nothing is seen."""
    size, form = (33, 19), FORMATS[pixel_format]
    data = noise(pixel_format, size)
    frame = read_raw(tmp_path, data, pixel_format, size, pixel_format="rgba").frames[0]
    *channels, _ = form.split(data, *size)
    colors = levels(channels, form.model, form.depth, "bt601", form.is_full_range).clip(0, 255)
    assert np.abs(frame[..., :3] - colors).max() <= 1
    assert np.abs(frame[..., 3] - opacity(data, pixel_format, size, size)).max() <= 1


def test_no_colour_comes_from_where_nothing_is_seen(tmp_path: Path) -> None:
    """Red beside a green that is transparent stays red at every size."""
    picture = np.zeros((16, 32, 4), np.uint8)
    picture[:, :16], picture[:, 16:] = (255, 0, 0, 255), (0, 255, 0, 0)
    for name in ["area", "bilinear", "bicubic", "lanczos"]:
        for output in [(9, 5), (50, 40)]:
            clip = read_raw(tmp_path, picture.tobytes(), "rgba", (32, 16), width=output[0], height=output[1],
                            pixel_format="rgba", scale_filter=name)  # fmt: skip
            seen = clip.frames[0][clip.frames[0][..., 3] > 8]
            assert len(seen) and (seen[:, 0] >= 250).all() and (seen[:, 1:3] == 0).all()


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
def test_the_opacity_of_vp8_and_vp9_is_kept_or_composited(codec: str, tmp_path: Path) -> None:
    size, count = (96, 64), 8
    y, x = np.mgrid[: size[1], : size[0]]
    opacities = [(2 * x + y + 8 * number).astype(np.uint8) for number in range(count)]
    source = ["-f", "rawvideo", "-pix_fmt", "rgba", "-s", "96x64", "-r", 25, "-i", "-"]
    pictures = [np.dstack([photograph(*size), seen]).tobytes() for seen in opacities]
    encoder = ["-c:v", codec, "-pix_fmt", "yuva420p", "-auto-alt-ref", 0, "-crf", 4, "-b:v", "8M", "-g", 4]
    run_ffmpeg(*source, *encoder, tmp_path / "alpha.webm", feed=pictures)
    kept = read_all(tmp_path / "alpha.webm", pixel_format="rgba")
    assert kept.frames.shape == (count, 64, 96, 4) and kept.stream.pixel_format == "yuva420p"
    # The ffmpeg program decodes it with the codec's own library.
    command = ["ffmpeg", "-v", "error", "-c:v", codec, "-i", tmp_path / "alpha.webm", "-vf", "alphaextract", "-f"]
    theirs = subprocess.run([*command, "rawvideo", "-"], check=True, capture_output=True, timeout=60).stdout
    assert np.array_equal(kept.frames[..., 3].ravel(), np.frombuffer(theirs, np.uint8))
    assert np.abs(kept.frames[..., 3].astype(int) - opacities).mean() < 4
    flat = read_all(tmp_path / "alpha.webm")
    assert np.abs(flat.frames - kept.frames[..., :3] * (kept.frames[..., 3:] / 255)).max() <= TOLERANCE
    # A stream without opacity is opaque.
    run_ffmpeg("-i", tmp_path / "alpha.webm", "-c", "copy", "-f", "ivf", tmp_path / "opaque.ivf")
    opaque = read_all(tmp_path / "opaque.ivf", pixel_format="rgba")
    assert (opaque.frames[..., 3] == 255).all() and opaque.stream.pixel_format == "yuv420p"
    assert np.abs(opaque.frames[..., :3].astype(int) - kept.frames[..., :3]).max() <= 1


# ---- Geometry ----


def back(info: FrameInfo, *points: Tuple[float, float]) -> List[Tuple[float, ...]]:
    """Places in the source's picture, rounded to what a float holds of them."""
    return [tuple(np.round(point, 9)) for point in info.points_to_source(points)]


def test_sides_follow_from_the_shape_that_is_shown(tmp_path: Path) -> None:
    data = noise("yuv420p", (72, 58))
    wide = lossless(tmp_path / "wide.mkv", data, "yuv420p", (72, 58), "-vf", "setsar=16/9")
    for asked, shape in [((0, 0), (58, 128)), ((64, 0), (29, 64)), ((0, 29), (29, 64)), ((30, 30), (30, 30))]:
        clip = read_all(wide, width=asked[0], height=asked[1])
        assert clip.frames.shape[1:3] == shape and clip.stream.sample_aspect_ratio == Fraction(16, 9)
        check(clip.frames[0], convert(data, "yuv420p", (72, 58), shape[::-1]), str(asked))
        assert back(clip.infos[0], (0, 0), shape[::-1]) == [(0, 0), (72, 58)]
    assert read_all(wide, sample_aspect_ratio="1/1").frames.shape[1:3] == (58, 72)


def test_pictures_are_letterboxed(tmp_path: Path) -> None:
    size, data = (64, 36), noise("yuv420p", (64, 36))
    bars = {"rgb24": (255, 128, 0), "bgr24": (0, 128, 255), "rgba": (255, 128, 0, 255), "gray8": (151,)}
    for order, bar in bars.items():
        padding = {"fit": "letterbox", "pad_color": "FF8000"}
        clip = read_raw(tmp_path, data, "yuv420p", size, width=32, height=32, pixel_format=order, **padding)
        frame = clip.frames[0]
        assert (frame[:7] == bar).all() and (frame[25:] == bar).all()
        check(frame[7:25], convert(data, "yuv420p", size, (32, 18)), order, order)
        assert back(clip.infos[0], (0, 7), (32, 25)) == [(0, 0), size]
        assert clip.infos[0].boxes_to_source([[0, 7, 16, 16]]).round(9).tolist() == [[0, 0, 32, 18]]
    frame = read_raw(tmp_path, data, "yuv420p", size, width=99, height=9, fit="letterbox").frames[0]
    assert (frame[:, :41] == 0x72).all() and (frame[:, 57:] == 0x72).all()
    check(frame[:, 41:57], convert(data, "yuv420p", size, (16, 9)), "bars at the sides")


def test_pictures_are_cropped(tmp_path: Path) -> None:
    size, data = (64, 36), noise("yuv420p", (64, 36))
    windows: Dict[Size, Tuple[float, float, float, float]] = {
        (20, 20): (14, 0, 36, 36),
        (50, 10): (0, 11.6, 64, 12.8),
        (33, 47): (32 - 594 / 47, 0, 1188 / 47, 36),
    }
    for output, window in windows.items():
        clip = read_raw(tmp_path, data, "yuv420p", size, width=output[0], height=output[1], fit="crop")
        check(clip.frames[0], convert(data, "yuv420p", size, output, window=window), str(output))
        corners = np.array([window[:2], np.add(window[:2], window[2:])])
        assert np.allclose(clip.infos[0].points_to_source([(0, 0), output]), corners)


#: The matrices that a track's header may hold: a, b, c and d, and what they do to rows and columns.
MATRICES = [
    ((1, 0, 0, 1), lambda p: p, (0, False)),
    ((0, 1, -1, 0), lambda p: np.rot90(p, -1), (90, False)),
    ((-1, 0, 0, -1), lambda p: np.rot90(p, 2), (180, False)),
    ((0, -1, 1, 0), lambda p: np.rot90(p, 1), (270, False)),
    ((-1, 0, 0, 1), np.fliplr, (0, True)),
    ((1, 0, 0, -1), np.flipud, (180, True)),
    ((0, 1, 1, 0), lambda p: p.swapaxes(0, 1), (270, True)),
    ((0, -1, -1, 0), lambda p: np.rot90(p, 2).swapaxes(0, 1), (90, True)),
]


@pytest.fixture(scope="module")
def movie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of one picture that looks different from each side, without loss."""
    file = tmp_path_factory.mktemp("movie") / "upright.mp4"
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "50x38", "-i", "-"]
    run_ffmpeg(*source, "-c:v", "libx264", "-qp", 0, "-pix_fmt", "yuv444p", file, feed=[photograph(50, 38).tobytes()])
    return file


def with_matrix(movie: Path, a: int, b: int, c: int, d: int) -> Path:
    """The movie with another matrix in its track's header (ISO/IEC 14496-12, clause 8.3.2)."""
    data = bytearray(movie.read_bytes())
    at = data.index(b"tkhd") + 44
    matrix = np.array([a, b, 0, c, d, 0, 0, 0, 0x4000], ">i4") * np.array([65536] * 9)
    data[at : at + 36] = matrix.astype(">i4").tobytes()
    turned = movie.with_name("turned.mp4")
    turned.write_bytes(data)
    return turned


@pytest.mark.parametrize(("matrix", "turn", "told"), MATRICES)
def test_pictures_are_turned_as_the_stream_says(matrix: Any, turn: Any, told: Any, movie: Path) -> None:
    upright = read_all(movie).frames[0]
    turned = with_matrix(movie, *matrix)
    clip = read_all(turned)
    assert np.array_equal(clip.frames[0], turn(upright))
    assert np.array_equal(read_all(turned, pixel_format="rgba").frames[0][..., :3], turn(upright))
    assert (clip.stream.rotation, clip.stream.is_mirrored) == told
    assert (clip.infos[0].source_width, clip.infos[0].source_height) == (50, 38)
    # Every pixel leads back to the one that it shows.
    high, wide = clip.frames.shape[1:3]
    y, x = np.mgrid[:high, :wide] + 0.5
    places = np.floor(clip.infos[0].points_to_source(np.stack([x, y], axis=-1))).astype(int)
    assert np.array_equal(upright[places[..., 1], places[..., 0]], clip.frames[0])
    # ffmpeg, too, shows it that way.
    command = ["ffmpeg", "-v", "error", "-i", turned, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    theirs = np.frombuffer(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout, np.uint8)
    assert np.abs(theirs.reshape(clip.frames[0].shape).astype(int) - clip.frames[0]).mean() < 2
    assert np.array_equal(read_all(turned, rotation="0").frames[0], upright)


def test_what_is_not_known_of_the_pictures_yet_is_none(movie: Path) -> None:
    """Before the first picture, unless a parameter settles it."""
    turned = with_matrix(movie, 0, -1, -1, 0)
    with Client(str(turned)) as client:
        client.setup(timeout=PATIENCE)
        stream = client.stream_info()
        assert (stream.rotation, stream.is_mirrored, stream.is_hdr) == (None, None, None)
        assert (stream.pixel_format, stream.color_matrix, stream.color_range) == ("", "", "")
        client.start()
        client.read(1, timeout=PATIENCE)
        stream = client.stream_info()
        assert (stream.rotation, stream.is_mirrored, stream.is_hdr) == (90, True, False)
    with Client(str(turned), rotation="180", sample_aspect_ratio="3/2") as client:
        client.setup(timeout=PATIENCE)
        stream = client.stream_info()
        assert (stream.rotation, stream.is_mirrored, stream.is_hdr) == (180, False, None)
        assert stream.sample_aspect_ratio == Fraction(3, 2)


@pytest.mark.parametrize(("rotation", "quarters"), [("90", -1), ("180", 2), ("270", 1)])
def test_pictures_are_turned_as_the_user_says(rotation: str, quarters: int, tmp_path: Path) -> None:
    size, data = (64, 36), noise("yuv420p", (64, 36))
    shape = {"width": 30, "height": 40, "fit": "letterbox", "pixel_format": "gray8"}
    clip = read_raw(tmp_path, data, "yuv420p", size, rotation=rotation, **shape)
    if rotation == "180":
        inner, expected = clip.frames[0][11:28], convert(data, "yuv420p", size, (30, 17))
    else:
        inner, expected = clip.frames[0][:, 3:26], convert(data, "yuv420p", size, (40, 23))
    check(inner, np.rot90(expected, quarters), rotation, "gray8")
    box = clip.infos[0].boxes_to_source([0, 11, 30, 28] if rotation == "180" else [3, 0, 26, 40])
    assert np.allclose(box, (0, 0, 64, 36))


def test_a_stream_that_changes_is_fitted_anew(tmp_path: Path) -> None:
    """Size, shape of pixels and colours change within the stream; the frames' shape does not."""
    parts = []
    for name, size, aspect, matrix in [("a", (64, 48), "1/1", "bt709"), ("b", (32, 64), "2/1", "smpte170m")]:
        source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[0]}x{size[1]}", "-i", "-"]
        options = ["-vf", f"setsar={aspect}", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-qp", 0, "-colorspace", matrix]
        run_ffmpeg(*source, *options, "-f", "h264", tmp_path / name, feed=[photograph(*size).tobytes()] * 3)
        parts.append((tmp_path / name).read_bytes())
    (tmp_path / "change.h264").write_bytes(b"".join(parts))
    clip = read_all(tmp_path / "change.h264", width=60, height=40, fit="letterbox")
    assert len(clip.frames) == 6 and clip.stream.color_matrix == "smpte170m"
    assert [(info.source_width, info.source_height) for info in clip.infos] == [(64, 48)] * 3 + [(32, 64)] * 3
    assert back(clip.infos[0], (3, 0), (56, 40)) == [(0, 0), (64, 48)]
    assert back(clip.infos[5], (10, 0), (50, 40)) == [(0, 0), (32, 64)]
    assert (clip.frames[0][:, :3] == 0x72).all() and (clip.frames[5][:, :10] == 0x72).all()
