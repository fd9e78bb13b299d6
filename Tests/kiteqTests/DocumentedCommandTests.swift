import ArgumentParser
import Foundation
import Testing

@testable import kiteq

/// Every command that the documents show is one that the command takes.
@Suite struct DocumentedCommandTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    struct Shown: Sendable, CustomTestStringConvertible {
        var file: String
        var words: [String]
        /// Stands in a sentence: it names a command, and need not have all that this takes.
        var isMention: Bool
        var testDescription: String { "\(file): \(words.joined(separator: " "))" }
    }

    static let shown: [Shown] = {
        let docs = root.appending(path: "docs")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: docs.path))?.sorted() ?? []
        let files =
            names.filter { $0.hasSuffix(".md") }.map { docs.appending(path: $0) } + [root.appending(path: "README.md")]
        return files.flatMap { file -> [Shown] in
            let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
            return commands(in: text).map {
                Shown(file: file.lastPathComponent, words: $0.words, isMention: $0.isMention)
            }
        }
    }()

    /// Lines of blocks that begin with the command, and what stands in the text as `kiteq …`.
    private static func commands(in text: String) -> [(words: [String], isMention: Bool)] {
        var found: [(words: [String], isMention: Bool)] = []
        var isBlock = false
        for line in text.replacing("\\\n", with: " ").split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                isBlock.toggle()
            } else if isBlock {
                let command = line.hasPrefix("$ ") ? line.dropFirst(2) : line
                if command.hasPrefix("kiteq ") { found.append((words(command), false)) }
            } else {
                let spans = line.split(separator: "`", omittingEmptySubsequences: false)
                for (index, span) in spans.enumerated() where index % 2 == 1 && span.hasPrefix("kiteq ") {
                    found.append((words(span), true))
                }
            }
        }
        return found
    }

    /// As a shell splits it, up to what is the shell's; what stands for something is replaced by one of its kind.
    private static func words(_ command: Substring) -> [String] {
        var words: [String] = []
        var word = ""
        var quote: Character?
        var isQuoted = false
        for character in command + " " {
            if let open = quote {
                if character == open { quote = nil } else { word.append(character) }
            } else if character == "'" || character == "\"" {
                (quote, isQuoted) = (character, true)
            } else if character == " " {
                if !isQuoted, ["|", "&", "#", ">", "2>", "<"].contains(word) || word.hasPrefix("#") { break }
                if !word.isEmpty || isQuoted { words.append(word) }
                (word, isQuoted) = ("", false)
            } else {
                word.append(character)
            }
        }
        let id = words.contains("dead-letters") ? "0:1" : String(repeating: "0f", count: 16)
        let kinds = [
            "GROUP": "s-trade", "ID": id, "...": "x", "…": "x", "N": "1", "FILE": "file", "TEXT": "text",
            "SECONDS": "1",
        ]
        return words.dropFirst().map { word in
            // A command in place of a number.
            word.hasPrefix("$(") ? "1" : kinds[word] ?? word
        }
    }

    @Test func thereAreSome() { #expect(Self.shown.count > 60) }

    @Test(arguments: shown) func isTaken(shown: Shown) {
        do {
            _ = try KiteQCommand.parseAsRoot(shown.words)
        } catch {
            let message = KiteQCommand.message(for: error)
            if shown.isMention, message.hasPrefix("Missing expected argument") { return }
            #expect(KiteQCommand.exitCode(for: error) == .success, "\(shown.testDescription): \(message)")
        }
    }
}
