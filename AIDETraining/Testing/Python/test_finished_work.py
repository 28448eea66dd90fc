"""What finished work leaves in memory: PythonQt keeps whatever a timer calls for as long as the application runs."""

import gc
import tempfile
import threading
import unittest
import weakref
from pathlib import Path
from unittest import mock

import slicer
from AIDETrainingLib.stepwise import Step, StepRunner
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest
from training_scene import waitFor

from AIDELib.watched_folder import Status, WatchedFolder
from AIDESlicer.folder_watcher import FolderWatcher
from AIDESlicer.worker_thread import LENT_MS, WorkerThread


class Voxels:
    """Stands for what is large."""


class FinishedWorkTest(ScriptedLoadableModuleTest):
    def setUp(self):
        slicer.mrmlScene.Clear()
        self.told = []

    def assertForgotten(self, *references):
        gc.collect()
        self.assertEqual([reference() for reference in references], [None] * len(references))

    def test_a_thread_forgets_its_result_and_whom_it_told(self):
        result, listener = Voxels(), Voxels()
        references = weakref.ref(result), weakref.ref(listener)
        worker = WorkerThread(
            lambda result=result: result, lambda result, _=listener: self.told.append(type(result)), self.told.append
        )
        del result, listener
        worker.start()
        waitFor(lambda: self.told, "the result", 10)
        self.assertEqual(self.told, [Voxels])
        self.assertForgotten(*references)

    def test_an_abandoned_thread_forgets_its_result(self):
        result, ended = Voxels(), threading.Event()
        reference = weakref.ref(result)
        worker = WorkerThread(lambda result=result: (ended.wait(10), result), self.told.append, self.told.append)
        del result
        worker.start()
        worker.abandon()
        ended.set()
        waitFor(lambda: not worker._timer.isActive(), "the end of the thread", 10)
        self.assertForgotten(reference)
        self.assertEqual(self.told, [])

    def test_a_thread_is_lent_time_by_the_main_thread(self):
        worker = WorkerThread(lambda: None, self.told.append, self.told.append)
        with mock.patch.object(worker, "_thread") as thread:
            worker._look()
        thread.join.assert_called_once_with(LENT_MS / 1000)

    def test_steps_forget_their_result_and_whom_they_told(self):
        result, listener = Voxels(), Voxels()
        references = weakref.ref(result), weakref.ref(listener)

        def steps(result):
            yield Step(0.5, "half")
            return result

        runner = StepRunner(
            steps(result),
            lambda step, _=listener: self.told.append(step.share),
            lambda result, _=listener: self.told.append(type(result)),
            self.told.append,
        )
        del result, listener
        waitFor(lambda: not runner.running, "the last step", 10)
        self.assertEqual(self.told, [0.5, Voxels])
        self.assertForgotten(*references)

    def test_a_watcher_forgets_whom_it_told_after_it_told_the_end(self):
        listener = Voxels()
        reference = weakref.ref(listener)
        with tempfile.TemporaryDirectory() as name:
            folder = WatchedFolder(Path(name))
            folder.append_event({"event": "start"})
            folder.write_state(Status.FINISHED)
            watcher = FolderWatcher(
                folder,
                lambda event, _=listener: self.told.append(event["event"]),
                lambda state, _=listener: self.told.append(state["status"]),
                lambda notice, _=listener: self.told.append(notice),
            )
            del listener
            watcher.start()
            waitFor(lambda: not watcher.isRunning, "the end of the watch", 10)
        self.assertEqual(self.told, ["start", "finished"])
        self.assertForgotten(reference)


if __name__ == "__main__":
    unittest.main()
