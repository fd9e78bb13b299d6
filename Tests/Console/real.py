#!/usr/bin/env python3
"""Runs the console against a real broker with real traffic: real.py KITEQ [--screenshots FOLDER]. scripts/console-tests.sh calls it."""

import argparse
import sys
import tempfile
import time
import unittest
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from selenium.webdriver.common.keys import Keys

from browser import Browser
from fixture import CONSOLE, POLICY
from run import Result, end_on_sigterm
from stage import HOSTILE, Stage

shared = {}


class RealBroker(unittest.TestCase):
    def setUp(self):
        self.stage, self.browser = shared["stage"], shared["browser"]
        self.driver = self.browser.driver
        self.browser.reset()

    def tearDown(self):
        self.driver.get("about:blank")
        self.assertEqual(self.browser.errors(), [], "errors in the browser's log")

    def open(self, page="", role="operate"):
        self.browser.open(page, token=self.stage.tokens[role])

    def item(self, path, role="operate"):
        return self.stage.wait_until(
            lambda: self.stage.api("GET", path, role=role)[1]["items"], f"something at {path}"
        )[0]

    def test_0_files_and_policy(self):
        for file in sorted(CONSOLE.iterdir()):
            with self.subTest(file.name), urlopen(
                self.stage.url + ("" if file.name == "index.html" else file.name)
            ) as answer:
                self.assertEqual(answer.read(), file.read_bytes())
                self.assertEqual(answer.headers["Content-Security-Policy"], POLICY)
                self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
        for path in ["../main.swift", "..%2f..%2fetc%2fpasswd", "nothing.js"]:
            with self.subTest(path), self.assertRaises(HTTPError) as refused:
                urlopen(self.stage.url + path)
            self.assertIn(refused.exception.code, (400, 404))

    def test_1_with_and_without_the_slash(self):
        for address in ["", "console", "console/"]:
            with self.subTest(address):
                self.driver.get("about:blank")
                self.driver.get(f"http://{self.stage.admin}/{address}")
                self.browser.page("Sign in")

    def test_1_signing_in(self):
        self.browser.open()
        self.browser.page("Sign in")
        self.browser.one("#token").send_keys("wrong", Keys.ENTER)
        self.browser.until(lambda: self.browser.text("[role=alert]").strip(), "the refusal")
        self.browser.one("#token").send_keys(self.stage.tokens["read"], Keys.ENTER)
        self.browser.page("Overview")
        self.browser.see("nightwatch", ".account")
        self.open("groups/billing", role="read")
        self.browser.see("Acknowledged")
        self.assertFalse(self.browser.has_button("Pause…"))

    def test_2_each_page_opens(self):
        letter, half = self.item("dead-letters"), self.item("transactions")
        pages = [
            "groups",
            "groups/billing",
            "groups/search-index",
            "topics",
            "topics/orders",
            "messages",
            f"messages/{letter['id']}",
            f"messages/{half['id']}",
            "dead-letters",
            f"dead-letters/{letter['letter']}",
            "transactions",
            "brokers",
            "shards",
            "clients",
            "bindings",
            "configuration",
            "audit",
            "find/bill",
        ]
        self.open()
        self.browser.page("Overview")
        for page in pages:
            with self.subTest(page):
                self.browser.go(page)
                self.browser.not_see("Loading…")
                self.assertEqual([each.text for each in self.browser.all("#main .notice .problem")], [])

    def test_3_live(self):
        self.open()
        self.browser.until(
            lambda: float(self.browser.text(".figures dd").split()[0].replace(",", "").replace("<", "")) > 1,
            "something flows",
            30,
        )
        self.browser.until(
            lambda: self.browser.one("section path.line.first").get_attribute("d").count("L") >= 2,
            "the chart goes on",
            30,
        )
        self.open("groups")
        self.browser.see("No client")

    def test_4_pause_and_resume(self):
        self.open("groups/billing")
        self.browser.button("Pause…").click()
        self.browser.one("#act-reason").send_keys("for a test")
        self.browser.button("Pause", "dialog").click()
        self.browser.button("Close", "dialog").click()
        self.browser.see("by oncall: for a test")
        self.browser.see("Paused", ".badge.warning")
        self.stage.wait_until(lambda: self.stage.api("GET", "groups/billing")[1]["isPaused"], "it is paused")
        self.browser.button("Resume…").click()
        self.browser.button("Resume", "dialog").click()
        self.browser.button("Close", "dialog").click()
        self.browser.until(lambda: self.browser.has_button("Pause…"), "it goes on")
        self.open("audit")
        self.browser.see("for a test")

    def test_5_search_and_a_story(self):
        self.open("messages?group=search-index&order=newest")
        self.browser.until(lambda: self.browser.all("#main tbody a.id"), "what waits for search-index")
        wanted = self.browser.one("#main tbody a.id").text
        self.browser.one("#main tbody a.id").click()
        self.browser.page(f"Message {wanted}")
        self.browser.see("search-index")
        self.browser.see("What happened when")
        self.assertTrue(self.browser.all(".timeline li"))

    def test_5_script_in_a_message_does_not_run(self):
        [wanted] = self.stage.publish(
            {
                "topic": "orders",
                "messageType": HOSTILE,
                "text": HOSTILE + "</pre><script>window.hurt=1</script>",
                "properties": {HOSTILE: HOSTILE},
            },
            group=HOSTILE,
        )
        self.open(f"messages/{wanted}")
        self.browser.see("</pre><script>", "pre.body")
        self.browser.see(HOSTILE)
        self.assertIsNone(self.browser.script("return window.hurt ?? null"))

    def test_6_dead_letters(self):
        self.open("dead-letters?group=mailer")
        self.browser.until(lambda: len(self.browser.all("td input[type=checkbox]")) >= 3, "dead letters")
        self.browser.all("td input[type=checkbox]")[0].click()
        self.browser.button("Delete selected…").click()
        self.browser.button("Delete", "dialog").click()
        self.browser.see("1 dead letter deleted.", "dialog")
        self.browser.button("Close", "dialog").click()
        count = self.stage.api("POST", "dead-letters/count", {"group": "mailer"})[1]["count"]
        self.browser.button("Requeue all that match…").click()
        self.browser.button(f"Requeue {count}", "dialog").click()
        self.browser.see(f"{count} dead letters requeued.", "dialog", 30)

    def test_7_transactions(self):
        wanted = self.item("transactions")["id"]
        self.open(f"messages/{wanted}")
        self.browser.button("Commit…").click()
        self.browser.one("#act-reason").send_keys("it was paid")
        self.browser.button("Commit", "dialog").click()
        self.browser.button("Close", "dialog").click()
        self.open("transactions")
        self.browser.not_see(wanted, "#main")

    def test_8_reload(self):
        self.open("configuration")
        self.browser.see("broker.bind")
        self.browser.button("Reload configuration…").click()
        self.browser.button("Reload", "dialog").click()
        self.browser.button("Close", "dialog")

    def test_9_drain(self):
        self.open("brokers")
        self.browser.button("Drain…").click()
        self.browser.one("#act-reason").send_keys("end of the tests")
        self.browser.button("Drain", "dialog").click()
        self.browser.button("Close", "dialog")
        self.stage.wait_until(lambda: self.stage.broker.poll() is not None, "it ends", 60)
        self.browser.see("No answer since", ".health", 30)


