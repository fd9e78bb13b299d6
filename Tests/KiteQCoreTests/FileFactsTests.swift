import Foundation
import Testing

@testable import KiteQCore

/// Whose a file of secrets may be, and who may reach it.
@Suite struct FileFactsTests {
    private func objection(
        _ mode: UInt32, owner: UInt32 = 0, user: UInt32 = 10_001, _ rule: SecretFileRule = .private
    ) -> String? {
        FileFacts(owner: owner, mode: mode).objection("/f", by: rule, user: user)
    }

    @Test(arguments: [0o600, 0o400, 0o640, 0o440, 0o700, 0o750] as [UInt32])
    func ownersAndTheirGroupMayReadIt(mode: UInt32) {
        #expect(objection(mode) == nil && objection(mode, owner: 10_001) == nil)
    }

    @Test(
        arguments: [
            (0o644, "0644, so everybody on this machine may read it; run: chmod 0640 /f"),
            (0o604, "0604, so everybody on this machine may read it; run: chmod 0600 /f"),
            (0o660, "0660, so others may write it; run: chmod 0640 /f"),
            (0o622, "0622, so others may write it; run: chmod 0600 /f"),
            (0o777, "0777, so others may write it; run: chmod 0640 /f"),
        ] as [(UInt32, String)])
    func othersMayNot(mode: UInt32, sentence: String) { #expect(objection(mode) == "has mode \(sentence)") }

    @Test func itIsRootsOrTheProcesssOwn() {
        #expect(objection(0o600, owner: 1_000)?.contains("belongs to user 1000") == true)
        #expect(objection(0o600, owner: 1_000)?.hasSuffix("run: chown 10001 /f") == true)
        #expect(objection(0o600, owner: 1_000, user: 0) != nil)
    }

    @Test func theRuleCanBeRelaxed() {
        #expect(objection(0o644, .readable) == nil && objection(0o664, .readable) != nil)
        #expect(objection(0o644, owner: 1_000, .readable) != nil)
        #expect(objection(0o666, owner: 1_000, .unchecked) == nil)
    }

    @Test func whatIsReadIsWhatWasLookedAt() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("kiteq-\(UUID().uuidString)").path
        let name = path + "-link"
        try Data("hush\n".utf8).write(to: URL(fileURLWithPath: path))
        // As Kubernetes mounts them.
        try FileManager.default.createSymbolicLink(atPath: name, withDestinationPath: path)
        defer {
            for file in [path, name] {
                #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: file) }
            }
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        let error = #expect(throws: GuardedFile.Refusal.self) { try GuardedFile(name, .private) }
        #expect(error?.description.hasPrefix("has mode 0644") == true && error?.isUnreadable == false)
        #expect(try GuardedFile(name, .readable).bytes == Array("hush\n".utf8))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        #expect(try GuardedFile(name, .private).bytes == Array("hush\n".utf8))
        let missing = #expect(throws: GuardedFile.Refusal.self) { try GuardedFile(path + "-none", .private) }
        #expect(missing?.description == "does not exist" && missing?.isUnreadable == true)
    }
}
