"""The modules without a page: how values are written, where marks stand, how addresses are read."""

from case import ConsoleCase


class Modules(ConsoleCase):
    def setUp(self):
        super().setUp()
        self.driver.get(self.server.url)

    def check(self, module, cases):
        for expression, wanted in cases:
            with self.subTest(expression):
                self.assertEqual(self.browser.module(module, expression), wanted)

    def test_values(self):
        self.check(
            "format.js",
            [
                ("m.number(1234567)", "1,234,567"),
                ("m.number(null)", "–"),
                ("m.count({count: 100000, isAtLeast: true})", "100,000+"),
                ("m.count({count: 7, isAtLeast: false})", "7"),
                ("m.count(null)", "–"),
                ("m.count(m.sumOfCounts([{count: 1, isAtLeast: false}, null, {count: 2, isAtLeast: true}]))", "3+"),
                ("m.rate(0)", "0"),
                ("m.rate(0.04)", "<0.1"),
                ("m.rate(3.44)", "3.4"),
                ("m.rate(1234.6)", "1,235"),
                ("m.bytes(0)", "0 B"),
                ("m.bytes(1023)", "1,023 B"),
                ("m.bytes(1536)", "1.5 KiB"),
                ("m.bytes(1024 ** 3 - 1)", "1 GiB"),
                ("m.bytes(null)", "–"),
                ("m.duration(0.42)", "0.4 s"),
                ("m.duration(59.9)", "59 s"),
                ("m.duration(60)", "1 min"),
                ("m.duration(7500)", "2 h 5 min"),
                ("m.duration(7200)", "2 h"),
                ("m.duration(97200)", "1 d 3 h"),
                ("m.latency(0.0011)", "1.1 ms"),
                ("m.latency(2.5)", "2.5 s"),
            ],
        )

    def test_what_cannot_be_seen_is_spelt_out(self):
        self.check(
            "format.js",
            [
                (r"m.visible('a\u202eb\u0000\u200bc')", "a⟨U+202E⟩b⟨U+0000⟩⟨U+200B⟩c"),
                (r"m.visible('\u009b\u2028\u00ad\u{e0041}\u{e0000}\n')", "⟨U+009B⟩⟨U+2028⟩⟨U+00AD⟩⟨U+E0041⟩⟨U+E0000⟩⟨U+000A⟩"),
                (r"m.visibleBody('a\r\nb\tc\u2029\u200d\u0007')", "a\nb\tc⟨U+2029⟩⟨U+200D⟩⟨U+0007⟩"),
                (r"m.visible('zwölf Zeichen – 漢字')", "zwölf Zeichen – 漢字"),
                (r"m.visibleBody('one\r\n\ttwo\u001b[31m')", "one\n\ttwo⟨U+001B⟩[31m"),
            ],
        )

    def test_hex_dump(self):
        self.check(
            "format.js",
            [
                ("m.hexDump('not base64!')", None),
                ("m.hexDump('')", ""),
                (
                    "m.hexDump(btoa('KiteQ\\x00\\xff0123456789')).split('\\n')[0]",
                    "00000000  4b 69 74 65 51 00 ff 30  31 32 33 34 35 36 37 38  KiteQ..012345678",
                ),
                ("m.hexDump(btoa('KiteQ\\x00\\xff0123456789')).split('\\n')[1].trimEnd()", f"00000010  39{' ' * 48}9"),
            ],
        )

    def test_scale(self):
        self.check(
            "chart-scale.js",
            [
                ("m.niceScale(0)", {"maximum": 1, "step": 1}),
                ("m.niceScale(937)", {"maximum": 1000, "step": 250}),
                ("m.niceScale(1000)", {"maximum": 1000, "step": 250}),
                ("m.niceScale(7)", {"maximum": 8, "step": 2}),
                ("m.timeMarks(0, 600000, 10).marks.length", 11),
                ("m.timeMarks(0, 7 * 86400000, 8).step", 86400000),
            ],
        )

    def test_addresses(self):
        self.check(
            "router.js",
            [
                ("m.link(['groups', 'a/b?c#d'], {cursor: null, topic: 'x y'})", "#/groups/a%2Fb%3Fc%23d?topic=x+y"),
                ("m.parseHash('#/groups/a%2Fb?x=1').segments", ["groups", "a/b"]),
                ("m.parseHash('').segments", []),
                ("m.parseHash('#/%E0%A4%A')", None),
            ],
        )

    def test_tokens(self):
        self.check(
            "session.js",
            [
                ("m.tokenFault('abc-DEF_1.~')", None),
                ("m.tokenFault('') !== null", True),
                ("m.tokenFault('a b') !== null", True),
                ("m.tokenFault('ä') !== null", True),
            ],
        )

    def test_elements_refuse_what_runs(self):
        for attributes in [
            "{onclick: 'x'}",
            "{style: 'color:red'}",
            "{srcdoc: 'x'}",
            "{href: 'javascript:x'}",
            "{href: 'https://example.org'}",
        ]:
            with self.subTest(attributes):
                self.assertIs(
                    self.browser.module(
                        "dom.js",
                        f"(() => {{ try {{ m.h('a', {attributes}); return false; }} catch {{ return true; }} }})()",
                    ),
                    True,
                )
