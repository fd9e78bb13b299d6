"""What the tests share: one browser and one fixture server for all of them, in a known state before each."""

import unittest

from browser import Browser
from fixture import FixtureServer

shared = {}


def start():
    shared["server"] = FixtureServer().__enter__()
    shared["browser"] = Browser(shared["server"].url)


def stop():
    if "browser" in shared:
        shared["browser"].quit()
    if "server" in shared:
        shared["server"].__exit__()
    shared.clear()


class ConsoleCase(unittest.TestCase):
    scenario = "calm"
    role = "operator"
    # Between two questions the console waits so many times less than for people.
    haste = 4

    def setUp(self):
        self.server, self.browser = shared["server"], shared["browser"]
        self.browser.haste(self.haste)
        self.driver = self.browser.driver
        self.server.reset(self.scenario)
        self.browser.reset()

    def tearDown(self):
        # Leave the page first: what it still asks belongs to this test.
        self.driver.get("about:blank")
        self.assertEqual(self.browser.errors(), [], "errors in the browser's log")
        violations, self.server.contract.violations = self.server.contract.violations, []
        self.assertEqual(violations, [], "not as openapi.yaml says")

    def open(self, page="", role=None):
        self.browser.open(page, token=role or self.role)

    def go(self, page):
        """To another page of the one that is open, or opens the first."""
        if self.browser.all("#page-title"):
            self.browser.go(page)
        else:
            self.open(page)

    def asked(self, method, path):
        """The requests of this method whose path begins so: (target, body, headers)."""
        with self.server.lock:
            return [
                (target, body, headers)
                for each, target, body, headers in self.server.requests
                if each == method and target.startswith("/api/v1/" + path)
            ]
