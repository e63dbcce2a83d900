"""The bindings against the C header: every constant, struct and function, and sizes as the compiler sees them."""

from __future__ import annotations

import ctypes
import enum
import re
import subprocess
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest

from mpegclient import _c, constants

HEADER = Path(__file__).resolve().parents[3] / "include/mpegclient.h"
SOURCE = re.sub(r"//[^\n]*|/\*.*?\*/", "", HEADER.read_text(), flags=re.DOTALL)

#: What the names of a group's constants begin with.
GROUPS = {
    "ERROR": constants.Status,
    "STATE": constants.State,
    "PHASE": constants.Phase,
    "ORDER": constants.Order,
    "PIXEL_FORMAT": constants.PixelFormat,
    "DEVICE": constants.Device,
    "CLOCK": constants.CaptureClock,
    "EVENT": constants.EventKind,
    "PARAMETER": constants.ParameterKind,
    "SCOPE": constants.Scope,
    "LOG": constants.LogLevel,
    "FRAME": constants.FrameFlag,
    "READ": constants.ReadFlag,
    "BATCH": constants.BatchFlag,
}

NUMBERS = {
    "int32_t": ctypes.c_int32,
    "uint32_t": ctypes.c_uint32,
    "int64_t": ctypes.c_int64,
    "uint64_t": ctypes.c_uint64,
    "uint8_t": ctypes.c_uint8,
    "size_t": ctypes.c_size_t,
    "double": ctypes.c_double,
    "char": ctypes.c_char,
}

STRUCTS: Dict[str, List[Tuple[str, str]]] = {
    name: re.findall(r"([\w\s]+?[\s*]+)(\w+(?:\[\d+\])?);", body)
    for body, name in re.findall(r"typedef struct \{(.*?)\} (\w+);", SOURCE, flags=re.DOTALL)
}
FUNCTIONS: Dict[str, Tuple[str, str]] = {
    name: (result.strip(), " ".join(arguments.split()))
    for result, name, arguments in re.findall(r"^([\w ]+[ *])(mpegclient_\w+)\(([^)]*)\);", SOURCE, flags=re.MULTILINE)
}


def c_type(text: str) -> Any:
    """The ctypes type of a C type, such as "const MpegClient *" or "uint32_t"."""
    bare = text.replace("const ", "").strip()
    if bare in ("char *", "void *"):
        return ctypes.c_char_p if bare == "char *" else ctypes.c_void_p
    if bare.endswith("*"):
        return ctypes.POINTER(c_type(bare[:-1]))
    return NUMBERS.get(bare) or getattr(_c, bare)


def argument_types(text: str) -> Tuple[Any, ...]:
    """The ctypes types of a parameter list."""
    if text in ("", "void"):
        return ()
    return tuple(c_type(re.sub(r"\w+$", "", argument.strip())) for argument in text.split(","))


def field_type(text: str, name: str) -> Tuple[str, Any]:
    """The name and ctypes type of a struct's member."""
    match = re.fullmatch(r"(\w+)\[(\d+)\]", name)
    return (match[1], c_type(text) * int(match[2])) if match else (name, c_type(text))


def test_the_header_was_understood() -> None:
    assert len(FUNCTIONS) == len(set(re.findall(r"\bmpegclient_\w+(?=\()", SOURCE)))
    assert len(STRUCTS) == SOURCE.count("typedef struct {")
    assert all(fields for fields in STRUCTS.values())


def test_every_constant_is_here_and_no_other() -> None:
    defined = {name: int(value) for name, value in re.findall(r"#define MPEGCLIENT_(\w+) (-?\d+)\n", SOURCE)}
    versions = {name for name in defined if name.startswith("VERSION_")}
    assert defined.pop("ABI_VERSION") == constants.ABI_VERSION
    here = {
        "OK" if member is constants.Status.OK else f"{group}_{member.name}": int(member)
        for group, members in GROUPS.items()
        for member in members
    }
    # Two groups of the header share a beginning: scopes and kinds belong to parameters, both are told apart by name.
    assert here == {name: value for name, value in defined.items() if name not in versions}


@pytest.mark.parametrize("group", GROUPS.values())
def test_a_number_that_is_not_known_is_taken(group: Any) -> None:
    if issubclass(group, enum.IntEnum):
        assert group(77).name == "UNKNOWN_77"
    assert int(group(64)) == 64


def test_every_function_has_its_prototype_and_no_other() -> None:
    assert [row.name for row in _c.PROTOTYPES] == list(FUNCTIONS)


@pytest.mark.parametrize("row", _c.PROTOTYPES, ids=lambda row: row.name)
def test_a_prototype_is_that_of_the_header(row: _c.Prototype) -> None:
    result, arguments = FUNCTIONS[row.name]
    assert row.arguments == argument_types(arguments)
    assert row.result.restype == (None if result == "void" else c_type(result))
    # Whatever can fail is checked where it is called, never by the caller.
    assert (result == "int32_t") == (row.result is _c.STATUS)


def test_the_log_callback_is_that_of_the_header() -> None:
    match = re.search(r"typedef void \(\*MpegClientLogCallback\)\((.*?)\);", SOURCE)
    assert match is not None
    prototype = _c.MpegClientLogCallback
    assert (prototype._restype_, prototype._argtypes_) == (None, argument_types(match[1]))


@pytest.mark.parametrize("name", STRUCTS)
def test_a_struct_has_the_members_of_the_header(name: str) -> None:
    assert getattr(_c, name)._fields_ == [field_type(*field) for field in STRUCTS[name]]


def test_no_struct_is_missing_in_the_header() -> None:
    here = {name for name, value in vars(_c).items() if name.startswith("MpegClient") and hasattr(value, "_fields_")}
    assert here == set(STRUCTS)


def test_sizes_and_offsets_are_those_of_the_compiler(tmp_path: Path) -> None:
    expected = {}
    for name in STRUCTS:
        struct = getattr(_c, name)
        expected[f"sizeof({name})"] = ctypes.sizeof(struct)
        for field, _ in struct._fields_:
            expected[f"offsetof({name}, {field})"] = getattr(struct, field).offset
    prints = "\n".join(f'printf("%zu\\n", (size_t)({expression}));' for expression in expected)
    source = tmp_path / "layout.c"
    source.write_text(f'#include <stdio.h>\n#include "{HEADER}"\nint main(void) {{ {prints} return 0; }}\n')
    program = tmp_path / "layout"
    subprocess.run(["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", source, "-o", program], check=True)
    output = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    assert dict(zip(expected, map(int, output.split()))) == expected
