"""What scripts/api-tests.sh changes in right requests, where the document cannot say what is right. Wrong ones stay as they are."""

import schemathesis
from hypothesis import strategies
from schemathesis.specs.openapi import checks

# JSON Schema counts characters, KiteQ bytes.
schemathesis.openapi.format("name", strategies.text(max_size=255).filter(lambda text: len(text.encode()) <= 255))

enforces = checks._enforces_auth
# The check of wrong credentials knows 401 and 403 alone, and shows so many of them that the broker looks at none for a while.
checks._enforces_auth = lambda probe, answer: probe.status_code == 429 or enforces(probe, answer)

# By operation: a query, and the cursor that its page gave.
pages = {}


def is_right(case):
    return case.meta is not None and case.meta.generation.mode.is_positive


def identifier(case):
    return case.operation.definition.raw["operationId"]


@schemathesis.hook
def before_call(context, case, kwargs):
    if not is_right(case):
        return
    operation = identifier(case)
    # A cursor is one that the listing gave, with the filter of then.
    if "cursor" in case.query:
        query, cursor = pages.get(operation, (case.query, None))
        case.query = {name: value for name, value in query.items() if name != "cursor"}
        if cursor is not None:
            case.query["cursor"] = cursor
    # A span that is one, and not too long for its steps.
    if operation == "history" and {"from", "until"} & case.query.keys():
        case.query.update({"from": "2026-01-01T00:00:00Z", "until": "2026-01-08T23:59:59.999+02:00"})
    # An expression is one that can be read.
    if operation == "subscribe":
        for binding in case.body["bindings"]:
            if binding.get("kind") == "regx":
                binding["messageType"] = "^pa(id|yed)"
    # Nobody waits for long.
    if operation == "pull":
        case.body["wait"] = case.body.get("wait", 20) / 300


@schemathesis.hook
def after_call(context, case, response):
    if not is_right(case) or response.status_code != 200 or "application/json" not in response.headers["content-type"]:
        return
    cursor = response.json().get("next")
    if cursor:
        pages[identifier(case)] = (case.query, cursor)
