"""One stream: its life cycle, its frames, and what is known of it."""

from __future__ import annotations

import contextlib
import ctypes
import math
import weakref
from typing import Any, Callable, ContextManager, NoReturn, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt

from . import errors
from ._c import (
    ClientPointer,
    MpegClientError,
    MpegClientFrameInfo,
    MpegClientReadOptions,
    MpegClientStats,
    MpegClientStreamInfo,
    library,
    read_text,
)
from ._convert import ParameterValue, Url, c_text, frame_count, sequence_number
from ._doorbell import NO_FRAMES, Doorbell
from ._handle import Handle
from ._reading import Reading, look, wait
from ._taking import Copying, Lending, Room
from ._waiting import Deadline, in_slices, in_thread, milliseconds
from .constants import Order, ReadFlag, State
from ._parameters import Parameters
from .batches import Batches
from .lease import Lease
from .records import Batch, Event, Failure, FrameInfo, Stats, StreamInfo


def _do_nothing() -> None:
    pass


class CancelToken:
    """Ends the blocking calls that it is given to, from any thread.

    A triggered token ends every call that has it, those to come included, with errors.Cancelled until it is reset.
    Every method may be called on any thread; use it as a context manager or close it to give its memory back early.
    """

    def __init__(self) -> None:
        self._handle = Handle(
            "cancel token",
            library.mpegclient_cancel_new(),
            library.mpegclient_cancel_trigger,
            library.mpegclient_cancel_free,
        )
        self._finalizer = weakref.finalize(self, self._handle.close)

    def trigger(self) -> None:
        """Ends the calls that have this token."""
        with self._handle as token:
            library.mpegclient_cancel_trigger(token)

    def reset(self) -> None:
        """Makes a triggered token usable again."""
        with self._handle as token:
            library.mpegclient_cancel_reset(token)

    def close(self) -> None:
        """Triggers and frees the token; does nothing the second time."""
        self._handle.close()
        self._finalizer.detach()

    def __enter__(self) -> CancelToken:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a CancelToken cannot be pickled or copied: it belongs to this process")


def _using(cancel: Optional[CancelToken]) -> ContextManager[Any]:
    """A context that gives the token's pointer and keeps it alive, or gives NULL."""
    return contextlib.nullcontext() if cancel is None else cancel._handle


