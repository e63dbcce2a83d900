"""What the converter should make of a picture, in float64 and by definitions alone: nothing is libswscale's or ours.

Samples are kept on the scale of 8 bits, whatever their depth. Places are in pixels from the upper left corner, so that
the middle of the first pixel is (0.5, 0.5).
"""

from __future__ import annotations

import math
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Window = Tuple[float, float, float, float]

#: Brightness that red and blue have: ITU-R BT.601, BT.709, BT.2020.
WEIGHTS = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}


#: Takes the bytes of a picture, of a width and a height, apart.
Split = Callable[[bytes, int, int], List[Array]]


class Format(NamedTuple):
    """How ffmpeg lays a picture out in memory."""

    #: yuv, rgb or gray.
    model: str
    depth: int
    #: Pixels from one sample of U and V to the next, across and down.
    pitch: Tuple[int, int]
    #: Yields its channels, opacity last.
    split: Split
    has_alpha: bool = False
    is_full_range: bool = False


def ceil_div(length: int, by: int) -> int:
    return -(-length // by)


def planar(depth: int, pitch: Tuple[int, int], order: str, kind: str = "<u2") -> Split:
    """One plane after the other; ``order`` names the channels, of which u and v are subsampled."""
    dtype = np.dtype("u1" if depth == 8 else kind)

    def split(data: bytes, width: int, height: int) -> List[Array]:
        channels, at = {}, 0
        for name in order:
            wide, high = (ceil_div(width, pitch[0]), ceil_div(height, pitch[1])) if name in "uv" else (width, height)
            plane = np.frombuffer(data, dtype, wide * high, at).reshape(high, wide)
            channels[name] = plane.astype(float) / 2 ** (depth - 8)
            at += plane.nbytes
        return [channels[name] for name in ("yuva" if "y" in order else "rgba") if name in channels]

    return split


def packed(depth: int, order: str, kind: str = "<u2", unused: int = 0) -> Split:
    """Pixels one after the other; ``order`` names their components, x for none."""
    dtype = np.dtype("u1" if depth == 8 else kind)

    def split(data: bytes, width: int, height: int) -> List[Array]:
        pixels = (np.frombuffer(data, dtype).reshape(height, width, len(order)) >> unused) / 2 ** (depth - 8)
        return [pixels[..., order.index(name)] for name in "yrgba" if name in order]

    return split


def semiplanar(depth: int, unused: int = 0) -> Split:
    """A plane of brightness, and one of U and V side by side at half the size."""
    dtype = np.dtype("u1" if depth == 8 else "<u2")

    def split(data: bytes, width: int, height: int) -> List[Array]:
        values = (np.frombuffer(data, dtype) >> unused) / 2 ** (depth - 8)
        both = values[width * height :].reshape(ceil_div(height, 2), ceil_div(width, 2), 2)
        return [values[: width * height].reshape(height, width), both[..., 0], both[..., 1]]

    return split


def packed_422(order: str) -> Split:
    """Two pixels in four bytes, whose places ``order`` names."""

    def split(data: bytes, width: int, height: int) -> List[Array]:
        pairs = np.frombuffer(data, "u1").reshape(height, ceil_div(width, 2), 4).astype(float)
        first, second = (at for at, name in enumerate(order) if name == "y")
        y = np.stack([pairs[..., first], pairs[..., second]], axis=-1).reshape(height, -1)[:, :width]
        return [y, pairs[..., order.index("u")], pairs[..., order.index("v")]]

    return split


def palette(data: bytes, width: int, height: int) -> List[Array]:
    """Numbers of colours, and after them 256 colours of blue, green, red and opacity."""
    numbers = np.frombuffer(data, "u1", width * height).reshape(height, width)
    colors = np.frombuffer(data, "u1", 1024, width * height).reshape(256, 4)[numbers].astype(float)
    return [colors[..., 2], colors[..., 1], colors[..., 0], colors[..., 3]]


def rgb565(data: bytes, width: int, height: int) -> List[Array]:
    """Five, six and five bits; the largest value is white."""
    pixels = np.frombuffer(data, "<u2").reshape(height, width)
    return [(pixels >> 11) * 255 / 31, (pixels >> 5 & 63) * 255 / 63, (pixels & 31) * 255 / 31]


def bits(data: bytes, width: int, height: int) -> List[Array]:
    """A bit a pixel, each row whole bytes; 0 is white."""
    rows = np.frombuffer(data, "u1").reshape(height, -1)
    return [255.0 * (1 - np.unpackbits(rows, axis=1)[:, :width].astype(float))]


FORMATS: Dict[str, Format] = {
    "yuv420p": Format("yuv", 8, (2, 2), planar(8, (2, 2), "yuv")),
    "yuvj420p": Format("yuv", 8, (2, 2), planar(8, (2, 2), "yuv"), is_full_range=True),
    "yuv422p": Format("yuv", 8, (2, 1), planar(8, (2, 1), "yuv")),
    "yuv440p": Format("yuv", 8, (1, 2), planar(8, (1, 2), "yuv")),
    "yuv444p": Format("yuv", 8, (1, 1), planar(8, (1, 1), "yuv")),
    "yuv411p": Format("yuv", 8, (4, 1), planar(8, (4, 1), "yuv")),
    "yuv420p10le": Format("yuv", 10, (2, 2), planar(10, (2, 2), "yuv")),
    "yuv422p10be": Format("yuv", 10, (2, 1), planar(10, (2, 1), "yuv", ">u2")),
    "yuv420p12le": Format("yuv", 12, (2, 2), planar(12, (2, 2), "yuv")),
    "yuv444p12le": Format("yuv", 12, (1, 1), planar(12, (1, 1), "yuv")),
    "yuv444p16le": Format("yuv", 16, (1, 1), planar(16, (1, 1), "yuv")),
    "yuva420p": Format("yuv", 8, (2, 2), planar(8, (2, 2), "yuva"), has_alpha=True),
    "yuva444p10le": Format("yuv", 10, (1, 1), planar(10, (1, 1), "yuva"), has_alpha=True),
    "nv12": Format("yuv", 8, (2, 2), semiplanar(8)),
    "p010le": Format("yuv", 10, (2, 2), semiplanar(10, 6)),
    "yuyv422": Format("yuv", 8, (2, 1), packed_422("yuyv")),
    "uyvy422": Format("yuv", 8, (2, 1), packed_422("uyvy")),
    "gray": Format("gray", 8, (1, 1), planar(8, (1, 1), "y"), is_full_range=True),
    "gray12le": Format("gray", 12, (1, 1), planar(12, (1, 1), "y"), is_full_range=True),
    "gray16be": Format("gray", 16, (1, 1), planar(16, (1, 1), "y", ">u2"), is_full_range=True),
    "ya8": Format("gray", 8, (1, 1), packed(8, "ya"), has_alpha=True, is_full_range=True),
    "monow": Format("gray", 8, (1, 1), bits, is_full_range=True),
    "rgb24": Format("rgb", 8, (1, 1), packed(8, "rgb"), is_full_range=True),
    "bgr24": Format("rgb", 8, (1, 1), packed(8, "bgr"), is_full_range=True),
    "0rgb": Format("rgb", 8, (1, 1), packed(8, "xrgb"), is_full_range=True),
    "rgba": Format("rgb", 8, (1, 1), packed(8, "rgba"), has_alpha=True, is_full_range=True),
    "bgra": Format("rgb", 8, (1, 1), packed(8, "bgra"), has_alpha=True, is_full_range=True),
    "rgba64be": Format("rgb", 16, (1, 1), packed(16, "rgba", ">u2"), has_alpha=True, is_full_range=True),
    "rgb48le": Format("rgb", 16, (1, 1), packed(16, "rgb"), is_full_range=True),
    "gbrp": Format("rgb", 8, (1, 1), planar(8, (1, 1), "gbr"), is_full_range=True),
    "gbrp10le": Format("rgb", 10, (1, 1), planar(10, (1, 1), "gbr"), is_full_range=True),
    "rgb565le": Format("rgb", 8, (1, 1), rgb565, is_full_range=True),
    "pal8": Format("rgb", 8, (1, 1), palette, has_alpha=True, is_full_range=True),
}

def picture_bytes(pixel_format: str, size: Tuple[int, int]) -> int:
    """Bytes of a picture."""
    form, (width, height) = FORMATS[pixel_format], size
    chroma = ceil_div(width, form.pitch[0]) * ceil_div(height, form.pitch[1])
    samples = {"yuv": width * height + 2 * chroma, "rgb": 3 * width * height, "gray": width * height}[form.model]
    return {
        "0rgb": 4 * width * height,
        "monow": ceil_div(width, 8) * height,
        "pal8": width * height + 1024,
        "rgb565le": 2 * width * height,
        "uyvy422": 4 * chroma,
        "yuyv422": 4 * chroma,
    }.get(pixel_format, (samples + (width * height if form.has_alpha else 0)) * (1 if form.depth == 8 else 2))


#: Where the first sample of U and V lies, as a share of its pitch: 0 on the first pixel's middle, 1 on the last one's.
SITES = {"left": (0, 0.5), "center": (0.5, 0.5), "topleft": (0, 0)}


# ---- Filters ----


def cubic(x: float) -> float:
    """Keys' cubic convolution with a = -1/2."""
    x = abs(x)
    if x < 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def lanczos(x: float) -> float:
    """A sinc in a window of three lobes."""
    return float(np.sinc(x) * np.sinc(x / 3)) if abs(x) < 3 else 0.0


KERNELS: Dict[str, Tuple[float, Callable[[float], float]]] = {
    "bilinear": (1, lambda x: max(0.0, 1 - abs(x))),
    "bicubic": (2, cubic),
    "lanczos": (3, lanczos),
}


def weights(name: str, begin: float, length: float, samples: int, outputs: int) -> Array:
    """What each sample counts in each output, for outputs evenly spread over a span of a line of samples."""
    matrix = np.zeros((outputs, samples))
    scale = length / outputs
    for output in range(outputs):
        low = begin + output * scale
        centre = low + scale / 2
        if name == "nearest":
            matrix[output, min(max(math.floor(centre), 0), samples - 1)] = 1
            continue
        stretch = max(scale, 1)
        reach = scale / 2 if name == "area" else KERNELS[name][0] * stretch
        for sample in range(math.floor(centre - reach) - 1, math.ceil(centre + reach) + 1):
            if name == "area":
                weight = max(0.0, min(sample + 1, low + scale) - max(sample, low))
            else:
                weight = KERNELS[name][1]((sample + 0.5 - centre) / stretch)
            matrix[output, min(max(sample, 0), samples - 1)] += weight
        matrix[output] /= matrix[output].sum()
    return matrix


def line(name: str, window: Tuple[float, float], pitch: int, site: float, samples: int, outputs: int) -> Array:
    """The weights of a channel's samples, of which the first lies ``site`` of the way through its pitch."""
    origin = 0.5 + site * (pitch - 1)
    begin, length = (window[0] - origin) / pitch + 0.5, window[1] / pitch
    if name == "auto":
        # Averages where there are more samples than pixels; else cubic, but for colours that are only filled up.
        if length / outputs > 1:
            name = "area"
        else:
            name = "bicubic" if window[1] / outputs < 1 else "bilinear"
    return weights(name, begin, length, samples, outputs)


# ---- Colours ----


def levels(channels: List[Array], model: str, depth: int, matrix: str, is_full_range: bool) -> Array:
    """Red, green and blue from 0 to 255, not yet cut off (ITU-T H.273, clause 8.3)."""
    peak = (2**depth - 1) / 2 ** (depth - 8)
    gain, difference, black = (255 / peak, 255 / peak, 0) if is_full_range else (255 / 219, 255 / 224, 16)
    if model != "yuv":
        return np.stack([(channel - black) * gain for channel in (channels * 3)[:3]], axis=-1)
    red_weight, blue_weight = WEIGHTS[matrix]
    y, u, v = (channels[0] - black) * gain, (channels[1] - 128) * difference, (channels[2] - 128) * difference
    red, blue = y + 2 * (1 - red_weight) * v, y + 2 * (1 - blue_weight) * u
    return np.stack([red, (y - red_weight * red - blue_weight * blue) / (1 - red_weight - blue_weight), blue], axis=-1)


def brightness(rgb: Array, matrix: str) -> Array:
    """What gray8 shows."""
    red_weight, blue_weight = WEIGHTS[matrix]
    return rgb @ np.array([red_weight, 1 - red_weight - blue_weight, blue_weight])


def scaled(
    channels: List[Array], form: Format, name: str, output: Tuple[int, int], window: Window, site: str = "left"
) -> List[Array]:
    """Each channel in the size of the output; chroma is sited as ``site`` specifies."""
    result = []
    for index, channel in enumerate(channels):
        across, down = form.pitch if form.model == "yuv" and index in (1, 2) else (1, 1)
        columns = line(name, (window[0], window[2]), across, SITES[site][0], channel.shape[1], output[0])
        rows = line(name, (window[1], window[3]), down, SITES[site][1], channel.shape[0], output[1])
        result.append(rows @ channel @ columns.T)
    return result


def opacity(
    data: bytes, pixel_format: str, size: Tuple[int, int], output: Tuple[int, int], scale_filter: str = "auto"
) -> Array:
    """The opacity that a picture has beside its colours, from 0 to 255, neither rounded nor cut off there."""
    form = FORMATS[pixel_format]
    alpha = form.split(data, *size)[-1] * 255 / ((2**form.depth - 1) / 2 ** (form.depth - 8))
    return scaled([alpha], FORMATS["gray"], scale_filter, output, (0.0, 0.0, *map(float, size)))[0]


def convert(
    data: bytes,
    pixel_format: str,
    size: Tuple[int, int],
    output: Tuple[int, int],
    scale_filter: str = "auto",
    matrix: Optional[str] = None,
    full_range: Optional[bool] = None,
    site: str = "left",
    window: Optional[Window] = None,
) -> Array:
    """The picture that should come of the bytes of one: (height, width, 3), black at 0 and white at 255, neither rounded
    nor cut off there, and on black if it has opacity.

    ``window`` is the part of the picture that is shown: left, upper edge, width, height.
    """
    form, (width, height) = FORMATS[pixel_format], size
    matrix = matrix or ("bt709" if height >= 720 else "bt601")
    full = form.is_full_range if full_range is None else full_range
    channels = form.split(data, width, height)
    depth = form.depth

    whole = (0.0, 0.0, float(width), float(height))
    if form.has_alpha:
        *colors, alpha = scaled(channels, form, "auto", size, whole, site)
        seen = alpha / ((2**depth - 1) / 2 ** (depth - 8))
        flat = np.clip(levels(colors, form.model, depth, matrix, full), 0, 255) * seen[..., None]
        flat_channels = [flat[..., n] for n in range(3)]
        return np.stack(scaled(flat_channels, FORMATS["rgb24"], scale_filter, output, window or whole), axis=-1)
    shown = scaled(channels, form, scale_filter, output, window or whole, site)
    return levels(shown, form.model, depth, matrix, full)
