"""Keyboard, screen reader, contrast, themes, small screens, motion."""

from selenium.webdriver.common.keys import Keys

from case import ConsoleCase
from test_pages import PAGES
from world import message_id

# Text on ground (4.5), and what must be told apart from what is beside it (3).
TEXT = [
    (text, ground)
    for text in ("--text", "--quiet", "--accent", "--accent-strong")
    for ground in ("--ground", "--surface", "--sunken")
] + [
    ("--on-accent", "--accent"),
    ("--on-accent", "--accent-strong"),
    ("--accent-strong", "--accent-tint"),
    ("--on-critical", "--critical"),
    ("--good", "--good-tint"),
    ("--warning", "--warning-tint"),
    ("--critical", "--critical-tint"),
    ("--text", "--critical-tint"),
    ("--text", "--warning-tint"),
    ("--accent", "--critical-tint"),
    ("--critical", "--surface"),
    ("--quiet", "--critical-tint"),
]
MARKS = [
    (mark, ground)
    for mark in ("--field-line", "--accent", "--good", "--warning", "--critical")
    for ground in ("--ground", "--surface")
] + [(series, "--surface") for series in ("--series-first", "--series-second", "--series-third", "--series-bad")]


def luminance(colour):
    channels = [value / 255 for value in colour[:3]]
    red, green, blue = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    lighter, darker = sorted([luminance(one), luminance(other)], reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


class Access(ConsoleCase):
    scenario = "trouble"

    def colours(self):
        names = sorted({name for pair in TEXT + MARKS for name in pair})
        return dict(
            zip(
                names,
                self.browser.script(
                    "const probe = document.createElement('i'); document.body.append(probe);"
                    "const all = arguments[0].map((name) => { probe.style.color = `var(${name})`; return getComputedStyle(probe).color.match(/[0-9.]+/g).map(Number); });"
                    "probe.remove(); return all;",
                    names,
                ),
            )
        )

    def test_contrast(self):
        self.open()
        self.browser.page("Overview")
        for theme in ("light", "dark"):
            self.browser.media(prefers_color_scheme=theme)
            colours = self.colours()
            for pairs, least in ((TEXT, 4.5), (MARKS, 3)):
                for one, other in pairs:
                    with self.subTest(f"{theme}: {one} on {other}"):
                        self.assertGreaterEqual(round(contrast(colours[one], colours[other]), 2), least)

    def ground(self):
        return luminance(
            self.browser.script("return getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).map(Number)")
        )

    def test_themes(self):
        self.open()
        self.browser.page("Overview")
        self.assertGreater(self.ground(), 0.5)
        self.browser.media(prefers_color_scheme="dark")
        self.assertLess(self.ground(), 0.1)
        self.browser.button("Theme: system").click()
        self.browser.button("Theme: light")
        self.assertGreater(self.ground(), 0.5, "chosen over the system's")
        self.browser.button("Theme: light").click()
        self.browser.media(prefers_color_scheme="light")
        self.open("groups")
        self.browser.page("Groups")
        self.assertLess(self.ground(), 0.1, "it is kept")
        self.browser.button("Theme: dark").click()
        self.assertGreater(self.ground(), 0.5)

    def test_the_keyboard_alone(self):
        self.open("groups")
        self.browser.see("billing")
        self.browser.script("document.activeElement.blur()")
        self.browser.press(Keys.TAB)
        self.assertEqual(self.browser.focused_text(), "Skip to the page")
        self.browser.press(Keys.ENTER)
        self.assertEqual(self.browser.focused_id(), "main")
        self.assertTrue(self.driver.current_url.endswith("#/groups"))
        seen = []
        for _ in range(40):
            self.browser.press(Keys.TAB)
            element = self.browser.focused()
            seen.append(element.text)
            outline = self.browser.script(
                "const s = getComputedStyle(arguments[0]); return [s.outlineStyle, parseFloat(s.outlineWidth)]", element
            )
            self.assertEqual(outline[0], "solid", element.text)
            self.assertGreaterEqual(outline[1], 2)
            if element.text == "Pause…":
                break
        self.assertEqual(seen[:5], ["", "Search", "Clear", "Group", "State"], "the search, headings, then rows")
        self.assertIn("billing", seen)
        self.browser.press(Keys.ENTER)
        self.browser.see("Pause a group", "dialog")
        self.browser.press("for a test", Keys.TAB, Keys.TAB)
        self.assertEqual(self.browser.focused_text(), "Pause")
        self.browser.press(Keys.ENTER)
        self.browser.see("is paused.", "dialog")

    def test_a_change_of_page_moves_the_focus_to_its_heading(self):
        self.open("groups")
        self.browser.button("Topics").send_keys(Keys.ENTER)
        self.browser.page("Topics")
        self.browser.until(lambda: self.browser.focused_id() == "page-title", "the heading")

    def test_keys_can_be_turned_off(self):
        self.open("groups")
        self.browser.see("billing")
        self.browser.press("?")
        self.browser.see("Keys", "dialog")
        self.browser.one("#keys-on").click()
        self.browser.press(Keys.ESCAPE)
        self.browser.until(lambda: not self.browser.all("dialog"), "the list is closed")
        self.browser.press("/")
        self.assertNotEqual(self.browser.focused_id(), "find")

    def test_keys_are_letters_where_one_types(self):
        self.open("messages")
        self.browser.one("#filter-topic").send_keys("a/b?c")
        self.assertEqual(self.browser.one("#filter-topic").get_attribute("value"), "a/b?c")

    def test_landmarks_headings_and_names(self):
        pages = [*PAGES, "dead-letters/0:2", f"messages/{message_id(9001)}"]
        for page in pages:
            with self.subTest(page):
                self.go(page)
                self.browser.not_see("Loading…")
                faults = self.browser.script("""
                    const faults = [];
                    for (const landmark of ["header", "nav", "main"]) if (document.querySelectorAll(`body > ${landmark}`).length !== 1) faults.push(landmark);
                    let level = 0;
                    for (const each of document.querySelectorAll("main h1, main h2, main h3")) {
                      const now = Number(each.tagName[1]);
                      if (now > level + 1) faults.push(`${each.tagName} after h${level}: ${each.textContent}`);
                      level = now;
                    }
                    for (const each of document.querySelectorAll("input, select, textarea")) {
                      if (!each.labels.length && !each.getAttribute("aria-label")) faults.push(`no label: ${each.outerHTML}`);
                    }
                    for (const each of document.querySelectorAll("a, button, summary")) if (!each.textContent.trim()) faults.push(`no name: ${each.outerHTML}`);
                    for (const each of document.querySelectorAll("svg:not([aria-hidden])")) if (!each.getAttribute("aria-label")) faults.push("svg without words");
                    for (const each of document.querySelectorAll("table")) if (!each.caption) faults.push("table without caption");
                    for (const each of document.querySelectorAll("main th:not([scope])")) faults.push(`th without scope: ${each.textContent}`);
                    const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
                    if (new Set(ids).size !== ids.length) faults.push("an id twice");
                    if (document.querySelectorAll("[aria-live], [role=status]").length !== 1) faults.push("more than health is announced");
                    return faults;""")
                self.assertEqual(faults, [])

    def test_health_is_announced_when_it_changes_only(self):
        self.server.reset("calm")
        self.open()
        self.browser.see("All is well", ".health")
        self.browser.script(
            "window.said = []; new MutationObserver(() => window.said.push(document.querySelector('[role=status]').textContent)).observe(document.querySelector('[role=status]'), {childList: true, characterData: true, subtree: true})"
        )
        count = len(self.asked("GET", "overview"))
        self.browser.until(lambda: len(self.asked("GET", "overview")) >= count + 2, "two more answers")
        self.assertEqual(self.browser.script("return window.said"), [])
        self.server.world.health = [
            {"severity": "critical", "subject": "store", "text": "The store is away.", "action": "Look."}
        ]
        self.browser.until(lambda: self.browser.script("return window.said") == ["Health: 1 critical"], "said once")

    def test_a_phone(self):
        self.browser.size(360, 740)
        for scenario in ("trouble", "hostile"):
            self.server.reset(scenario)
            for page in [*PAGES, "dead-letters/0:2"]:
                with self.subTest(page=page, scenario=scenario):
                    self.go(page)
                    self.browser.not_see("Loading…")
                    cut = self.browser.script("""
                        const cut = [];
                        if (document.documentElement.scrollWidth > 360) cut.push(`the page is ${document.documentElement.scrollWidth} wide`);
                        for (const each of document.querySelectorAll("main *, header *")) {
                          const box = each.getBoundingClientRect();
                          if (box.width && box.height && (box.right > 361 || box.left < -1) && !each.closest(".unseen, .values, svg")) cut.push(`${each.tagName} ${each.className} ${Math.round(box.left)}-${Math.round(box.right)}: ${each.textContent.slice(0, 40)}`);
                        }
                        return cut.slice(0, 5);""")
                    self.assertEqual(cut, [])

    def test_a_phones_menu_and_cards(self):
        self.browser.size(360, 740)
        self.open("groups")
        self.browser.see("billing")
        self.assertEqual(
            self.browser.script("return getComputedStyle(document.querySelector('#main tbody tr')).display"), "grid"
        )
        self.assertIn(
            "Waiting",
            self.browser.script(
                "return getComputedStyle(document.querySelector('#main tbody td:nth-child(3)'), '::before').content"
            ),
        )
        self.assertFalse(self.browser.has_button("Shards", "nav.pages"))
        menu = self.browser.button("Pages")
        menu.click()
        self.assertEqual(menu.get_attribute("aria-expanded"), "true")
        self.browser.button("Shards", "nav.pages").click()
        self.browser.page("Shards")
        self.assertEqual(self.browser.button("Pages").get_attribute("aria-expanded"), "false")

    def test_motion(self):
        self.browser.media(prefers_reduced_motion="reduce")
        self.open()
        self.browser.page("Overview")
        moving = self.browser.script(
            "return [...document.querySelectorAll('*')].filter((each) => { const s = getComputedStyle(each); return parseFloat(s.transitionDuration) > 0 || s.animationName !== 'none'; }).length"
        )
        self.assertEqual(moving, 0)
