import Foundation

/// This machine's name, without asking a name server.
enum LocalHost {
    static var name: String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let result = buffer.withUnsafeMutableBytes {
            gethostname($0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count - 1)
        }
        let name = String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
        return result == 0 && !name.isEmpty ? name : "localhost"
    }
}
