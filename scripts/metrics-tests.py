"""Compares a broker's page of metrics with what is written about it: metrics-tests.py URL FILE writes the page to FILE.

Acts at the API once, so that the acts have a sample, and waits for the figures that the broker asks its store for.
"""

import json
import re
import sys
import time
import urllib.request

# Prometheus' own.
FOREIGN = {"up", "ALERTS"}
NAME = re.compile(r"\b(?:kiteq|process)_[a-z0-9_]+")
PARTS = ("_bucket", "_sum", "_count")


def page(url):
    with urllib.request.urlopen(url + "/metrics") as answer:
        return answer.read().decode()


def types(text):
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))


def act(url):
    for verb in ("pause", "resume"):
        request = urllib.request.Request(
            f"{url}/api/v1/groups/s-trade/{verb}",
            json.dumps({"reason": "metrics-tests"}).encode(),
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request).close()


def family(name, known):
    """The family that a name in an expression is of."""
    for part in PARTS:
        if name.endswith(part) and known.get(name[: -len(part)]) == "histogram":
            return name[: -len(part)]
    return name


def expressions():
    dashboard = json.load(open("conf/grafana/kiteq.json"))
    for panel in dashboard["panels"]:
        if panel["type"] != "row":
            assert panel["description"] and panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        for target in panel.get("targets", []):
            yield f"the panel {panel['title']}", target["expr"]
    for rule in re.findall(r"^ {8}expr: (.*(?:\n {10,}.*)*)", open("conf/prometheus/kiteq-alerts.yml").read(), re.M):
        yield "an alert rule", rule


def documented():
    rows = re.findall(r"^\| `([a-z_]+)` \| (counter|gauge|histogram) \|", open("docs/metrics.md").read(), re.M)
    assert len(rows) == len(dict(rows)), "docs/metrics.md has a metric twice"
    return dict(rows)


def main(url, file):
    act(url)
    deadline = time.monotonic() + 60
    while "\nkiteq_shard_up{" not in (text := page(url)):
        assert time.monotonic() < deadline, "the figures of the store never came"
        time.sleep(0.2)
    open(file, "w").write(text)
    shown, written = types(text), documented()
    problems = []
    for where, expression in expressions():
        # What is in quotes or braces are labels.
        for name in NAME.findall(re.sub(r'"[^"]*"', "", expression)):
            if family(name, shown) not in shown and name not in FOREIGN:
                problems.append(f"{where} names {name}, which the page does not have")
    for name, kind in shown.items():
        if written.get(name) != kind:
            problems.append(f"docs/metrics.md does not have {name}, a {kind}")
    for name in written.keys() - shown.keys():
        problems.append(f"docs/metrics.md has {name}, the page does not")
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        raise SystemExit(1)
    print(f"{len(shown)} metrics", file=sys.stderr)


main(*sys.argv[1:])
