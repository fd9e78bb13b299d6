"""Names what the Swift files in Sources and Tools declare and nobody uses: unused.py FILES (also of Tests), from the root of the clone.

It knows words, not types. A declaration is dead where its name stands in Sources and Tools only where it is declared, within what
bears it, in comments and in texts. So it finds too little, of a name that something else bears too, and is wrong only about what is
called from outside: by a framework (FOREIGN), by users of the libraries, by tests (FOR_TESTS).
"""

import collections
import pathlib
import re
import sys

# What protocols of others ask of a type, and then call.
FOREIGN = set(
    # NIO
    """InboundIn InboundOut OutboundIn OutboundOut handlerAdded handlerRemoved channelRegistered channelUnregistered channelActive
    channelInactive channelRead channelReadComplete channelWritabilityChanged userInboundEventTriggered errorCaught decodeLast"""
    # swift-metrics
    """ makeCounter makeFloatingPointCounter makeMeter makeRecorder makeTimer destroyCounter destroyFloatingPointCounter destroyMeter
    destroyRecorder destroyTimer increment decrement recordNanoseconds"""
    # swift-argument-parser
    """ configuration validate run main allValueStrings defaultValueDescription"""
    # The standard library
    """ CodingKeys encode hash description debugDescription customMirror errorDescription""".split()
)
# What a type has for tests, which nothing else could show them.
FOR_TESTS = {
    "placeCount": "that InFlightWindow keeps no more places than its bound",
    "queuedCount": "that InFlightWindow keeps no more deadlines than its bound",
    "waitingCount": "until who asks MemoryBudget for room waits: tests await that, they do not sleep",
}
# What these declare as public is for whoever imports them.
LIBRARIES = {"KiteQ", "MariaDB"}
# What these have is for tests, too.
SUPPORT = {"LocalServers", "SeededRandom"}
# Who conforms to one of these has members that are found by their names, and cases that are found by their values.
BY_NAME = {"Codable", "Decodable", "Encodable"}
BY_VALUE = BY_NAME | {"CaseIterable", "ExpressibleByArgument"}

TOKEN = re.compile(
    r'//[^\n]*|(?P<comment>/\*)|(?P<text>#*"(?:"")?)|#/.*?/#|\d\w*|(?P<word>[A-Za-z_]\w*|`\w+`)|(?P<sign>[^\s\w])'
)
NESTED = re.compile(r"/\*|\*/")
WORD = re.compile(r"[A-Za-z_]")
TYPES = {"struct", "class", "enum", "actor", "protocol"}
KEYWORDS = TYPES | {"func", "var", "let", "case", "typealias", "associatedtype", "extension", "init", "deinit", "subscript"}
MODIFIERS = set(
    """public package internal fileprivate private open static class final override mutating nonmutating borrowing consuming
    nonisolated lazy weak unowned indirect convenience required dynamic prefix postfix infix""".split()
)

Declaration = collections.namedtuple("Declaration", "path line kind name owner is_public")


def tokens(code, at=0, within_text=False):
    """Words and signs from a place on, each with its place, and where they end: what a text computes ends with its bracket."""
    found, depth = [], 0
    while match := TOKEN.search(code, at):
        at, kind = match.end(), match.lastgroup
        if kind == "comment":
            level = 1
            while level and (mark := NESTED.search(code, at)):
                level += 1 if mark[0] == "/*" else -1
                at = mark.end()
        elif kind == "text":
            inner, at = computed(code, match[0], at)
            found.append(('""', match.start()))
            found += inner
        elif kind:
            depth += {"(": 1, ")": -1}.get(match[0], 0)
            if within_text and depth < 0:
                break
            found.append((match[0].strip("`"), match.start()))
    return found, at


def computed(code, opening, at):
    """What a text computes, and where it ends."""
    hashes = "#" * opening.count("#")
    closing = opening[len(hashes) :] + hashes
    mark = re.compile(closing + r"|\\" + hashes + r"(\(|.)", re.S)
    found = []
    while match := mark.search(code, at):
        at = match.end()
        if match[0] == closing:
            break
        if match[1] == "(":
            inner, at = tokens(code, at, within_text=True)
            found += inner
    return found, at


class Scope:
    """Between two braces. `kind` is that of a type, "file", "extension" or "code"; `name` what it bears, `whole` that with all around it."""

    def __init__(self, kind, name=None, outer=None, is_public=False):
        self.kind, self.name, self.is_public, self.depth = kind, name, is_public, 0
        self.whole = f"{outer.whole}.{name}" if outer and outer.whole else name


def modifiers(words, index):
    """What stands before a keyword that declares, attributes included."""
    found = set()
    while index > 0:
        index -= 1
        if words[index][0] == ")":
            level = 1
            while level and index > 0:
                index -= 1
                level += {")": 1, "(": -1}.get(words[index][0], 0)
            index -= 1
        if words[index - 1][0] == "@":
            index -= 1
            found.add("@" + words[index + 1][0])
        elif words[index][0] in MODIFIERS:
            found.add(words[index][0])
        else:
            break
    return found


