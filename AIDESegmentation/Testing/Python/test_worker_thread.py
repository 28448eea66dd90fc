"""Threads that call back on the main thread, and what becomes of them when nobody waits any more."""

from __future__ import annotations

import gc
import threading
import time
import weakref

import qt
import slicer

from AIDESlicer.worker_thread import WorkerThread, whileSlicerAnswers


def waitUntil(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        slicer.app.processEvents()
        time.sleep(0.005)
    return condition()


def test_result_and_error_arrive_on_the_main_thread():
    arrived = []
    note = lambda what: arrived.append((str(what), threading.current_thread() is threading.main_thread()))  # noqa: E731
    WorkerThread(lambda: 6 * 7, note, note).start()
    WorkerThread(lambda: {}["missing"], note, note).start()
    assert waitUntil(lambda: len(arrived) == 2)
    assert sorted(arrived) == [("'missing'", True), ("42", True)]


def test_nothing_of_qt_is_destroyed_in_another_thread():
    """Even where the caller forgets thread and job while the work goes on."""
    destroyedIn = []

    class Job:
        def __init__(self):
            self.timer = qt.QTimer()
            weakref.finalize(self, lambda: destroyedIn.append(threading.current_thread()))

        def work(self):
            time.sleep(0.2)

    job = Job()
    thread = WorkerThread(job.work, lambda result: None, lambda error: None)
    thread.start()
    thread.abandon()
    del job, thread
    gc.collect()
    assert waitUntil(lambda: gc.collect() >= 0 and bool(destroyedIn))
    assert destroyedIn == [threading.main_thread()]


def test_abandoned_work_calls_nobody():
    arrived = []
    thread = WorkerThread(lambda: time.sleep(0.1), arrived.append, arrived.append)
    thread.start()
    thread.abandon()
    waitUntil(lambda: False, 0.5)
    assert arrived == []


def test_slicer_answers_while_it_waits():
    ticks = []
    timer = qt.QTimer()
    timer.setInterval(20)
    timer.timeout.connect(lambda: ticks.append(1))
    timer.start()
    assert whileSlicerAnswers(lambda: (time.sleep(0.4), "done")[1]) == "done"
    timer.stop()
    assert len(ticks) > 3
