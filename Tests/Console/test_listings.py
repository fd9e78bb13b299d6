"""Search, filters, pages of a listing, sorting, and finding."""

from selenium.webdriver.common.keys import Keys

from case import ConsoleCase
from world import message_id


class Listings(ConsoleCase):
    scenario = "trouble"

    def column(self, number):
        return self.browser.script(
            "return [...document.querySelectorAll(`#main tbody tr > *:nth-child(${arguments[0]})`)].map((each) => each.innerText.trim())",
            number,
        )

    def test_a_search_is_an_address(self):
        self.open("messages")
        self.browser.see("100 rows on this page")
        self.browser.one("#filter-topic").send_keys("payments")
        self.driver.execute_script("const s = document.getElementById('filter-state'); s.value = 'tracked';")
        self.driver.execute_script("const s = document.getElementById('filter-order'); s.value = 'newest';")
        self.browser.one("#filter-topic").send_keys(Keys.ENTER)
        self.browser.until(
            lambda: self.driver.current_url.endswith("#/messages?topic=payments&state=tracked&order=newest"),
            "the address",
        )
        self.browser.until(lambda: len(self.asked("GET", "messages")) == 2, "the search")
        target = self.asked("GET", "messages")[-1][0]
        self.assertEqual(target, "/api/v1/messages?topic=payments&state=tracked&order=newest")
        self.assertEqual(self.browser.one("#filter-topic").get_attribute("value"), "payments")
        self.assertEqual(self.browser.one("#filter-state").get_attribute("value"), "tracked")
        self.browser.until(lambda: set(self.column(3)) == {"tracked"}, "only those")
        self.driver.back()
        self.browser.see("100 rows on this page")
        self.assertEqual(self.browser.one("#filter-topic").get_attribute("value"), "")

    def test_times_are_sent_in_utc(self):
        self.open("messages?from=2026-01-31T09%3A30%3A00.000Z")
        self.browser.see("As of")
        self.assertEqual(self.asked("GET", "messages")[-1][0], "/api/v1/messages?from=2026-01-31T09%3A30%3A00.000Z")
        local = self.driver.execute_script(
            "const d = new Date('2026-01-31T09:30:00Z'); return new Date(d - d.getTimezoneOffset() * 60000).toISOString().slice(0, 16)"
        )
        self.assertTrue(self.browser.one("#filter-from").get_attribute("value").startswith(local))

    def test_pages_of_a_listing(self):
        self.open("messages")
        self.browser.button("Next page").click()
        self.browser.until(lambda: "cursor=100" in self.driver.current_url, "the cursor is in the address")
        self.browser.see(message_id(101))
        self.browser.button("Next page").click()
        self.browser.see("50 rows on this page")
        self.browser.see("This is the last page.")
        self.assertFalse(self.browser.has_button("Next page"))
        self.browser.button("First page").click()
        self.browser.see(message_id(1))

    def test_an_empty_page_that_is_not_the_last(self):
        self.open("messages?topic=rare")
        self.browser.see("Nothing was found in the rows that this page looked at. There are more rows: go on.")
        self.browser.button("Next page").click()
        self.browser.see("No message that is not done matches.")

    def test_sorting(self):
        self.open("groups")
        self.browser.see("billing")
        names = self.column(1)
        self.browser.button("Waiting", "thead").click()
        heading = self.browser.one("thead th:nth-child(3)")
        self.assertEqual(heading.get_attribute("aria-sort"), "descending")
        self.assertEqual(self.column(3)[0], "100,000+")
        self.browser.button("Waiting", "thead").click()
        self.assertEqual(heading.get_attribute("aria-sort"), "ascending")
        self.assertEqual(self.column(3)[-1], "100,000+")
        self.browser.button("Waiting", "thead").click()
        self.assertIsNone(heading.get_attribute("aria-sort"))
        self.assertEqual(self.column(1), names)
        self.browser.button("Oldest", "thead").click()
        self.assertIn("min ago", self.column(4)[0], "the oldest first")
        self.assertEqual(self.column(4)[-1], "–")

    def test_find(self):
        self.open("groups")
        self.browser.see("billing")
        self.browser.press("/")
        self.assertEqual(self.browser.focused_id(), "find")
        self.browser.press(message_id(1).upper(), Keys.ENTER)
        self.browser.page(f"Message {message_id(1)}")
        for text, title in [("0:2", "Dead letter 0:2"), ("LEDG", "Find LEDG")]:
            self.browser.one("#find").clear()
            self.browser.one("#find").send_keys(text, Keys.ENTER)
            self.browser.page(title)
        self.browser.button("ledger", "#main").click()
        self.browser.page("Group ledger")

    def test_a_story(self):
        self.open(f"messages/{message_id(2)}")
        self.browser.see("refused: the ledger is closed")
        self.browser.see("retrying")
        self.assertEqual(
            [each.text.split(" ", 1)[1] for each in self.browser.all(".timeline li")][0],
            "Accepted by broker-1, shard 0",
        )
        self.browser.button("Indent JSON").click()
        self.browser.see('"lines": [\n', "pre.body")
        self.open(f"messages/{message_id(1)}")
        self.browser.see("00000010  10 11 12", "pre.body")
        self.browser.see("Only its first bytes are shown.")
        self.browser.see("68.4 KiB", "#main dl.facts")
        self.browser.see("(expected)", ".timeline")
        self.open(f"messages/{message_id(5001)}")
        self.browser.see("The message itself is gone from the store")
        self.browser.see("Dead letters", "#main")

    def test_configuration_is_narrowed(self):
        self.open("configuration")
        self.browser.see("(hidden)")
        self.browser.one("#narrow").send_keys("log")
        self.browser.not_see("broker.bind", "#main table")
        self.browser.see("log.level", "#main table")

    def test_clients_of_a_group(self):
        self.open("clients?group=ledger")
        self.browser.until(lambda: set(self.column(2)) == {"ledger"}, "only its clients")

    def test_a_part_of_a_name_is_searched(self):
        for page, title in (("groups", "Groups"), ("topics", "Topics")):
            self.open(page)
            self.browser.page(title)
            self.browser.until(lambda: self.column(1), "all of them")
            wanted = self.column(1)[-1]
            self.browser.one("#filter-search").send_keys(wanted[1:].upper(), Keys.ENTER)
            self.browser.until(lambda: self.column(1) and all(wanted[1:] in each for each in self.column(1)), "those")
            self.assertIn(f"?search={wanted[1:].upper()}", self.asked("GET", page)[-1][0])
            self.open(f"{page}?search=nobody-of-this-name")
            self.browser.see("has this in its name")

    def test_bindings_of_a_group(self):
        self.open("bindings")
        self.browser.until(lambda: len(set(self.column(2))) > 1, "all of them")
        wanted = self.column(2)[0]
        self.browser.one("#filter-group").send_keys(wanted, Keys.ENTER)
        self.browser.until(lambda: set(self.column(2)) == {wanted}, "its bindings")
        self.open("bindings?topic=nothing")
        self.browser.see("No binding matches.")