class Client:
    """The newest frames of one live video stream, as arrays, at any moment. ::

        with Client("rtsp://camera/1", width=480, height=360, read_size=5) as client:
            client.setup()
            client.start()
            frames = client.read_latest()      # (5, 360, 480, 3) uint8

    A thread of the library's own decodes without pause into a ring of frames. A read copies the newest ones out of it;
    it never holds the decoding up and never gives what is out of date because nobody read it. A live stream that is
    lost is connected again.

    Threads: every method may be called on any thread at any time, also on the same client. setup, start, terminate and
    clear exclude each other: setup and start raise errors.Busy instead of waiting. Blocking calls release the GIL and
    let Ctrl-C through.

    Errors: every method may raise errors.InvalidArgument, errors.BadState once the client is closed, errors.Forked in
    a child that was forked after the client was made, and errors.Internal; beyond those, what it names.

    Times that callers give are seconds, as int or float; parameters keep the library's milliseconds.
    """

    def __init__(self, url: Optional[Url] = None, **parameters: ParameterValue) -> None:
        """Makes a client in the state IDLE; nothing is connected before setup.

        ``url`` becomes the parameter ``url``. The other keywords are parameters by name, as :attr:`parameters` takes
        them; those of libav with their dot come as ``**{"av.probesize": 32}``.
        """
        self._handle = Handle("client", library.mpegclient_new(), _interrupt, library.mpegclient_free)
        self._finalizer = weakref.finalize(self, self._handle.close)
        self._parameters = Parameters(self._handle)
        self._doorbell = Doorbell(self._handle)
        self._room = Room()
        try:
            if url is not None:
                self._parameters["url"] = url
            self._parameters.update(parameters)
        except BaseException:
            self.close()
            raise

    # ---- Life cycle ----

    def setup(
        self, url: Optional[Url] = None, timeout: Optional[float] = None, *, cancel: Optional[CancelToken] = None
    ) -> None:
        """Connects to a stream and finds its video; a client that was set up before is cleared first.

        ``url`` is any address that libavformat opens, or a path; None: the parameter ``url``. It becomes that
        parameter's value. ``timeout`` is in seconds; None: the parameter ``setup_timeout``, which also limits a longer
        one; 0: return at once and connect in the background, again and again if need be.

        On success the state is READY (CONNECTING with timeout 0). On failure it is IDLE, nothing keeps running, and the
        exception tells the phase. One that strikes the waiting thread from outside, such as KeyboardInterrupt, also
        ends the attempt; it triggers ``cancel`` if one was given.

        Raises a subclass of errors.ConnectError, errors.Timeout, errors.Busy, errors.Interrupted, errors.Cancelled, or
        errors.Stopped if another thread called terminate or clear meanwhile.
        """
        address = None if url is None else c_text(url, "url")
        timeout_ms = -1 if timeout is None else milliseconds(timeout)
        token = CancelToken() if cancel is None else cancel

        def call() -> None:
            with self._handle as client, _using(token) as pointer:
                library.mpegclient_setup(client, address, timeout_ms, pointer)

        if timeout_ms == 0:
            call()
        else:
            in_thread(call, token.trigger)

    def start(self) -> None:
        """Decodes and puts frames into the ring from now on; does nothing if it does so already.

        After terminate a live stream is connected again in the background; a file goes on where it was, or from its
        beginning once it had ended.

        Raises errors.BadState before setup, errors.Busy, errors.SystemFailed.
        """
        with self._handle as client:
            library.mpegclient_start(client)

    def terminate(self) -> None:
        """Stops decoding and disconnects a live stream; its last frames stay readable. start may follow.

        Returns within half a second whatever the network does, and ends a setup in progress.
        """
        with self._handle as client:
            library.mpegclient_terminate(client)

    def clear(self) -> None:
        """Terminates, closes the stream and gives its frames up; the parameters stay. setup may follow.

        Returns within half a second whatever the network does.
        """
        with self._handle as client:
            library.mpegclient_clear(client)

    def close(self) -> None:
        """Clears the client and frees it; does nothing the second time.

        Calls in progress on other threads end first, with errors.Interrupted or errors.BadState. Leaving a ``with``
        block closes, and so do the end of the last reference and of the program.
        """
        self._handle.close()
        self._finalizer.detach()

    def interrupt(self, on: bool = True) -> None:
        """Ends every waiting call with errors.Interrupted, and those to come for as long as it is on.

        Ends a setup in progress. A stream that is well goes on; terminate, clear and close work as ever.
        """
        with self._handle as client:
            library.mpegclient_interrupt(client, on)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    # ---- Frames ----

    def shape(self, timeout: Optional[float] = None, *, cancel: Optional[CancelToken] = None) -> Tuple[int, int, int]:
        """The shape of one frame: (height, width, channels), fixed from setup to clear.

        Waits for the first frame if need be: ``timeout`` seconds, None: the parameter ``read_timeout``.

        Raises errors.BadState before setup, errors.Timeout, errors.Stopped, errors.Ended, errors.StreamFailed,
        errors.Interrupted, errors.Cancelled.
        """
        sides = [ctypes.c_uint32() for _ in ("height", "width", "channels")]

        def one_slice(timeout_ms: int) -> None:
            with self._handle as client, _using(cancel) as token:
                places = [ctypes.byref(side) for side in sides]
                library.mpegclient_output_shape(client, timeout_ms, token, *places, None)

        in_slices(one_slice, self._read_deadline(timeout), _do_nothing)
        height, width, channels = (side.value for side in sides)
        return height, width, channels

    def wait(self, after: int = 0, timeout: Optional[float] = None, *, cancel: Optional[CancelToken] = None) -> int:
        """Waits for a frame whose number is greater than ``after``; returns the number of the newest.

        ``timeout`` seconds, 0: look only, None: the parameter ``read_timeout``.

        Raises what shape raises.
        """
        deadline = self._read_deadline(timeout)
        return wait(self._handle, _using(cancel), sequence_number(after, "after"), deadline, _do_nothing)

    def read_latest(
        self,
        n: Optional[int] = None,
        *,
        timeout: Optional[float] = None,
        after: int = 0,
        max_age: Optional[float] = None,
        cancel: Optional[CancelToken] = None,
    ) -> npt.NDArray[np.uint8]:
        """The newest ``n`` frames, oldest first: (n, height, width, channels) uint8, the caller's own.

        As read does, without what is known of the frames.
        """
        return self.read(n, timeout=timeout, after=after, max_age=max_age, cancel=cancel).frames

    def read(
        self,
        n: Optional[int] = None,
        *,
        order: Order = Order.LATEST,
        timeout: Optional[float] = None,
        after: int = 0,
        max_age: Optional[float] = None,
        mix_generations: bool = False,
        cancel: Optional[CancelToken] = None,
    ) -> Batch:
        """Consecutive frames, oldest first, with what is known of each.

        ``n`` is how many: 1 to the parameter ``cache_size``; None: the parameter ``read_size``. ``order`` is LATEST for
        the newest ones, NEXT for the oldest after ``after``. ``timeout`` is how many seconds to wait until ``n`` exist;
        0: not at all, None: the parameter ``read_timeout``. Then what there is is given: fewer frames if fewer exist
        when the time runs out or the stream is no longer living. Only frames with a number greater than ``after``
        count; with 0 the last frames stay readable after terminate and after the stream's end. ``max_age`` is the
        greatest age of the newest frame, in seconds since its packet arrived. Frames of several connections come
        together only with ``mix_generations``.

        Raises errors.Timeout if there is no frame but the stream lives, errors.Stale, errors.Stopped, errors.Ended,
        errors.StreamFailed, errors.Interrupted, errors.Cancelled, and errors.BadState before setup.
        """
        deadline = self._read_deadline(timeout)
        options = self._read_options(n, order, after, max_age, mix_generations)
        return self._read(options, deadline, _using(cancel), _do_nothing)

    def acquire(
        self,
        n: Optional[int] = None,
        *,
        order: Order = Order.LATEST,
        timeout: Optional[float] = None,
        after: int = 0,
        max_age: Optional[float] = None,
        mix_generations: bool = False,
        cancel: Optional[CancelToken] = None,
    ) -> Lease:
        """The frames that read gives, without copying them: where they lie in the ring. ::

            with client.acquire(5) as lease:
                lease.frames                   # (5, height, width, channels) uint8, read-only

        This takes tens of microseconds whatever the size. The writer goes on meanwhile, in other memory where it has to:
        the parameters ``lease_slots`` and ``max_orphans`` say how much. What is kept for long is better read.

        Takes the arguments of read, and raises what read raises.
        """
        deadline = self._read_deadline(timeout)
        options = self._read_options(n, order, after, max_age, mix_generations)
        return Reading(self._handle, _using(cancel), Lending(options), deadline, _do_nothing).run()

    def batches(
        self,
        n: Optional[int] = None,
        *,
        order: Order = Order.LATEST,
        timeout: Optional[float] = math.inf,
        after: int = 0,
        cancel: Optional[CancelToken] = None,
    ) -> Batches:
        """Batches of ``n`` frames, one after the other, each with frames newer than those before. ::

            for batch in client.batches(5):            # or, in a coroutine:
            async for batch in client.batches(5):
                batch.frames                           # (5, height, width, channels) uint8, the caller's own

        With order LATEST each has the newest frames there are, and those that came while the loop was busy and are not
        among the newest are passed over. With order NEXT none is left out, as long as the ring still holds it. The
        last batch of a stream may have fewer frames, and so may, with order NEXT, the last one of each connection.

        The loop ends when the stream does, or when it is terminated. While a lost stream is being connected again the
        loop waits; ``timeout`` is how many seconds for each batch, after which read's rules apply: fewer frames, or
        errors.Timeout. None: the parameter ``read_timeout``. Beyond that it raises what read raises.

        An ``async for`` waits through the descriptor that fileno gives, without a thread, and needs a loop that watches
        descriptors, as asyncio's own on Linux does. It takes the events out of the library and keeps them for
        next_event: who waits for events too finds them there, but not by polling the descriptor.
        """
        count = self._read_options(n, order, after, None, False).count

        def reading(after: int) -> Reading[Batch]:
            taking = Copying(self._read_options(count, order, after, None, False), self._room)
            return Reading(self._handle, _using(cancel), taking, self._read_deadline(timeout), _do_nothing)

        async def wait_for(after: int, deadline: Deadline) -> int:
            return await self._doorbell.wait(lambda: look(self._handle, _using(cancel), after, 0), after, deadline)

        return Batches(
            lambda after: reading(after).run(), lambda after: reading(after).run_async(wait_for), after
        )

    def _read(
        self,
        options: MpegClientReadOptions,
        deadline: Deadline,
        cancel: ContextManager[Any],
        between: Callable[[], None],
    ) -> Batch:
        return Reading(self._handle, cancel, Copying(options, self._room), deadline, between).run()

    def _read_options(
        self, n: Optional[int], order: Order, after: int, max_age: Optional[float], mix_generations: bool
    ) -> MpegClientReadOptions:
        return MpegClientReadOptions(
            order=order,
            count=frame_count(self._parameters["read_size"] if n is None else n),
            after_seq=sequence_number(after, "after"),
            max_age_ms=_max_age_ms(max_age),
            flags=ReadFlag.MIX_GENERATIONS if mix_generations else 0,
        )

    def _read_deadline(self, timeout: Optional[float]) -> Deadline:
        if timeout is None:
            timeout = self._parameters["read_timeout"] / 1000
        return Deadline(timeout)

    # ---- Events ----

    def next_event(self) -> Optional[Event]:
        """Takes the oldest event that nobody has taken yet; None if there is none. At most 64 wait."""
        return self._doorbell.next_event()

    def fileno(self) -> int:
        """A descriptor for select, selectors and event loops: readable while an event waits, or a frame newer than the
        one told to :meth:`arm` is there. Only poll it; it is the client's. Raises errors.SystemFailed."""
        return self._doorbell.descriptor()

    def arm(self, after: Optional[int]) -> None:
        """Has the descriptor become readable once a frame newer than ``after`` is there; None, as at first: for none."""
        self._doorbell.arm(NO_FRAMES if after is None else sequence_number(after, "after"))

    # ---- What is known ----

    @property
    def state(self) -> State:
        """Where the client stands."""
        state = ctypes.c_int32()
        with self._handle as client:
            library.mpegclient_state(client, ctypes.byref(state))
        return State(state.value)

    @property
    def parameters(self) -> Parameters:
        """The parameters by name: ``client.parameters["width"] = 480``. Most count at the next setup."""
        return self._parameters

    def frame_info(self, seq: int) -> FrameInfo:
        """What is known by now of a frame that is still in the ring. Raises errors.NoFrame, errors.BadState."""
        info = MpegClientFrameInfo()
        with self._handle as client:
            number = sequence_number(seq, "seq")
            library.mpegclient_frame_info(client, number, ctypes.byref(info), ctypes.sizeof(info))
        return FrameInfo.from_c(info)

    def stream_info(self) -> StreamInfo:
        """What is known of the stream. Raises errors.BadState while nothing has been connected since setup."""
        info = MpegClientStreamInfo()
        with self._handle as client:
            library.mpegclient_stream_info(client, ctypes.byref(info))
        return StreamInfo.from_c(info)

    def stats(self) -> Stats:
        """The counters."""
        stats = MpegClientStats()
        with self._handle as client:
            library.mpegclient_stats(client, ctypes.byref(stats))
        return Stats.from_c(stats)

    def last_failure(self) -> Optional[Failure]:
        """The last failure of the stream, those in the background included; None if nothing has failed yet."""
        error = MpegClientError()
        with self._handle as client:
            library.mpegclient_client_error(client, ctypes.byref(error))
        return Failure.from_c(error)

    def describe(self) -> str:
        """State, stream, counters and the parameters that were set, in some lines for a person, without credentials."""
        with self._handle as client:
            return read_text(library.mpegclient_describe, client)

    def __str__(self) -> str:
        return "a closed client" if self._handle.is_closed else self.describe()

    def __repr__(self) -> str:
        return f"<mpegclient.Client {'closed' if self._handle.is_closed else self.state.name}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Client cannot be pickled or copied: it holds a connection. Make one in the other process")


