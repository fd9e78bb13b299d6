import Testing

@testable import KiteQAdmin

@Suite struct PrometheusTextTests {
    @Test func aFamilyIsItsHelpItsTypeAndItsSamples() {
        var page = PrometheusText()
        page.single("kiteq_in_flight", .gauge, "Deliveries that await their acknowledgement.", 3)
        page.split("kiteq_publishes_total", .counter, "Publishes.", by: "outcome", [("stored", 7), ("refused", 0)])
        #expect(
            page.text == """
                # HELP kiteq_in_flight Deliveries that await their acknowledgement.
                # TYPE kiteq_in_flight gauge
                kiteq_in_flight 3
                # HELP kiteq_publishes_total Publishes.
                # TYPE kiteq_publishes_total counter
                kiteq_publishes_total{outcome="stored"} 7
                kiteq_publishes_total{outcome="refused"} 0

                """)
    }

    @Test(arguments: [
        ("plain", "plain"), ("", ""), ("back\\slash", "back\\\\slash"), ("\"quoted\"", "\\\"quoted\\\""),
        ("two\nlines", "two\\nlines"), ("\\n", "\\\\n"), ("tab\tand\rreturn", "tab\tand\rreturn"),
        ("two\r\nlines", "two\r\\nlines"), ("支付", "支付"), ("{a=\"b\"}", "{a=\\\"b\\\"}"),
    ])
    func aLabelsValueIsEscaped(value: String, written: String) {
        var page = PrometheusText()
        page.sample("m", [("group", value)], 1)
        #expect(page.text == "m{group=\"\(written)\"} 1\n")
    }

    @Test func inTheHelpAQuoteStands() {
        var page = PrometheusText()
        page.family("m", .counter, "a \"b\" \\ c\nd")
        #expect(page.text == "# HELP m a \"b\" \\\\ c\\nd\n# TYPE m counter\n")
    }

    @Test func severalLabelsAreSeparatedByCommas() {
        var page = PrometheusText()
        page.sample("m", [("a", "1"), ("b", "2")], 1.5)
        #expect(page.text == "m{a=\"1\",b=\"2\"} 1.5\n")
    }

    @Test(arguments: [
        (0.0, "0"), (-0.0, "0"), (1, "1"), (-2.5, "-2.5"), (1e15, "1000000000000000"), (1e300, "1e+300"),
        (0.0005, "0.0005"),
        (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
    ])
    func numbersAreWrittenAsPrometheusReadsThem(value: Double, written: String) {
        #expect(PrometheusText.formatted(value) == written)
    }
}
