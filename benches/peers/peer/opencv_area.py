"""OpenCV with the filter of its own that does not alias when shrinking."""

from . import opencv


class Peer(opencv.Peer):
    title = "OpenCV, area"
    interpolation = "INTER_AREA"
