"""The table from statuses to exceptions."""

from __future__ import annotations

import pickle

import pytest

import mpegclient
from mpegclient import Status, _c, errors
from mpegclient.errors import BY_STATUS, Error, from_status


def test_every_failure_has_an_exception_of_its_own() -> None:
    assert set(BY_STATUS) == set(Status) - {Status.OK}
    assert len(set(BY_STATUS.values())) == len(BY_STATUS)


def test_every_exception_is_in_the_table() -> None:
    classes = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Error)}
    assert classes - set(BY_STATUS.values()) == {Error, errors.ConnectError}


@pytest.mark.parametrize("status", BY_STATUS, ids=lambda status: status.name)
def test_an_exception_tells_its_status(status: Status) -> None:
    error = from_status(status, "words")
    assert type(error) is BY_STATUS[status]
    assert (error.status, error.status_name, str(error)) == (status, status.name, "words")
    assert BY_STATUS[status].__doc__
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.status, str(again)) == (type(error), status, "words")


def test_a_status_that_is_not_known_is_an_error_all_the_same() -> None:
    error = from_status(-99, "words")
    assert type(error) is Error
    assert (error.status, error.status_name) == (-99, "UNKNOWN_-99")


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.InvalidArgument, ValueError),
        (errors.UnknownParameter, ValueError),
        (errors.Timeout, TimeoutError),
        (errors.OutOfMemory, MemoryError),
    ],
)
def test_an_exception_is_the_builtin_one_that_means_the_same(error: type, builtin: type) -> None:
    assert issubclass(error, builtin)
    assert not issubclass(error, KeyError)


def test_the_library_knows_the_same_statuses() -> None:
    for status in Status:
        assert _c.library.mpegclient_status_string(status) != _c.library.mpegclient_status_string(-99)


def test_a_failing_call_raises_by_itself_with_the_words_of_the_library() -> None:
    with pytest.raises(errors.InvalidArgument, match="level") as raised:
        mpegclient.set_log_level(77)
    assert raised.value.status_name == "INVALID_ARGUMENT"
