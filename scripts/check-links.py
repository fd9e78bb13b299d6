#!/usr/bin/env python3
"""Finds links and citations that lead nowhere. Without arguments; scripts/lint.sh runs it.

Of each Markdown file: links to files of the repository, and to headings by the anchors that GitHub gives them. Of these
files and of those in LANGUAGES, wherever it stands: the name of a Markdown file, with or without an anchor, and each path
below docs, as seen from the root of the repository or from the file that names it. A decision may be named by its number.

One line for each that leads nowhere, and status 1; else a line that says how many there are. Links to other servers are
not followed.
"""
import bisect
import functools
import os
import pathlib
import re
import subprocess
import sys
import unicodedata
import urllib.parse

LANGUAGES = {".c", ".css", ".h", ".html", ".js", ".proto", ".py", ".sh", ".sql", ".swift", ".toml", ".yaml", ".yml"}
OTHERS = {".ci/run", "docker/Dockerfile", "docker/probe"}

FENCE = re.compile(r"^ {0,3}(?:> ?|[-*+] +|\d+\. +)*\s*(`{3,}|~{3,})")
CODE = re.compile(r"(?<!`)(`+)(?!`)((?:(?!\n\s*\n).)+?)(?<!`)\1(?!`)", re.DOTALL)
# What is between the brackets does not matter: a link's text may hold others.
LINK = re.compile(r"\]\(\s*(<[^>\n]*>|(?:[^\s()]|\([^\s()]*\))+)(?:\s+(?:\"[^\"]*\"|'[^']*'))?\s*\)")
CALLED = re.compile(r"\[[^\[\]]*\](?=[(\[])")
DEFINITION = re.compile(r"^ {0,3}\[[^\]\n]+\]:\s*(\S+)", re.MULTILINE)
HTML = re.compile(r"\b(?:href|src)=\"([^\"]*)\"")
HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.*?)[ \t]*(?:[ \t]#+[ \t]*)?$")
UNDERLINE = re.compile(r"^ {0,3}(?:=+|-+)[ \t]*$")
ID = re.compile(r"<[^>]*\b(?:id|name)=\"([^\"]+)\"")
LINES = re.compile(r"L\d+(?:-L\d+)?")

BEFORE = r"(?<![\w./:@+-])"
CITATION = re.compile(BEFORE + r"((?:\.{1,2}/)*[\w][\w./+-]*\.md)(?![\w-])(?:#([\w-]+))?")
PATH = re.compile(BEFORE + r"((?:\.\./)*docs/[\w./+-]*[\w+-])")
DECISION = re.compile(BEFORE + r"(?:docs/)?decisions/(\d{4})(?![\w-])")


class Repository:
    """The files that are, or would be, committed."""

    def __init__(self):
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],
            check=True, capture_output=True, text=True).stdout
        self.files = {name for name in listed.split("\0") if name and os.path.isfile(name)}
        self.folders = {"."} | {str(parent) for name in self.files for parent in pathlib.PurePath(name).parents}

    @functools.lru_cache(maxsize=None)
    def text(self, name):
        return pathlib.Path(name).read_text(encoding="utf-8")

    def holds(self, path):
        return path in self.files or path in self.folders

    @functools.lru_cache(maxsize=None)
    def anchors(self, name):
        """Those of a Markdown file's headings, and those that it sets itself."""
        lines = without_fences(self.text(name)).split("\n")
        found, counts = set(), {}
        for line, after in zip(lines, lines[1:] + [""]):
            heading = HEADING.match(line)
            title = heading[1] if heading else line if line.strip() and UNDERLINE.match(after) else None
            if title is not None:
                slug = slug_of(title)
                count = counts.get(slug, 0)
                counts[slug] = count + 1
                found.add(f"{slug}-{count}" if count else slug)
            found.update(ID.findall(line))
        return found


def slug_of(title):
    """GitHub's anchor of a heading: small letters, hyphens for spaces, and no punctuation."""
    parts = []
    # Within code an underscore is one, and nothing is a link.
    for place, part in enumerate(re.split(r"`+", title)):
        if place % 2 == 0:
            part = re.sub(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])", r"\1", part)
            part = re.sub(r"<[^>]*>", "", part)
            part = re.sub(r"(?<!\w)(_+)(.+?)\1(?!\w)", r"\2", part)
        parts.append(part)
    kept = (c for c in "".join(parts).strip().lower() if c in " -" or is_word(c))
    return "".join(kept).replace(" ", "-")


