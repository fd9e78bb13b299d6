"""Holds requests and answers to Sources/KiteQAdmin/API/openapi.yaml, so that fixtures and console speak the API that there is."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qsl, unquote

import jsonschema
import yaml

DOCUMENT = Path(__file__).resolve().parents[2] / "Sources/KiteQAdmin/API/openapi.yaml"


class Contract:
    def __init__(self, path=DOCUMENT):
        self.document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        self.patterns = [
            (re.compile("^" + re.sub(r"\\\{\w+\\\}|\{\w+\}", "([^/]+)", template) + "$"), template)
            for template in self.document["paths"]
        ]
        self.validators = {}
        self.violations = []

    def operation(self, method, path):
        # A fixed path goes before one with a parameter: /dead-letters/count is no letter.
        found = [template for pattern, template in self.patterns if pattern.match(path)]
        found = [template for template in found if method.lower() in self.document["paths"][template]]
        found.sort(key=lambda template: template.count("{"))
        return (found[0], self.document["paths"][found[0]][method.lower()]) if found else (None, None)

    def check(self, method, target, request_body, status, content_type, answer):
        """Notes what of a request and its answer is not as the document says. Wrong requests that were refused are no fault."""
        path, _, query = target.partition("?")
        template, operation = self.operation(method, path)
        if operation is None:
            self.violations.append(f"{method} {target}: no such operation")
            return
        if status < 400:
            self._check_request(f"{method} {target}", template, path, query, operation, request_body)
        self._check_answer(f"{method} {target} -> {status}", operation, status, content_type, answer)

    def _resolve(self, node):
        while "$ref" in node:
            found = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node

    def _validate(self, what, schema, value):
        validator = self.validators.get(id(schema))
        if validator is None:
            # The components are beside the schema, so that its references lead to them.
            whole = {**schema, "components": self.document["components"]}
            validator = jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker())
            self.validators[id(schema)] = validator
        for error in validator.iter_errors(value):
            self.violations.append(f"{what}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}")

    def _check_request(self, what, template, path, query, operation, body):
        parameters = {(each["in"], each["name"]): each for each in map(self._resolve, operation.get("parameters", []))}
        names = re.findall(r"\{(\w+)\}", template)
        pattern = next(pattern for pattern, each in self.patterns if each == template)
        given = [("path", name, unquote(value)) for name, value in zip(names, pattern.match(path).groups())]
        given += [("query", name, value) for name, value in parse_qsl(query, keep_blank_values=True)]
        for place, name, value in given:
            if (place, name) not in parameters:
                self.violations.append(f"{what}: no {place} parameter {name}")
                continue
            schema = parameters[place, name]["schema"]
            if self._resolve(schema).get("type") == "integer":
                value = int(value) if value.isdigit() else value
            self._validate(f"{what}: parameter {name}", schema, value)
        declared = operation.get("requestBody")
        if declared and (body or declared.get("required")):
            self._validate(
                f"{what}: body", declared["content"]["application/json"]["schema"], json.loads(body or b"null")
            )
        elif body and not declared:
            self.violations.append(f"{what}: a body that nobody asked for")

    def _check_answer(self, what, operation, status, content_type, answer):
        response = self._resolve(operation["responses"].get(str(status)) or operation["responses"].get("default", {}))
        content = response.get("content", {})
        if content_type not in content:
            self.violations.append(f"{what}: {content_type} is not among {list(content)}")
            return
        if content_type.endswith("json"):
            self._validate(what, content[content_type]["schema"], json.loads(answer))
