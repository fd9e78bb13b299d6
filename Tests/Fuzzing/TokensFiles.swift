import Foundation
import KiteQBroker

@testable import kiteq

/// A file of the administration's tokens, as it is read at the start and at each reload.
enum TokensFiles {
    static func read(_ input: [UInt8]) {
        ListedFiles.check(input, "token") { bytes in
            let tokens = try TokensFile.tokens(in: ConfigurationFile(path: "tokens.toml", bytes: bytes))
            for token in tokens {
                precondition(token.hash.count == 32)
                precondition(token.expiresAt.map { $0 > 0 && $0 % 86_400 == 0 } ?? true, "a token ends with a day")
            }
            return (Set(tokens), tokens.map(\.name), tokens.map(table).joined())
        }
    }

    private static func table(_ token: AdminToken) -> String {
        var lines = [
            "[tokens.\(TOMLText.quoted(token.name))]", "role = \"\(token.role.rawValue)\"",
            "hash = \"\(TokensFile.hashName)\(Hexadecimal.text(token.hash))\"",
        ]
        if let end = token.expiresAt { lines.append("expires = \(day(before: end))") }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func day(before end: Int) -> String {
        var (time, parts) = (time_t(end - 86_400), tm())
        gmtime_r(&time, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let count = strftime(&text, text.count, "%Y-%m-%d", &parts)
        return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