def listed(words, index, kind):
    """Where the names stand in `case a, b(Int), c = "d"` and in `let a, b: Int`, the first of which is at the index."""
    while True:
        yield index
        index += 1
        if kind == "case" and words[index][0] == "(":
            level = 1
            while level:
                index += 1
                level += {"(": 1, ")": -1}.get(words[index][0], 0)
            index += 1
        if kind == "case" and words[index][0] == "=":
            index += 2 if words[index + 1][0] in ('""', "-") else 1
        if words[index][0] != "," or not WORD.match(words[index + 1][0]):
            return
        index += 1


def declares(words, index, scope):
    word, after = words[index][0], words[index + 1][0]
    if scope.depth or words[index - 1][0] == "." or word not in KEYWORDS:
        return False
    if word in ("init", "deinit", "subscript"):
        return scope.kind != "code"
    if word == "func":
        return True
    if word == "case":
        return scope.kind == "enum"
    if word in TYPES:
        return bool(WORD.match(after)) and words[index + 2][0] in ("{", ":", "<", "where")
    return bool(WORD.match(after))


def read(path, uses, declarations, conforming):
    """Adds a file's uses and declarations, and what its types conform to."""
    code = path.read_text()
    words = tokens(code)[0] + [("", len(code))] * 3
    scopes, ahead, taken = [Scope("file")], None, set()
    for index in range(len(words) - 3):
        word, scope = words[index][0], scopes[-1]
        if word == "{":
            # Within brackets it is a closure's.
            scopes.append(ahead if ahead and not scope.depth else Scope("code"))
            if not scope.depth:
                ahead = None
        elif word == "}":
            if len(scopes) > 1:
                scopes.pop()
        elif word in ("(", "["):
            scope.depth += 1
        elif word in (")", "]"):
            scope.depth -= 1
        elif not WORD.match(word) or index in taken:
            continue
        elif not declares(words, index, scope):
            if ahead and ahead.kind != "code" and not scope.depth:
                conforming[ahead.whole].add(word)
            if word != (ahead and ahead.name) and all(word != outer.name for outer in scopes):
                uses[word] += 1
        elif word in ("init", "deinit", "subscript"):
            ahead = None
        elif word == "extension":
            end = index + 1
            while words[end + 1][0] == ".":
                end += 2
            taken.add(end)
            ahead = Scope("extension", words[end][0], is_public="public" in modifiers(words, index))
            ahead.whole = "".join(part for part, _ in words[index + 1 : end + 1])
        else:
            found = modifiers(words, index)
            is_public = bool(found & {"public", "open"}) or (scope.is_public and (scope.kind in ("protocol", "extension") or word == "case"))
            names = listed(words, index + 1, word) if word in ("case", "var", "let") else [index + 1]
            for place in names:
                if not WORD.match(words[place][0]):
                    continue  # An operator.
                taken.add(place)
                if word in ("var", "let") and scope.kind == "code":
                    continue
                if not found & {"override", "@main"}:
                    line = code.count("\n", 0, words[place][1]) + 1
                    declarations.append(Declaration(path, line, word, words[place][0], scope.whole, is_public))
                else:
                    uses[words[place][0]] += 1
            after = words[index + 1][0]
            if word in TYPES:
                ahead = Scope(word, after, scope, is_public)
            elif word == "func" and scope.kind != "protocol":
                ahead = Scope("code", after)
            elif word == "var" and scope.kind not in ("protocol", "code"):
                ahead = Scope("code", after)
            else:
                ahead = None


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    uses, uses_in_tests, declarations, conforming = collections.Counter(), set(), [], collections.defaultdict(set)
    for path in map(pathlib.Path, sys.argv[1:]):
        if path.parts[0] in ("Sources", "Tools"):
            read(path, uses, declarations, conforming)
        else:
            uses_in_tests.update(re.findall(r"\w+", path.read_text()))

    def is_excused(one):
        target = one.path.parts[1]
        return (
            one.name in FOREIGN
            or one.name in FOR_TESTS
            or (one.is_public and target in LIBRARIES)
            or (target in SUPPORT and one.name in uses_in_tests)
            or (one.kind in ("var", "let") and conforming[one.owner] & BY_NAME)
            or (one.kind == "case" and conforming[one.owner] & BY_VALUE)
        )

    dead = [one for one in declarations if not uses[one.name] and not is_excused(one)]
    for one in sorted(dead):
        print(f"{one.path}:{one.line}: {one.kind} {one.name} is used nowhere")
    names = {one.name for one in declarations}
    needless = [name for name in FOR_TESTS if uses[name] or name not in names or name not in uses_in_tests]
    for name in needless:
        print(f"{sys.argv[0]}: {name} needs no place in FOR_TESTS")
    sys.exit(bool(dead or needless))


main()