def screenshots(stage, browser, folder):
    """Each page of the system under traffic, for docs/console.md."""
    folder.mkdir(parents=True, exist_ok=True)
    items = lambda path: stage.wait_until(lambda: stage.api("GET", path)[1]["items"], f"something at {path}")
    letter, half = items("dead-letters")[0], items("transactions")[0]
    waiting = items("messages?group=search-index")[0]
    stage.api("POST", "groups/ledger/pause", {"reason": "the ledger's database is being moved"})

    def shoot(name, page, width=1366, height=860, theme="light", before=None, wait=2.5):
        browser.reset()
        browser.size(width, height)
        browser.media(prefers_color_scheme=theme)
        browser.open(page, token=stage.tokens["operate"])
        browser.one("#page-title")
        browser.not_see("Loading…")
        if before:
            before()
        time.sleep(wait)
        browser.screenshot(
            folder / f"console-{name}.png", full=name.startswith("overview") or name.startswith("message-")
        )

    def pause_dialog():
        browser.button("Pause…").click()
        browser.one("#act-reason").send_keys("its database is being moved, until 04:00")

    for name, page in [
        ("groups", "groups"),
        ("group", "groups/ledger"),
        ("topics", "topics"),
        ("messages", "messages?group=search-index"),
        ("message-story", f"messages/{waiting['id']}"),
        ("dead-letters", "dead-letters"),
        ("dead-letter", f"dead-letters/{letter['letter']}"),
        ("transactions", "transactions"),
        ("message-half", f"messages/{half['id']}"),
        ("brokers", "brokers"),
        ("shards", "shards"),
        ("clients", "clients"),
        ("bindings", "bindings"),
        ("configuration", "configuration"),
        ("audit", "audit"),
        ("find", "find/bill"),
    ]:
        shoot(name, page)
    # At the end, when there is something to draw.
    stage.wait_until(lambda: stage.api("GET", "history?step=300")[1]["items"], "the first samples are stored", 120)
    shoot("topic", "topics/orders", before=lambda: browser.button("Hour", ".history").click())
    shoot("overview", "", before=lambda: browser.button("Hour", ".history").click(), wait=50)
    shoot("overview-dark", "", theme="dark", before=lambda: browser.button("Hour", ".history").click(), wait=20)
    shoot("groups-dark", "groups", theme="dark")
    shoot("groups-phone", "groups", width=360, height=740)
    shoot("pause", "groups/billing", before=pause_dialog, wait=1)
    browser.reset()
    browser.open()
    browser.page("Sign in")
    browser.screenshot(folder / "console-sign-in.png", full=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kiteq")
    parser.add_argument("--screenshots", type=Path)
    arguments = parser.parse_args()
    end_on_sigterm()
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kiteq-console-") as folder, Stage(
        Path(arguments.kiteq).resolve(), folder
    ) as stage:
        browser = Browser(stage.url)
        try:
            stage.begin_traffic()
            if arguments.screenshots:
                screenshots(stage, browser, arguments.screenshots)
                return 0
            shared.update(stage=stage, browser=browser)
            result = unittest.TextTestRunner(verbosity=2, resultclass=Result).run(
                unittest.defaultTestLoader.loadTestsFromTestCase(RealBroker)
            )
        finally:
            browser.quit()
    return result.conclude("a real broker", start)


if __name__ == "__main__":
    sys.exit(main())
