import Foundation

/// Files of secrets, as they have to be.
enum SecretText {
    /// Writes one that only its owner may read, in the place of what is there.
    static func write(_ text: String, to path: String, mode: Int = 0o600) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }
}
