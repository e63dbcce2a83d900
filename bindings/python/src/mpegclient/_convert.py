"""From what Python callers write to what the C library takes."""

from __future__ import annotations

import operator
import os
from fractions import Fraction
from typing import Any, Tuple, Union

from . import errors

Url = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]
ParameterValue = Union[str, bytes, int, bool, Fraction, Tuple[int, int], "os.PathLike[str]", "os.PathLike[bytes]"]


def c_text(value: Url, name: str) -> bytes:
    """Text as C takes it, in UTF-8 without its NUL.

    Raises InvalidArgument for text that holds a NUL, which C would take for the end.
    """
    if isinstance(value, os.PathLike):
        # A path is never an address: libavformat would take what stands before a colon for a protocol.
        path = os.fsencode(value)
        value = path if os.path.isabs(path) else os.path.join(b".", path)
    if isinstance(value, str):
        # What os.fsdecode could not decode goes back to the bytes that it was.
        value = value.encode("utf-8", "surrogateescape")
    if not isinstance(value, bytes):
        raise errors.InvalidArgument(f"{name} is of type {type(value).__name__}, expected str, bytes or a path")
    if b"\0" in value:
        raise errors.InvalidArgument(f"{name} holds a NUL, expected text without one")
    return value


def parameter_text(name: str, value: ParameterValue) -> bytes:
    """A parameter's value as the library's table takes it: ``True`` is on, ``(30000, 1001)`` is 30000/1001."""
    if isinstance(value, bool):
        return b"on" if value else b"off"
    if isinstance(value, Fraction):
        value = (value.numerator, value.denominator)
    if isinstance(value, tuple):
        return _rational_text(name, value)
    if isinstance(value, (str, bytes, os.PathLike)):
        return c_text(value, name)
    try:
        return str(operator.index(value)).encode()
    except TypeError:
        raise errors.InvalidArgument(
            f"{name} is of type {type(value).__name__}, expected str, int, bool, Fraction or (num, den)"
        ) from None


def _rational_text(name: str, value: Tuple[Any, ...]) -> bytes:
    try:
        numerator, denominator = map(operator.index, value)
    except (TypeError, ValueError):
        # Not repeated: it may be a password.
        raise errors.InvalidArgument(f"{name} is another tuple, expected two whole numbers (num, den)") from None
    return f"{numerator}/{denominator}".encode()


def frame_count(value: int) -> int:
    """A number of frames that fits the C type; the library then knows whether it fits the ring."""
    count = operator.index(value)
    if not 1 <= count < 2**32:
        raise errors.InvalidArgument(f"n is {count}, expected 1 to the parameter cache_size")
    return count


def sequence_number(value: int, name: str) -> int:
    """The number of a frame, 0 for before the first."""
    seq = operator.index(value)
    if not 0 <= seq < 2**64:
        raise errors.InvalidArgument(f"{name} is {seq}, expected the number of a frame, or 0")
    return seq
