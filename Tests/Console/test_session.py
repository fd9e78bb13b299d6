"""Who may see, who may act, and where the token is."""

from selenium.webdriver.common.keys import Keys

from case import ConsoleCase
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

    def test_no_contact_at_the_start(self):
        self.server.failing["session"] = (503, "The broker is starting.")
        self.open()
        self.browser.page("No contact with the broker")
        self.browser.see("The broker is starting.")
        self.server.failing.clear()
        self.browser.button("Try again").click()
        self.browser.page("Overview")
