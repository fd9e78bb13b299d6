#!/usr/bin/env python3
"""Names cycles between the folders of a module: folders.py [FOLDER ...], from the root of the clone; by default those of MODULES.

A folder needs another one where one of its files names a type that a file of the other declares. Words are looked at, and not types: a
word in a comment, or in a text outside of \\( ), is none.
"""

import collections
import pathlib
import re
import sys

MODULES = ["Sources/KiteQBroker"]
DECLARED = re.compile(
    r"^(?:@\w+ )*(?:(?:package|public|private|fileprivate) )?(?:final )?(?:struct|enum|class|protocol|typealias|actor)\s+(\w+)", re.MULTILINE
)
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
TEXT = re.compile(r'"""(.*?)"""|"((?:\\.|[^"\\\n])*)"', re.DOTALL)
COMPUTED = re.compile(r"\\\(([^)]*)\)")


def code(path):
    text = COMMENT.sub("", path.read_text())
    return TEXT.sub(lambda match: " ".join(COMPUTED.findall(match.group(1) or match.group(2) or "")), text)


def needs(module):
    """Each folder with those that it needs, and for which types."""
    files = {path: code(path) for path in sorted(pathlib.Path(module).rglob("*.swift"))}
    declared = {}
    for path, text in files.items():
        for name in DECLARED.findall(text):
            declared[name] = path.parent
    found = collections.defaultdict(lambda: collections.defaultdict(set))
    for path, text in files.items():
        for word in set(re.findall(r"\b[A-Z]\w+", text)):
            if declared.get(word, path.parent) != path.parent:
                found[path.parent][declared[word]].add(word)
    return found


def cycles(found):
    """Folders that reach one another, each group of them once."""

    def reached(folder):
        seen, open_ = set(), [folder]
        while open_:
            for other in found.get(open_.pop(), ()):
                if other not in seen:
                    seen.add(other)
                    open_.append(other)
        return seen

    reach = {folder: reached(folder) for folder in found}
    groups = {frozenset(b for b in reach[a] if a in reach.get(b, ())) for a in found}
    return sorted((sorted(group) for group in groups if group), key=str)


def main(modules):
    count = 0
    status = 0
    for module in modules:
        found = needs(module)
        count += len(found)
        for group in cycles(found):
            status = 1
            print(f"{module}: these folders need one another:")
            for folder in group:
                for other, names in sorted(found[folder].items()):
                    if other in group:
                        print(f"  {folder.relative_to(module)} needs {other.relative_to(module)} for {', '.join(sorted(names))}")
    if status == 0:
        print(f"{count} folders of {', '.join(modules)} need one another in one direction")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or MODULES))
