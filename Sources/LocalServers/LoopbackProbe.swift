import Foundation

/// Connects to a port of 127.0.0.1 to find out whether a server answers there.
enum LoopbackProbe {
    /// What a server says first, or in reply to `question`: at most 1,024 bytes, nil where it takes no connection or says
    /// nothing for a second.
    static func answer(port: Int, question: String = "") async -> [UInt8]? {
        await withCheckedContinuation { continuation in
            // It blocks for up to a second, which no thread of the cooperative pool may.
            DispatchQueue.global().async { continuation.resume(returning: ask(port, question)) }
        }
    }

    private static func ask(_ port: Int, _ question: String) -> [UInt8]? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 1, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        guard withAddress(port: port, { connect(descriptor, $0, $1) == 0 }) else { return nil }
        let bytes = Array(question.utf8)
        if !bytes.isEmpty, send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) != bytes.count { return nil }
        var buffer = [UInt8](repeating: 0, count: 1_024)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer.prefix(count)) : nil
    }

    static func withAddress<Result>(port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
