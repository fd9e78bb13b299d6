"""Asking again and again: never two at a time, slower while nobody looks, backing off, saying how old the data are."""

from case import ConsoleCase


class Polling(ConsoleCase):
    def let_polling_go_on(self):
        """Until health was asked for three times more."""
        count = len(self.asked("GET", "overview"))
        self.browser.until(lambda: len(self.asked("GET", "overview")) >= count + 3, "three more answers")

    def waits(self):
        """Milliseconds that the page set its timers to: 15,000 for an answer, then the time until the next question."""
        # The driver sets short ones in the page, too.
        return [each for each in self.browser.script("return window.waits ?? []") if each >= 1000]

    def test_pages_go_on_by_themselves_and_keep_the_focus(self):
        self.open("groups")
        self.browser.see("billing")
        link = self.browser.button("ledger")
        self.driver.execute_script("arguments[0].focus()", link)
        with self.server.lock:
            self.server.world.groups["ledger"]["waiting"]["count"] = 987654
        self.browser.see("987,654")
        self.assertEqual(self.browser.focused(), link)

    def test_a_row_that_is_moved_keeps_the_focus(self):
        self.open("groups")
        self.browser.button("Waiting", "thead").click()
        link = self.browser.button("billing")
        self.driver.execute_script("arguments[0].focus()", link)
        with self.server.lock:
            self.server.world.groups["billing"]["waiting"]["count"] = 987654
        self.browser.until(lambda: self.browser.one("#main tbody tr a").text == "billing", "it is the first row")
        self.assertEqual(self.browser.focused(), link)

    def test_what_is_selected_stays_selected(self):
        for page, css in [
            ("groups/ledger", "dl.facts dd"),
            ("", "dl.figures dd"),
            ("topics/orders", "dl.figures dd"),
            ("brokers", "dl.facts dd"),
        ]:
            with self.subTest(page):
                self.go(page)
                self.browser.one(css)
                self.browser.script(
                    "getSelection().selectAllChildren(document.querySelectorAll(arguments[0])[arguments[0].includes('facts') ? 2 : 4])",
                    css,
                )
                selected = self.browser.script("return getSelection().toString()")
                self.assertTrue(selected.strip())
                self.let_polling_go_on()
                self.assertEqual(
                    self.browser.script("return getSelection().rangeCount && !getSelection().isCollapsed"), True
                )

    def test_a_finding_that_stays_stays_selected(self):
        def findings(seconds):
            return [
                {"severity": "warning", "subject": "group ledger", "text": text, "action": "Nothing."}
                for text in ("This one stays.", f"The oldest waits for {seconds} s.")
            ]

        self.server.world.health = findings(1)
        for seconds, page in [(2, ""), (3, "groups/ledger")]:
            with self.subTest(page):
                self.go(page)
                self.browser.see("This one stays.", "#main .findings")
                self.browser.script(
                    "getSelection().selectAllChildren(document.querySelector('#main .findings li strong'))"
                )
                self.server.world.health = findings(seconds)
                self.browser.see(f"for {seconds} s.", "#main .findings")
                self.assertEqual(self.browser.script("return getSelection().toString()"), "This one stays.")

    def test_questions_never_overlap(self):
        self.server.delay["groups"] = 3 / self.haste
        self.open("groups")
        self.browser.until(lambda: len(self.asked("GET", "groups")) >= 3, "three questions", 20)
        self.assertEqual(self.server.most_under_way["/api/v1/groups"], 1)
        self.assertGreater(
            len(self.asked("GET", "overview")),
            len(self.asked("GET", "groups")),
            "health does not wait for a slow listing",
        )

    def test_errors_are_shown_where_they_happened_with_the_age(self):
        self.open("shards")
        self.browser.see("Answers")
        self.server.failing["shards"] = (503, "The store cannot be asked now. See the shards' servers.")
        self.browser.see(
            "The store cannot be asked now. See the shards' servers. What is shown is of ", "#main .notice"
        )
        self.browser.see("Answers", "#main table")
        self.browser.see("All is well", ".health")
        self.server.failing.clear()
        self.browser.button("Try now").click()
        self.browser.until(lambda: self.browser.all("#main .notice .problem") == [], "the notice goes")

    def test_backing_off(self):
        self.server.failing["topics"] = (503, "Not now.")
        self.open("topics")
        self.browser.see("Not now.")
        self.browser.until(lambda: len(self.asked("GET", "topics")) >= 3, "two more")
        # Health is asked for each 2 s.
        self.assertEqual([each for each in self.waits() if 2000 < each < 15000][:2], [4000, 8000])

    def test_no_answer_at_all_is_a_matter_of_health(self):
        self.open("groups")
        self.browser.see("billing")
        self.server.failing["overview"] = (503, "It cannot now.")
        self.browser.see("Errors since", ".health")
        self.assertIn("Errors since", self.browser.one("[role=status]").get_attribute("textContent"))
        self.server.failing.clear()
        self.browser.see("All is well", ".health", 30)

    def test_slower_while_nobody_looks(self):
        # A page that does not ask by itself: there is the question about health alone.
        self.open("messages")
        self.browser.see("As of ")
        self.browser.until(lambda: self.waits()[-1:] == [2000], "the next question is due in 2 s")
        window = self.driver.current_window_handle
        # A tab that is behind another one is hidden.
        self.driver.execute_script(
            "Object.defineProperty(document, 'hidden', {get: () => window.isAway, configurable: true}); window.isAway = true;"
        )
        self.browser.until(lambda: self.waits()[-2:] == [15000, 15000], "it waits for 15 s")
        before = len(self.asked("GET", "overview"))
        self.driver.execute_script("window.isAway = false; document.dispatchEvent(new Event('visibilitychange'))")
        self.browser.until(lambda: len(self.asked("GET", "overview")) > before, "at once when it is seen again")
        self.assertEqual(self.driver.current_window_handle, window)

    def test_searches_are_not_repeated(self):
        self.open("messages")
        self.browser.see("As of ")
        count = len(self.asked("GET", "messages"))
        self.let_polling_go_on()
        self.assertEqual(len(self.asked("GET", "messages")), count)
        self.browser.button("Refresh").click()
        self.browser.until(lambda: len(self.asked("GET", "messages")) == count + 1, "once more")

    def test_pages_that_are_left_ask_no_more(self):
        self.open("shards")
        self.browser.see("Answers")
        self.browser.button("Bindings", "nav.pages").click()
        self.browser.page("Bindings")
        count = len(self.asked("GET", "shards"))
        self.let_polling_go_on()
        self.assertEqual(len(self.asked("GET", "shards")), count)
