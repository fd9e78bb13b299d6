import Synchronization

/// What went wrong in a run besides what the history shows.
final class Complaints: Sendable {
    private let texts = Mutex<[String]>([])
    private let onProgress: @Sendable (String) -> Void

    init(onProgress: @escaping @Sendable (String) -> Void) {
        self.onProgress = onProgress
    }

    var all: [String] { texts.withLock { $0 } }

    func note(_ text: String) {
        // What goes wrong again and again must not fill the memory.
        let isNew = texts.withLock { texts in
            guard texts.count < 100 else { return false }
            texts.append(text)
            return true
        }
        if isNew { onProgress("WRONG: \(text)") }
    }
}
