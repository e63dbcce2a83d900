"""Parameters by name, without a stream."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from mpegclient import Client, ParameterKind, Scope, errors, parameters


def test_the_table_says_what_each_parameter_is() -> None:
    table = {row.key: row for row in parameters()}
    assert table["width"].kind is ParameterKind.INTEGER
    assert table["password"].kind is ParameterKind.SECRET
    assert table["read_timeout"].scope is Scope.NOW
    assert all(row.help and row.range for row in table.values())


def test_every_parameter_has_its_default() -> None:
    with Client() as client:
        assert list(client.parameters) == [row.key for row in parameters()]
        assert len(client.parameters) == len(parameters())
        for row in parameters():
            value = client.parameters[row.key]
            assert Fraction(row.default) == value if row.kind is ParameterKind.RATIONAL else row.default == str(value)


@pytest.mark.parametrize(
    ("name", "given", "got"),
    [
        ("width", 480, 480),
        ("width", "480", 480),
        ("frame_rate", (30000, 1001), Fraction(30000, 1001)),
        ("frame_rate", Fraction(5), Fraction(5)),
        ("frame_rate", "25", Fraction(25)),
        ("reconnect", False, "off"),
        ("reconnect", True, "on"),
        ("pixel_format", "gray8", "gray8"),
        ("url", b"rtsp://camera/1", "rtsp://camera/1"),
        ("av.probesize", 32, "32"),
    ],
)
def test_a_value_comes_back_in_the_type_of_its_parameter(name: str, given: Any, got: Any) -> None:
    with Client() as client:
        client.parameters[name] = given
        value = client.parameters[name]
        assert value == got and type(value) is type(got)


def test_parameters_are_keywords_of_a_client_too() -> None:
    with Client("rtsp://camera/1", width=480, **{"av.probesize": 32}) as client:
        values = dict(client.parameters)
        assert (values["url"], values["width"]) == ("rtsp://camera/1", 480)
        assert client.parameters["av.probesize"] == "32"


def test_a_libav_option_is_taken_away_by_an_empty_value() -> None:
    with Client() as client:
        client.parameters["av.probesize"] = 32
        assert "av.probesize" in client.parameters
        client.parameters["av.probesize"] = ""
        assert "av.probesize" not in client.parameters


def test_an_unknown_name_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(errors.UnknownParameter, match="widht.*width"):
        Client(widht=480)
    with Client() as client:
        assert "widht" not in client.parameters
        with pytest.raises(errors.UnknownParameter):
            client.parameters["widht"]


@pytest.mark.parametrize(("name", "value"), [("width", -1), ("width", 2**70), ("frame_rate", (5, 0)), ("transport", "x")])
def test_a_value_that_does_not_fit_changes_nothing(name: str, value: Any) -> None:
    with Client() as client:
        before = dict(client.parameters)
        with pytest.raises(errors.InvalidArgument, match=name):
            client.parameters[name] = value
        assert dict(client.parameters) == before


def test_no_text_of_a_client_shows_a_password() -> None:
    with Client("rtsp://bob:hunter2@camera/1", password="s3cret") as client:
        for text in (str(client), repr(client), client.describe(), repr(client.parameters)):
            assert "hunter2" not in text and "s3cret" not in text
