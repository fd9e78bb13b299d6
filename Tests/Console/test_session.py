"""Who may see, who may act, and where the token is."""

from selenium.webdriver.common.keys import Keys

from case import ConsoleCase
from test_pages import PAGES
from world import message_id


class Session(ConsoleCase):
    scenario = "trouble"

    def test_a_token_is_asked_for(self):
        self.browser.open()
        self.browser.page("Sign in")
        field = self.browser.one("#token")
        self.assertEqual(field.get_attribute("type"), "password")
        self.assertEqual(self.browser.focused(), field)
        field.send_keys("wrong", Keys.ENTER)
        self.browser.see("No valid token")
        self.browser.one("#token").send_keys("not one word", Keys.ENTER)
        self.browser.see("A token has no spaces")
        self.browser.one("#token").clear()
        self.browser.one("#token").send_keys("reader", Keys.ENTER)
        self.browser.page("Overview")
        self.browser.see("nightwatch", ".account")
        self.browser.see("read", ".account")
        self.assertEqual(
            self.browser.script(
                "return [sessionStorage['kiteq.token'], JSON.stringify(localStorage), document.cookie, location.href.includes('reader')]"
            ),
            ["reader", "{}", "", False],
        )

    def test_the_token_is_sent_as_a_header_only(self):
        self.open("groups")
        self.browser.see("billing")
        for target, _, headers in self.asked("GET", ""):
            self.assertNotIn("operator", target)
            self.assertNotIn("Cookie", headers)
        self.assertEqual(self.asked("GET", "groups")[0][2]["Authorization"], "Bearer operator")

    def test_signing_out_forgets(self):
        self.open("groups")
        self.browser.button("Sign out").click()
        self.browser.page("Sign in")
        self.assertIsNone(self.browser.script("return sessionStorage.getItem('kiteq.token')"))
        self.assertEqual(self.browser.all("nav.pages a"), [])

    def test_a_token_that_is_taken_away(self):
        self.server.tokens["short"] = ("brief", "operate")
        self.open("groups", role="short")
        self.browser.see("billing")
        with self.server.lock:
            del self.server.tokens["short"]
        self.browser.page("Sign in")
        self.browser.see("No valid token")
        self.browser.one("#token").send_keys("operator", Keys.ENTER)
        self.browser.page("Groups")

    def test_anonymous_readers_where_the_broker_lets_them(self):
        self.server.anonymous = "read"
        self.browser.open("groups")
        self.browser.see("billing")
        self.browser.see("anonymous", ".account")
        self.assertFalse(self.browser.has_button("Pause…"))
        self.browser.button("Sign in").click()
        self.browser.one("#token").send_keys("operator", Keys.ENTER)
        self.browser.button("Pause…")

    def test_readers_see_no_acts(self):
        acts = [
            "Pause…",
            "Resume…",
            "Requeue…",
            "Requeue selected…",
            "Delete selected…",
            "Requeue all that match…",
            "Delete all that match…",
            "Delete…",
            "Commit…",
            "Roll back…",
            "Drain…",
            "Reload configuration…",
        ]
        pages = [
            "groups",
            "groups/ledger",
            "dead-letters",
            "dead-letters/0:2",
            "transactions",
            f"messages/{message_id(9001)}",
            "brokers",
            "configuration",
        ]
        self.open(role="reader")
        self.browser.page("Overview")
        for page in pages:
            self.go(page)
            self.browser.not_see("Loading…")
            self.assertEqual([act for act in acts if self.browser.has_button(act)], [], page)
            self.assertEqual(self.browser.all("td input[type=checkbox]"), [], page)
        self.open()
        self.browser.page("Overview")
        seen = set()
        for page in pages:
            self.go(page)
            self.browser.until(lambda: any(self.browser.has_button(act) for act in acts), f"an act on {page}")
            seen |= {act for act in acts if self.browser.has_button(act)}
        self.assertEqual(set(acts) - seen, {"Resume…"})

    def each_page(self, refused):
        """Every page opens; those that are refused say so, and nothing stands there half."""
        for page, title in {**PAGES, "dead-letters/0:2": "Dead letter 0:2"}.items():
            # There it is already.
            if page == "":
                continue
            with self.subTest(page):
                self.go(page)
                self.browser.page(title)
                self.browser.not_see("Loading…")
                self.browser.not_see("undefined", "#main")
                if page in refused:
                    self.browser.see(refused[page], "#main .problem")
                else:
                    self.assertEqual(self.browser.all("#main > .notice .problem, #main .listing .problem p"), [], page)

    def test_a_token_for_some_topics_and_groups(self):
        self.server.reset("calm")
        self.server.world.letters = [self.server.world.letter(2)]
        self.open(role="team")
        self.browser.page("Overview")
        self.browser.see("Your token is for topics: orders; groups: billing.")
        self.browser.see("Rates, queues and counts over all topics and groups are not shown", "#main")
        self.browser.not_see("Live rates")
        self.browser.not_see("Messages by state")
        whole = "team is for some topics or groups alone; this is about the whole broker"
        self.each_page(
            {
                "groups/ledger": "team is not for group ledger",
                "messages": "team is for some groups alone: ask for messages owed to one of them",
                "shards": whole,
                "configuration": whole,
            }
        )
        self.go("groups")
        self.browser.see("billing")
        self.browser.not_see("ledger", "#main")
        self.browser.button("Pause…")
        for page in ("brokers", "configuration"):
            self.go(page)
            self.browser.not_see("Loading…")
            for act in ("Drain…", "Reload configuration…"):
                self.assertFalse(self.browser.has_button(act), f"{act} on {page}")

    def test_what_is_refused_is_not_asked_for_again(self):
        self.open("shards", role="team")
        self.browser.see("this is about the whole broker", "#main .problem")
        count = len(self.asked("GET", "overview"))
        self.browser.until(lambda: len(self.asked("GET", "overview")) >= count + 5, "health goes on")
        self.assertEqual(len(self.asked("GET", "shards")), 1)
        self.browser.button("Try now").click()
        self.browser.until(lambda: len(self.asked("GET", "shards")) == 2, "it is asked for when it is wanted")

    def test_who_counts_sees_no_content(self):
        self.server.reset("calm")
        self.server.world.letters = [self.server.world.letter(2)]
        self.open(role="counter")
        self.browser.page("Overview")
        self.browser.see("Live rates")
        self.go(f"messages/{message_id(1)}")
        self.browser.see("Properties and body are not shown: your token has the role counts.")
        self.browser.see("counts", ".account")
        needs = "wall has the role counts; this needs read"
        self.each_page({"audit": needs, "configuration": needs, "clients": needs})
        self.browser.see("Properties and body are not shown")
        self.assertFalse(self.browser.has_button("Requeue…"))

    def test_no_contact_at_the_start(self):
        self.server.failing["session"] = (503, "The broker is starting.")
        self.open()
        self.browser.page("No contact with the broker")
        self.browser.see("The broker is starting.")
        self.server.failing.clear()
        self.browser.button("Try again").click()
        self.browser.page("Overview")
