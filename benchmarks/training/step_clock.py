"""When steps end, seen from outside: the time at which a program appends a line to its log. The same clock for all
programs, so that none of them is asked how fast it was."""

import ctypes
import os
import pathlib
import select
import threading
import time

IN_MODIFY = 2
LOOK_EVERY_S = 0.02  # for a log that is not there yet, and for the end


class StepClock:
    """Watches what is appended to `log` while a `with` block lasts."""

    def __init__(self, log):
        self.log = pathlib.Path(log)
        self.times = []
        self._ended = threading.Event()
        self._offset = self.log.stat().st_size if self.log.exists() else 0

    def __enter__(self):
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def intervals(self, warm_up):
        """Seconds from one line to the next, without the first `warm_up` lines and the last one: Effuse writes a
        step's line once the next one is under way, but the last two together."""
        times = self.times[warm_up:-1]
        return [b - a for a, b in zip(times, times[1:])]

    def _watch(self):
        while not self.log.exists():
            if self._ended.wait(LOOK_EVERY_S) and not self.log.exists():
                return
        libc = ctypes.CDLL(None, use_errno=True)
        inotify = libc.inotify_init1(os.O_CLOEXEC)
        if inotify < 0 or libc.inotify_add_watch(inotify, os.fsencode(self.log), IN_MODIFY) < 0:
            raise OSError(ctypes.get_errno(), f"cannot watch {self.log}")
        try:
            with self.log.open("rb") as file:
                file.seek(self._offset)
                self._take(file)
                while not self._ended.is_set():
                    if select.select([inotify], [], [], LOOK_EVERY_S)[0]:
                        now = time.perf_counter()
                        os.read(inotify, 4096)
                        self._take(file, now)
                self._take(file)
        finally:
            os.close(inotify)

    def _take(self, file, now=None):
        lines = file.read().count(b"\n")
        self.times += [now or time.perf_counter()] * lines
