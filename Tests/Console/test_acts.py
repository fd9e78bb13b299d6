"""Acts: each is asked about, sent as the API wants it, and what came of it is shown."""

import json

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from case import ConsoleCase
from world import message_id


class Acts(ConsoleCase):
    scenario = "trouble"

    def dialog(self, text):
        return self.browser.see(text, "dialog")

    def sent(self, path):
        return [json.loads(body) if body else None for _, body, _ in self.asked("POST", path)]

    def test_pause_and_resume_with_a_reason(self):
        self.open("groups/ledger")
        opener = self.browser.button("Pause…")
        opener.click()
        self.dialog("Nothing more is delivered to it")
        self.assertEqual(self.browser.focused_id(), "act-reason")
        self.browser.button("Pause", "dialog").click()
        self.dialog("Say why")
        self.assertEqual(self.sent("groups"), [])
        self.browser.focused().send_keys("the ledger is being moved")
        self.browser.button("Pause", "dialog").click()
        self.dialog("Group ledger is paused.")
        self.assertEqual(self.browser.focused_text(), "Close")
        self.assertEqual(self.sent("groups/ledger/pause"), [{"reason": "the ledger is being moved"}])
        self.browser.press(Keys.ENTER)
        self.browser.see("by oncall: the ledger is being moved")
        self.browser.button("Resume…").click()
        self.dialog("It was paused by oncall: the ledger is being moved")
        self.browser.one("#act-reason").send_keys("it is moved")
        self.browser.button("Resume", "dialog").click()
        self.dialog("Group ledger goes on.")
        self.assertEqual(self.sent("groups/ledger/resume"), [{"reason": "it is moved"}])

    def test_escape_does_nothing_and_gives_the_focus_back(self):
        self.open("groups/ledger")
        opener = self.browser.button("Pause…")
        opener.send_keys(Keys.ENTER)
        self.dialog("Pause a group")
        self.browser.press(Keys.ESCAPE)
        self.browser.until(lambda: not self.browser.all("dialog"), "the dialog goes")
        self.assertEqual(self.browser.focused(), opener)
        self.assertEqual(self.asked("POST", ""), [])

    def test_a_refusal_is_shown_in_the_dialog(self):
        self.open("transactions")
        self.browser.button("Commit…").click()
        with self.server.lock:
            self.server.world.transactions = []
        self.browser.one("#act-reason").send_keys("paid, see the bank")
        self.browser.button("Commit", "dialog").click()
        self.dialog("It is decided already.")
        self.assertEqual(self.browser.one("#act-reason").get_attribute("value"), "paid, see the bank")

    def test_commit_and_roll_back(self):
        self.open("transactions")
        wanted = self.server.world.transactions[0]["id"]
        self.browser.see(wanted)
        self.browser.button("Roll back…").click()
        self.dialog("The message is thrown away and goes to nobody.")
        self.browser.one("#act-reason").send_keys("the payment failed")
        self.browser.button("Roll back", "dialog").click()
        self.dialog(f"Message {wanted} is rolled back.")
        self.assertEqual(self.sent(f"transactions/{wanted}/rollback"), [{"reason": "the payment failed"}])
        self.browser.not_see(wanted, "#main")
        self.browser.button("Close", "dialog").click()
        self.browser.until(
            lambda: self.browser.focused_id() == "page-title", "the opener is gone with its row"
        )
        rest = self.server.world.transactions[0]["id"]
        self.open(f"messages/{rest}")
        self.browser.see("Undecided")
        self.browser.button("Commit…").click()
        self.browser.one("#act-reason").send_keys("it was paid")
        self.browser.button("Commit", "dialog").click()
        self.dialog(f"Message {rest} is committed.")

    def test_requeue_the_selected(self):
        self.open("dead-letters")
        self.browser.see("100 rows on this page")
        self.assertFalse(self.browser.button("Requeue selected…").is_enabled())
        boxes = self.browser.all("td input[type=checkbox]")
        boxes[0].click()
        boxes[2].send_keys(Keys.SPACE)
        self.browser.see("2 selected")
        with self.server.lock:
            self.server.world.letters = [each for each in self.server.world.letters if each["letter"] != "1:3"]
        self.browser.button("Requeue selected…").click()
        self.dialog("Requeue 2 dead letters")
        self.dialog("1 of them undecided. To requeue an undecided half message is to commit it")
        self.browser.button("Requeue", "dialog").click()
        self.dialog("1 dead letter requeued.")
        self.dialog("1:3: It is there no more.")
        self.assertEqual(self.sent("dead-letters/requeue"), [{"letters": ["1:1", "1:3"]}])
        self.browser.see("0 selected")

    def test_select_all_of_the_page(self):
        self.open("dead-letters?reason=expired")
        self.browser.one("thead input[type=checkbox]").click()
        matching = [each["letter"] for each in self.server.world.letters if each["reason"] == "expired"]
        self.browser.see(f"{len(matching)} selected")
        self.browser.button("Delete selected…").click()
        self.browser.button("Delete", "dialog").click()
        self.dialog(f"{len(matching)} dead letters deleted.")
        self.browser.see("No dead letter matches.")
        self.assertEqual(self.sent("dead-letters/delete"), [{"letters": matching}])

    def test_all_that_match_with_the_count_handed_back(self):
        self.open("dead-letters?reason=attempts&group=ledger")
        self.browser.see("As of")
        count = len(self.server.matching({"reason": "attempts", "group": "ledger"}))
        self.browser.button("Requeue all that match…").click()
        self.dialog(f"Requeue {count} dead letters")
        self.dialog("group ledger, reason too many attempts")
        self.browser.button(f"Requeue {count}", "dialog").click()
        self.dialog(f"{count} dead letters requeued.")
        filter = {"group": "ledger", "reason": "attempts"}
        self.assertEqual(self.sent("dead-letters/count"), [filter])
        self.assertEqual(self.sent("dead-letters/requeue"), [{"filter": filter, "count": count}])

    def test_another_count_meanwhile(self):
        self.open("dead-letters")
        self.browser.see("As of")
        self.browser.button("Delete all that match…").click()
        count = len(self.server.acted_on({}))
        self.dialog(f"Delete {count} dead letters")
        self.dialog("Undecided half messages are left out")
        self.browser.button(f"Delete {count}", "dialog").click()
        self.dialog(f"Type {count} to confirm.")
        self.assertEqual(self.sent("dead-letters/delete"), [])
        with self.server.lock:
            self.server.world.letters.remove(self.server.acted_on({})[-1])
        self.browser.one("#act-reason").send_keys("too old")
        self.browser.one("#act-typed").send_keys(str(count))
        self.browser.button(f"Delete {count}", "dialog").click()
        self.dialog(f"{count - 1} match now, not {count}. Nothing was done.")
        self.assertEqual(self.browser.one("#act-typed").get_attribute("value"), "")
        self.assertEqual(self.browser.one("#act-reason").get_attribute("value"), "too old")
        self.browser.one("#act-typed").send_keys(str(count - 1), Keys.ENTER)
        self.dialog(f"{count - 1} dead letters deleted.")
        self.assertEqual([each["reason"] for each in self.sent("dead-letters/delete")], ["too old", "too old"])
        self.assertEqual({each["reason"] for each in self.server.world.letters}, {"undecided"})

    def test_more_than_are_counted(self):
        self.server.counted = {"count": 100, "isAtLeast": True}
        self.open("dead-letters")
        self.browser.button("Requeue all that match…").click()
        self.dialog("100+")
        self.dialog("These 100 are done now, the oldest first")
        self.browser.button("Requeue 100", "dialog").click()
        self.dialog("requeued.")
        self.assertEqual(self.sent("dead-letters/requeue"), [{"filter": {}, "count": 100}])

    def test_undecided_ones_that_are_asked_for(self):
        self.open("dead-letters?reason=undecided")
        self.browser.button("Delete all that match…").click()
        self.dialog("To delete an undecided half message is to roll it back.")

    def test_no_answer_to_an_act(self):
        self.open("groups/ledger")
        self.browser.button("Pause…").click()
        self.browser.one("#act-reason").send_keys("the line is cut")
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd(
            "Network.emulateNetworkConditions",
            {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0},
        )
        try:
            self.browser.button("Pause", "dialog").click()
            self.dialog("Whether it was done is not known: see the audit log before it is done again.")
            self.browser.see("No answer since", ".health")
        finally:
            self.driver.execute_cdp_cmd(
                "Network.emulateNetworkConditions",
                {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1},
            )
            self.driver.execute_cdp_cmd("Network.disable", {})

    def test_nothing_matches(self):
        self.open("dead-letters?group=nobody")
        self.browser.see("No dead letter matches.")
        self.browser.button("Delete all that match…").click()
        self.dialog("there is nothing to do")
        self.assertFalse(self.browser.has_button("Delete", "dialog"))

    def test_one_dead_letter(self):
        self.open("dead-letters/0:4")
        self.browser.see("timed out after 30 s")
        self.browser.button("Requeue…").click()
        self.browser.button("Requeue", "dialog").click()
        self.dialog("1 dead letter requeued.")
        self.browser.button("Close", "dialog").click()
        self.browser.see("No such dead letter: it was requeued")

    def test_an_undecided_dead_letter_is_decided(self):
        self.open("dead-letters/1:3")
        self.browser.see("it was never committed")
        self.browser.button("Commit…")
        self.browser.button("Roll back…")
        self.assertFalse(self.browser.has_button("Requeue…"))

    def test_drain_and_reload(self):
        self.open("brokers")
        self.browser.button("Reload configuration…").click()
        self.dialog("may be left out")
        self.browser.button("Reload", "dialog").click()
        self.assertEqual(self.sent("broker/reload"), [{}])
        self.dialog("log.level: info -> debug")
        self.dialog("only a restart takes it:")
        self.browser.button("Close", "dialog").click()
        self.browser.button("Drain…").click()
        self.browser.one("#act-reason").send_keys("a new kernel")
        self.browser.button("Drain", "dialog").click()
        self.dialog("This broker drains.")
        self.assertEqual(self.sent("broker/drain"), [{"reason": "a new kernel"}])
        self.browser.see("Draining", ".health")
        self.open("audit")
        self.browser.see("a new kernel")

    def test_leaving_the_page_closes_its_dialog(self):
        self.open("groups/ledger")
        self.browser.button("Pause…").click()
        self.driver.execute_script("location.hash = '#/topics'")
        self.browser.page("Topics")
        self.assertEqual(self.driver.find_elements(By.CSS_SELECTOR, "dialog"), [])

    def test_two_presses_are_one_act(self):
        self.server.delay["transactions"] = 1
        wanted = message_id(9001)
        self.open(f"messages/{wanted}")
        self.browser.button("Commit…").click()
        self.browser.one("#act-reason").send_keys("twice")
        self.driver.execute_script(
            "const form = document.querySelector('dialog form'); form.requestSubmit(); form.requestSubmit();"
        )
        self.dialog("is committed.")
        self.assertEqual(len(self.sent("transactions")), 1)
