"""The loop between a client and a view, and how it ended."""

from __future__ import annotations

import time
from typing import Callable, ContextManager, Optional, Protocol

from .. import errors
from ..client import Client
from ..records import Batch, Failure
from .advice import TROUBLE, Explanation, explain, explain_trouble
from .model import Model, Read, Write


class View(ContextManager["View"], Protocol):
    """What shows the steps."""

    def wrote(self, model: Model, write: Write) -> None: ...

    def missed(self, model: Model, seq: int) -> None: ...

    def read(self, model: Model, read: Read) -> None: ...

    def changed(self, model: Model, failure: Optional[Failure]) -> None: ...

    def idle(self, model: Model) -> None: ...


class Watch:
    """Looks at every frame that a client's writer puts into the ring, and extracts some now and then."""

    #: Seconds without a step after which the view is told so.
    PATIENCE = 0.2

    def __init__(
        self, client: Client, view: View, read_size: int, every: float, extracted: Callable[[Batch], None]
    ) -> None:
        """``every`` is the time between extractions in seconds; ``extracted`` receives each."""
        self.model = Model()
        self._client = client
        self._view = view
        self._read_size = read_size
        self._every = every
        self._extracted = extracted
        self._seen = 0

    def watch(self, seconds: float) -> Optional[Explanation]:
        """Watches as run does, and until Ctrl-C; tells what is wrong with the stream, if anything is."""
        try:
            self.run(seconds)
        except KeyboardInterrupt:
            # The way to end it: what was seen until now is shown like that of a whole run.
            pass
        except errors.Error as error:
            return explain(error, self._client.last_failure())
        if self.model.state in TROUBLE:
            return explain_trouble(self.model.state, self._client.last_failure())
        if self.model.writes == 0:
            return Explanation("the stream came to its end without a single frame")
        return None

    def run(self, seconds: float) -> None:
        """Watches a started client for some time, or until its stream has come to an end or failed.

        Raises errors.StreamFailed, or KeyboardInterrupt from Ctrl-C.
        """
        end = time.monotonic() + seconds
        next_read = time.monotonic() + self._every
        try:
            while time.monotonic() < end:
                self._look(min(end, next_read) - time.monotonic())
                if time.monotonic() >= next_read:
                    self._extract()
                    next_read += self._every
        except (errors.Ended, errors.Stopped):
            self._update()
        # What came after the last interval; with a short file that is all of it.
        if self.model.has_unread_writes:
            self._extract()

    def _look(self, longest: float) -> None:
        try:
            newest = self._client.wait(self._seen, max(0.0, min(longest, self.PATIENCE)))
        except errors.Timeout:
            self._update()
            self._view.idle(self.model)
            return
        self._update()
        for seq in range(self._seen + 1, newest + 1):
            self._show_write(seq)
        self._seen = newest

    def _show_write(self, seq: int) -> None:
        try:
            info = self._client.frame_info(seq)
        except errors.NoFrame:
            self.model.missed_write()
            self._view.missed(self.model, seq)
        else:
            self._view.wrote(self.model, self.model.wrote(info, time.monotonic_ns()))

    def _extract(self) -> None:
        try:
            batch = self._client.read(self._read_size, timeout=0)
        except (errors.Timeout, errors.Stopped, errors.Ended):
            return
        self._extracted(batch)
        self._view.read(self.model, self.model.read(batch))

    def _update(self) -> None:
        if self.model.update(self._client.state, self._client.stats()):
            self._view.changed(self.model, self._client.last_failure())
