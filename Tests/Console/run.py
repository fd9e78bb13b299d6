#!/usr/bin/env python3
"""Runs the console's tests against the fixture server. Names of tests or classes narrow it: run.py Acts Session.test_no_contact_at_the_start"""

import importlib
import signal
import sys
import time
import unittest
from pathlib import Path

import case

HERE = Path(__file__).resolve().parent


def end_on_sigterm():
    """As Ctrl-C does: what was started is ended. SystemExit would not do: to unittest it is a test that went wrong."""

    def end(*_):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)


class Result(unittest.TextTestResult):
    """Counts what passed, and says how long each test took."""

    passed = 0

    def startTest(self, test):
        self.started = time.monotonic()
        super().startTest(test)

    def addSuccess(self, test):
        self.stream.write(f"{time.monotonic() - self.started:.1f} s ")
        super().addSuccess(test)
        self.passed += 1

    def conclude(self, what, start):
        """Says how it went; the exit status. A test with several failed parts has failed once."""
        failed = len({str(test).split(" [")[0].split(" (page")[0] for test, _ in self.failures + self.errors})
        print(f"the console with {what}: {time.monotonic() - start:.0f} s")
        print(f"{self.passed} passed, {failed} failed")
        return 0 if failed == 0 and self.passed > 0 else 1


def main():
    end_on_sigterm()
    suite = unittest.TestSuite()
    for file in sorted(HERE.glob("test_*.py")):
        for test_class in vars(importlib.import_module(file.stem)).values():
            if (
                isinstance(test_class, type)
                and issubclass(test_class, case.ConsoleCase)
                and test_class is not case.ConsoleCase
                and test_class.__module__ == file.stem
            ):
                suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(test_class))
    wanted = sys.argv[1:]
    if wanted:
        suite = unittest.TestSuite(
            test for test in suite if any(each in (test.id().split(".", 1)[1], type(test).__name__) for each in wanted)
        )
    start = time.monotonic()
    try:
        case.start()
        result = unittest.TextTestRunner(verbosity=2, resultclass=Result).run(suite)
    finally:
        case.stop()
    return result.conclude("fixtures", start)


if __name__ == "__main__":
    sys.exit(main())
