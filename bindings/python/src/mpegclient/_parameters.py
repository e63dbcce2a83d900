"""The parameters of a client by name, and the table that lists them."""

from __future__ import annotations

import ctypes
from fractions import Fraction
from functools import lru_cache
from typing import Any, Dict, Iterator, List, Mapping, Tuple, Union

from . import errors
from ._c import MpegClientParameterInfo, library, read_text
from ._convert import ParameterValue, c_text, parameter_text
from ._handle import Handle
from .constants import ParameterKind
from .records import ParameterInfo


def parameters() -> List[ParameterInfo]:
    """The table of all parameters there are, apart from libav's own, which are called ``av.<option>``."""
    return list(_table().values())


@lru_cache(maxsize=None)
def _table() -> Dict[str, ParameterInfo]:
    table = {}
    for index in range(library.mpegclient_parameter_count()):
        info = MpegClientParameterInfo()
        library.mpegclient_parameter_describe(index, ctypes.byref(info))
        row = ParameterInfo.from_c(info)
        table[row.key] = row
    return table


class Parameters:
    """A client's parameters, used like a dictionary. ::

        client.parameters["frame_rate"] = (30000, 1001)
        client.parameters.update(width=480, reconnect=False)
        dict(client.parameters)

    Values are given as str, int, bool (for on and off), fractions.Fraction or (num, den), and come back as int where
    the parameter is a whole number, as Fraction where it is a rate, as str otherwise. Times are milliseconds. A libav
    option is called ``av.<option>``; it is not listed, and an empty value takes it away.

    Raises errors.UnknownParameter, which is no KeyError, for a name that the table lacks, and errors.InvalidArgument
    for a value that the parameter does not take; nothing has changed then.
    """

    # Not a collections.abc.Mapping, whose methods take a missing key to be a KeyError.

    def __init__(self, handle: Handle) -> None:
        """The parameters of the client behind a handle."""
        self._handle = handle

    def __getitem__(self, name: str) -> Any:
        with self._handle as client:
            text = read_text(library.mpegclient_get_parameter, client, c_text(name, "name"))
        return _typed(name, text)

    def __setitem__(self, name: str, value: ParameterValue) -> None:
        with self._handle as client:
            library.mpegclient_set_parameter(client, c_text(name, "name"), parameter_text(name, value))

    def __contains__(self, name: str) -> bool:
        try:
            self[name]
        except errors.UnknownParameter:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(_table())

    def __len__(self) -> int:
        return len(_table())

    def keys(self) -> List[str]:
        """The names of the table."""
        return list(self)

    def items(self) -> List[Tuple[str, Any]]:
        """The names of the table, each with its value."""
        return [(name, self[name]) for name in self]

    def update(self, values: Mapping[str, ParameterValue] = {}, **more: ParameterValue) -> None:
        """Sets several; those before one that is refused stay set."""
        for name, value in {**values, **more}.items():
            self[name] = value

    def __repr__(self) -> str:
        # No values: among them are passwords.
        return f"<mpegclient.Parameters: {', '.join(self)}>"


def _typed(name: str, text: str) -> Union[str, int, Fraction]:
    row = _table().get(name)
    if row is not None and row.kind == ParameterKind.INTEGER:
        return int(text)
    if row is not None and row.kind == ParameterKind.RATIONAL:
        return Fraction(text)
    return text
