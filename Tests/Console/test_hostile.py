"""What messages, groups and servers say is shown as text and never runs; the page obeys the policy that it is served with."""

import re

from case import ConsoleCase
from fixture import CONSOLE, POLICY
from urllib.request import urlopen
from world import HOSTILE, HOSTILE_SCRIPT, message_id
from browser import name_in_hash


class Hostile(ConsoleCase):
    scenario = "hostile"

    def no_harm(self):
        self.assertIsNone(self.browser.script("return window.hurt ?? null"))
        # The icon is the only picture, and scripts are those of index.html.
        self.assertEqual(
            self.browser.script("return [...document.images].map((each) => each.getAttribute('src'))"), ["icon.svg"]
        )
        self.assertEqual(
            self.browser.script("return [...document.scripts].map((each) => each.getAttribute('src'))"),
            ["theme.js", "main.js"],
        )

    def test_script_in_what_is_shown_does_not_run(self):
        pages = [
            "",
            "groups",
            f"groups/{name_in_hash(HOSTILE)}",
            "topics",
            f"topics/{name_in_hash(HOSTILE)}",
            "messages",
            f"messages/{message_id(1)}",
            "dead-letters",
            "dead-letters/0:2",
            "transactions",
            "brokers",
            "shards",
            "clients",
            "bindings",
            "configuration",
            f"find/{name_in_hash(HOSTILE)}",
            f"{name_in_hash(HOSTILE)}",
        ]
        self.server.world.health = [
            {"severity": "warning", "subject": HOSTILE, "text": HOSTILE, "action": HOSTILE_SCRIPT}
        ]
        self.server.world.unreachable = [{"shard": 0, "reason": HOSTILE}]
        for page in pages:
            with self.subTest(page):
                self.go(page)
                self.browser.one("#page-title")
                self.browser.not_see("Loading…")
                if page != "shards" and not page.startswith("%3C"):
                    self.browser.see(HOSTILE)
                self.no_harm()

    def test_bodies_are_text(self):
        self.open(f"messages/{message_id(1)}")
        self.browser.see(HOSTILE_SCRIPT, "pre.body")
        self.browser.see("⟨U+202E⟩", "pre.body")
        self.assertEqual(self.browser.script("return document.querySelector('pre.body').childElementCount"), 0)
        self.browser.see("javascript:window.hurt=1")
        self.no_harm()

    def test_acts_name_the_right_group(self):
        self.open(f"groups/{name_in_hash(HOSTILE)}")
        self.browser.button("Pause…").click()
        self.browser.see(HOSTILE, "dialog")
        self.browser.one("#act-reason").send_keys(HOSTILE)
        self.browser.button("Pause", "dialog").click()
        self.browser.see(f"Group {HOSTILE} is paused.", "dialog")
        self.assertTrue(self.server.world.groups[HOSTILE]["isPaused"])
        self.no_harm()

    def test_errors_are_text(self):
        self.server.failing["topics"] = (500, HOSTILE_SCRIPT)
        self.open("topics")
        self.browser.see(HOSTILE_SCRIPT)
        self.no_harm()

    def test_a_binding_character_does_not_turn_round_what_is_beside_it(self):
        self.open("groups")
        self.browser.see("a⟨U+202E⟩gnillib")

    def test_nothing_hidden_is_shown_wherever_it_comes_from(self):
        hidden = "x\u009b2J\u202e\u2066\u2028\u200b\U000e0041y"
        self.server.world.health = [{"severity": "warning", "subject": hidden, "text": hidden, "action": hidden}]
        self.server.world.unreachable = [{"shard": 0, "reason": hidden}]
        self.server.failing["topics"] = (500, hidden)
        for page in ["", "groups", "topics", "messages"]:
            with self.subTest(page):
                self.go(page)
                self.browser.see("x⟨U+009B⟩2J⟨U+202E⟩⟨U+2066⟩⟨U+2028⟩⟨U+200B⟩⟨U+E0041⟩y")
                shown = self.browser.script("return document.body.innerText + document.title")
                self.assertNotRegex(shown, "[\u0080-\u009f\u200b\u202e\u2066\u2028\U000e0041]")

    def test_the_policy(self):
        with urlopen(self.server.url) as answer:
            self.assertEqual(answer.headers["Content-Security-Policy"], POLICY)
        self.open("groups")
        self.browser.see("ledger")
        self.driver.execute_script(
            "const s = document.createElement('script'); s.textContent = 'window.hurt = 1'; document.body.append(s); document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hurt=1\">');"
        )
        self.browser.until(self.browser.errors, "the browser refuses")
        self.assertIsNone(self.browser.script("return window.hurt ?? null"))
        self.driver.get("about:blank")
        self.browser.errors()

    def test_the_sources_have_nothing_inline_and_nothing_from_elsewhere(self):
        for file in sorted(CONSOLE.iterdir()):
            text = file.read_text(encoding="utf-8")
            with self.subTest(file.name):
                self.assertNotRegex(
                    text,
                    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|setHTML",
                )
                self.assertNotRegex(text.replace("http://www.w3.org/2000/svg", ""), r"https?://")
                if file.suffix == ".html":
                    self.assertNotRegex(text, r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)")
                for name in re.findall(r'from "\./([^"]+)"', text):
                    self.assertTrue((CONSOLE / name).is_file(), name)
