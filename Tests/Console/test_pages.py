"""Each page opens in each state of the system, and says what it is."""

from case import ConsoleCase
from world import ago, message_id

PAGES = {
    "": "Overview",
    "groups": "Groups",
    "groups/ledger": "Group ledger",
    "topics": "Topics",
    "topics/orders": "Topic orders",
    "messages": "Messages",
    f"messages/{message_id(1)}": f"Message {message_id(1)}",
    "dead-letters": "Dead letters",
    "transactions": "Undecided transactions",
    "brokers": "Brokers",
    "shards": "Shards",
    "clients": "Clients",
    "bindings": "Bindings",
    "configuration": "Configuration",
    "audit": "Audit log",
    "find/led": "Find led",
}


class Pages(ConsoleCase):
    def each_page(self, pages=PAGES):
        for page, title in pages.items():
            with self.subTest(page=page, scenario=self.scenario):
                self.go(page)
                self.browser.page(title)
                self.browser.not_see("Loading…")
                self.assertTrue(self.driver.title.endswith("· broker-1 · KiteQ"), self.driver.title)
                self.assertEqual(len(self.browser.all("h1")), 1)
                self.assertEqual(
                    self.browser.script("return document.querySelectorAll('[aria-current]').length"),
                    0 if page.startswith("find") else 1,
                )

    def test_calm(self):
        self.each_page()
        self.go("")
        self.browser.see("All is well", "#main")
        self.browser.see("All is well", ".health")

    def test_trouble(self):
        self.server.reset("trouble")
        self.scenario = "trouble"
        self.each_page(
            {
                **PAGES,
                "dead-letters/0:2": "Dead letter 0:2",
                f"messages/{message_id(9001)}": f"Message {message_id(9001)}",
            }
        )

    def test_findings_say_what_to_do(self):
        self.server.reset("trouble")
        self.open()
        self.browser.see("See whether the server at 10.0.0.12:3306 runs")
        self.browser.see("1 critical, 2 warnings", ".health")
        self.browser.until(lambda: self.driver.title.startswith("(1 critical, 2 warnings) Overview"), "the title tells")
        self.assertTrue(self.browser.has_button("See Dead letters"))
        self.browser.button("See group search-index").click()
        self.browser.page("Group search-index")
        self.browser.see("100,000+")
        self.browser.see("No client")

    def test_a_group_that_stopped_is_marked(self):
        text = "ledger has clients and acknowledges nothing."
        self.server.world.health = [
            {"severity": "critical", "subject": "group ledger", "text": text, "action": "Its consumers hang."}
        ]
        self.server.world.groups["ledger"]["isStopped"] = True
        self.open("groups")
        self.browser.see("Stopped", "#main tr[data-key=ledger]")
        self.assertNotIn("Stopped", self.browser.text("#main tr[data-key=billing]"))
        self.browser.button("ledger", "#main").click()
        self.browser.see("Stopped", ".facts .badge.critical")
        self.browser.see(text, ".findings")
        self.assertFalse(self.browser.has_button("See group ledger"))
        self.server.world.health = []
        self.server.world.groups["ledger"]["isStopped"] = False
        self.browser.see("Connected", ".facts .badge")
        self.browser.not_see(text, "#main")

    def test_a_paused_group_says_so_once(self):
        reason = "its database is moved"
        self.server.world.groups["ledger"].update(
            isPaused=True, pause={"at": ago(60), "by": "oncall", "reason": reason}
        )
        self.server.world.health = [
            {"severity": "information", "subject": "group ledger", "text": f"Paused: {reason}.", "action": "Resume it."}
        ]
        self.open()
        self.browser.see(reason, ".findings")
        self.go("groups/ledger")
        self.browser.see(f"by oncall: {reason}", "#main")
        self.assertEqual(self.browser.text("#main").count(reason), 1)

    def test_unreachable_shard_is_named(self):
        self.server.reset("trouble")
        for page in [
            "",
            "groups",
            "groups/search-index",
            "topics",
            "messages",
            "dead-letters",
            "transactions",
            "brokers",
            "shards",
        ]:
            with self.subTest(page):
                self.go(page)
                self.browser.see("Shard 1: Can't connect to server on '10.0.0.12:3306' (110)", "#main .problem")

    def test_what_is_not_there(self):
        for page, text in [
            ("nonsense", "There is no such page"),
            ("groups/%E0%A4%A", "There is no such page"),
            ("groups/none", "No such group."),
            (f"messages/{message_id(77777)}", "No message with this id"),
            ("dead-letters/0:99", "No such dead letter"),
            ("topics/none", "This broker does not serve such a topic"),
            ("groups/..", "cannot be asked for over HTTP"),
        ]:
            with self.subTest(page):
                self.go(page)
                self.browser.see(text, "#main")

    def test_draining(self):
        self.server.world.state = "draining"
        self.open("brokers")
        self.browser.see("Still to be finished")
        self.browser.see("Draining", ".health")

    def test_times(self):
        self.open(f"messages/{message_id(1)}")
        self.browser.page(f"Message {message_id(1)}")
        time = self.browser.one(".timeline time")
        self.assertRegex(time.get_attribute("title"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \(UTC\)$")
        self.assertRegex(time.text, r"^(\d+ \w+( \d{4})?, )?\d\d:\d\d:\d\d\.\d{3}$")
        age = self.browser.one(".facts time[data-age]")
        first = age.text
        self.assertRegex(first, r"^1 h \d+ min ago$")

    def test_ages_run_by_the_brokers_clock(self):
        module = "(m.setBrokerClock(new Date(Date.now() + 3600000).toISOString(), Date.now(), Date.now()), m.ageText(new Date().toISOString()))"
        self.driver.get(self.server.url)
        self.assertIn(self.browser.module("time.js", module), ("1 h ago", "59 min ago"))

    def test_charts_have_words_and_a_table(self):
        self.open()
        self.browser.until(lambda: len(self.browser.all(".history rect.bar")) > 100, "a week of bars")
        label = self.browser.one(".history svg[role=img]").get_attribute("aria-label")
        self.assertRegex(label, r"^Published, messages an hour\. Published: last [\d,]+, highest [\d,]+ at ")
        self.browser.one(".history summary").click()
        self.browser.until(lambda: len(self.browser.all(".history .values tbody tr")) > 100, "the same as a table")
        self.browser.button("Hour", ".history").click()
        self.browser.until(lambda: "messages in 5 minutes" in self.browser.one(".history figcaption").text, "an hour")
        self.assertTrue(any("step=300" in target for target, _, _ in self.asked("GET", "history")))
        self.browser.one(".history [data-measure=deadLettered]").click()
        self.assertIn("Dead-lettered", self.browser.one(".history figcaption").text)
        self.browser.until(
            lambda: self.browser.one("section svg[role=img] path.line.first").get_attribute("d").count("L") >= 1,
            "live rates",
            15,
        )
