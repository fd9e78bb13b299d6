"""A headless Chromium with what the tests ask of it."""

import os
import time
from urllib.parse import quote

from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By


class Browser:
    """`reset()` forgets token, settings and size."""

    def __init__(self, url):
        self.url = url
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for each in [
            "--headless=new",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--lang=en-US",
            "--hide-scrollbars",
            "--no-first-run",
            "--disable-background-networking",
        ]:
            options.add_argument(each)
        if os.geteuid() == 0:
            # Chromium's sandbox refuses root. It opens nothing but the tests' own pages here.
            options.add_argument("--no-sandbox")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.set_script_timeout(15)
        self._haste = None
        self.size(1366, 900)

    def quit(self):
        self.driver.quit()

    def size(self, width, height):
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )

    def media(self, **features):
        """Such as prefers_color_scheme="dark"."""
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"features": [{"name": key.replace("_", "-"), "value": value} for key, value in features.items()]},
        )

    def haste(self, factor):
        """Lets the pages opened from now on wait so many times less between two questions, and note the wait in `waits`."""
        if self._haste:
            self.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": self._haste})
            self._haste = None
        if factor != 1:
            # How long an answer may take stays as it is.
            self._haste = self.driver.execute_cdp_cmd(
                "Page.addScriptToEvaluateOnNewDocument",
                {
                    "source": f"""{{
                        const wait = setTimeout;
                        window.setTimeout = (act, time) => {{
                            (window.waits ??= []).push(time);
                            return wait(act, time < 15000 ? time / {factor} : time);
                        }};
                    }}"""
                },
            )["identifier"]

    def reset(self):
        self.driver.get(self.url + "icon.svg")
        self.script("sessionStorage.clear(); localStorage.clear();")
        self.media(prefers_color_scheme="light", prefers_reduced_motion="no-preference")
        self.size(1366, 900)
        self.errors()

    def open(self, page="", token=None):
        """Opens a page of the console, as whoever has this token."""
        here = self.driver.current_url
        if not here.startswith(self.url):
            here = self.url + "icon.svg"
            self.driver.get(here)
        if token:
            self.script("sessionStorage.setItem('kiteq.token', arguments[0])", token)
        if not here.endswith("icon.svg"):
            # A change of the hash alone would load nothing.
            self.driver.get("about:blank")
        self.driver.get(f"{self.url}#/{page}")

    def go(self, page):
        """Goes to another page as a link does: a good deal faster than opening it."""
        self.script(
            "document.querySelector('#main').firstElementChild.dataset.left = ''; location.hash = arguments[0]",
            f"/{page}",
        )
        self.until(lambda: not self.all("[data-left]"), "the page before is left")

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def module(self, name, expression, *arguments):
        """An expression over a module's exports as `m` and the arguments as `a`."""
        text = f"const done = arguments[arguments.length - 1]; const a = [...arguments].slice(0, -1); import('{self.url}{name}').then((m) => done([{expression}])).catch((error) => done(String(error)))"
        return self.driver.execute_async_script(text, *arguments)[0]

    def errors(self):
        """What the console log has, since the last time, of what should not be: script errors and violations of the policy."""
        return [
            each["message"]
            for each in self.driver.get_log("browser")
            if each["level"] == "SEVERE" and "Failed to load resource" not in each["message"]
        ]

    # ---- finding; each waits

    def until(self, condition, what, seconds=12):
        end = time.monotonic() + seconds
        while True:
            try:
                value = condition()
                if value:
                    return value
            except (NoSuchElementException, StaleElementReferenceException):
                pass
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s: {what}; the page says: {self.text()[:1500]}")
            time.sleep(0.05)

    def text(self, css="body"):
        # The driver's own `text` takes seconds for a long listing.
        text = self.script("return document.querySelector(arguments[0])?.innerText.trim()", css)
        if text is None:
            raise NoSuchElementException(css)
        return text

    def see(self, text, css="body", seconds=12):
        return self.until(lambda: text in self.text(css), f"{text!r} in {css}", seconds)

    def not_see(self, text, css="body", seconds=12):
        return self.until(lambda: text not in self.text(css), f"no {text!r} in {css}", seconds)

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css):
        return self.until(lambda: self.driver.find_element(By.CSS_SELECTOR, css), css)

    def _find_button(self, label, within):
        # In one question to the browser: a listing has hundreds of links.
        return self.script(
            """
            return [...document.querySelectorAll(arguments[1])].flatMap((each) => [...each.querySelectorAll("button, a")])
              .find((each) => each.innerText.trim() === arguments[0] && each.checkVisibility()) ?? null;""",
            label,
            within,
        )

    def button(self, label, within="body"):
        """The button or link with this label."""
        return self.until(lambda: self._find_button(label, within), f"button {label!r} in {within}")

    def has_button(self, label, within="body"):
        return self._find_button(label, within) is not None

    def press(self, *keys):
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def focused(self):
        return self.driver.switch_to.active_element

    # In one question: an element that is asked about in a second one may be gone by then.

    def focused_id(self):
        return self.script("return document.activeElement.id")

    def focused_text(self):
        return self.script("return document.activeElement.innerText.trim()")

    def page(self, title):
        self.until(lambda: self.text("#page-title") == title, f"the page {title!r}")

    def screenshot(self, path, full=True):
        import base64

        # The head is sticky: it belongs to the top.
        self.script("scrollTo(0, 0)")
        metrics = self.script(
            "return [document.documentElement.clientWidth, Math.max(document.documentElement.scrollHeight, innerHeight)]"
        )
        clip = {"clip": {"x": 0, "y": 0, "width": metrics[0], "height": metrics[1], "scale": 1}} if full else {}
        shot = self.driver.execute_cdp_cmd(
            "Page.captureScreenshot", {"format": "png", "captureBeyondViewport": full, **clip}
        )
        path.write_bytes(base64.b64decode(shot["data"]))


def name_in_hash(text):
    return quote(text, safe="")