def is_word(character):
    category = unicodedata.category(character)
    return category[0] in "LM" or category in ("Nd", "Pc")


def without_fences(text):
    """The same lines, empty where they are code between fences."""
    lines, fence = [], None
    for line in text.split("\n"):
        mark = FENCE.match(line)
        if fence is None and mark:
            fence = mark[1]
            line = ""
        elif fence is not None:
            if mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = None
            line = ""
        lines.append(line)
    return "\n".join(lines)


def blank(match):
    return re.sub(r"[^\n]", " ", match[0])


class Check:
    def __init__(self):
        self.repository = Repository()
        self.findings = []
        self.links = self.citations = 0

    def run(self):
        for name in sorted(self.repository.files):
            if name.endswith(".md"):
                self.markdown(name)
            elif pathlib.PurePath(name).suffix in LANGUAGES or name in OTHERS:
                self.cited(name, self.repository.text(name))

    def markdown(self, name):
        text = without_fences(self.repository.text(name))
        prose = CODE.sub(blank, text)
        for pattern in (LINK, DEFINITION, HTML):
            for match in pattern.finditer(prose):
                self.link(name, line_of(prose, match.start(1)), match[1].strip("<>"))
                # What a link leads to is no citation besides.
                text = text[:match.start(1)] + " " * len(match[1]) + text[match.end(1):]
        # Nor is what it is called.
        self.cited(name, CALLED.sub(blank, text))

    def link(self, name, line, target):
        parts = urllib.parse.urlsplit(target)
        if parts.scheme or parts.netloc:
            return
        self.links += 1
        path = name
        if parts.path:
            named = urllib.parse.unquote(parts.path)
            folder = "" if named.startswith("/") else os.path.dirname(name)
            path = os.path.normpath(os.path.join(folder, named.lstrip("/")))
        if not self.repository.holds(path):
            self.findings.append((name, line, f"the link {target} leads to no file of the repository"))
        elif parts.fragment:
            self.anchor(name, line, f"the link {target}", path, urllib.parse.unquote(parts.fragment))

    def anchor(self, name, line, what, path, anchor):
        if path.endswith(".md"):
            if anchor not in self.repository.anchors(path):
                self.findings.append((name, line, f"{what} leads to no heading of {path}"))
        elif not LINES.fullmatch(anchor):
            self.findings.append((name, line, f"{what} leads into {path}, which has no headings"))

    def cited(self, name, text):
        seen = set()
        for match in CITATION.finditer(text):
            seen.add(match.start())
            path = self.resolve(name, match[1])
            self.citations += 1
            line = line_of(text, match.start())
            if path is None:
                self.findings.append((name, line, f"{match[1]} is no file of the repository, from its root or from here"))
            elif match[2]:
                self.anchor(name, line, f"the citation {match[0]}", path, match[2])
        for match in PATH.finditer(text):
            if match.start() in seen or DECISION.match(text, match.start()):
                continue
            self.citations += 1
            if self.resolve(name, match[1]) is None:
                line = line_of(text, match.start())
                self.findings.append((name, line, f"{match[1]} is not in the repository, from its root or from here"))
        for match in DECISION.finditer(text):
            self.citations += 1
            if not any(file.startswith(f"docs/decisions/{match[1]}-") for file in self.repository.files):
                self.findings.append((name, line_of(text, match.start()), f"there is no decision {match[1]}"))

    def resolve(self, name, path):
        for folder in ("", os.path.dirname(name)):
            found = os.path.normpath(os.path.join(folder, path))
            if self.repository.holds(found):
                return found
        return None


@functools.lru_cache(maxsize=1)
def line_ends(text):
    return [match.start() for match in re.finditer("\n", text)]


def line_of(text, place):
    return bisect.bisect_left(line_ends(text), place) + 1


os.chdir(pathlib.Path(__file__).resolve().parent.parent)
check = Check()
check.run()
for name, line, what in sorted(check.findings):
    print(f"{name}:{line}: {what}")
if check.findings:
    sys.exit(1)
print(f"{check.links} links and {check.citations} citations lead somewhere")