def wait_any(
    clients: Sequence[Client],
    after: Sequence[int],
    *,
    timeout: Optional[float] = None,
    cancel: Optional[CancelToken] = None,
) -> int:
    """Waits until one of the clients has a frame newer than the number in its place of ``after``; returns its index.

    Where several have one, returns the client that was returned least recently: a slow caller gets all of them in turn.
    ``timeout`` is in seconds; None: without limit. Raises errors.Timeout, errors.Interrupted, errors.Cancelled; if none
    of them is living errors.BadState, errors.Stopped, errors.Ended or errors.StreamFailed, as the first one is.
    """
    if len(clients) != len(after) or not clients:
        raise errors.InvalidArgument(f"after has {len(after)} numbers, expected one for each of 1 or more clients")
    numbers = (ctypes.c_uint64 * len(after))(*(sequence_number(seq, "after") for seq in after))
    index = ctypes.c_size_t()

    def one_slice(timeout_ms: int) -> int:
        with contextlib.ExitStack() as stack:
            pointers = (ClientPointer * len(clients))(*(stack.enter_context(client._handle) for client in clients))
            token = stack.enter_context(_using(cancel))
            library.mpegclient_wait_any(pointers, numbers, len(clients), timeout_ms, token, ctypes.byref(index))
        return index.value

    return in_slices(one_slice, Deadline(math.inf if timeout is None else timeout), _do_nothing)


def _interrupt(client: Any) -> None:
    library.mpegclient_interrupt(client, True)


def _max_age_ms(max_age: Optional[float]) -> int:
    """In C 0 stands for any age."""
    if max_age is None or math.isinf(max_age):
        return 0
    if not max_age > 0:
        raise errors.InvalidArgument(f"max_age is {max_age}, expected seconds, more than 0")
    return milliseconds(max_age)
