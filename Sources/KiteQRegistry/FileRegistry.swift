import Foundation
package import KiteQCore
package import Logging
import Synchronization

/// A registry in a YAML file (``RegistryFile``), edited by hand: for one machine, and for tests.
///
/// The file is looked at every quarter of a second and read again when it changed. What cannot be read or understood
/// leaves the last good state in force and is logged once, with its line; so does what has lost its ``EndMark``. Brokers and clients only read it: registering is
/// taken and changes nothing, publishing is refused.
package final class FileRegistry: Registry {
    private let path: String
    private let interval: Duration
    private let clock: any Clock<Duration>
    private let logger: Logger
    private let contents = RegistryContents(nil)
    private let isReadable = Mutex(false)
    /// Whether what is in force had an ``EndMark``.
    private let hasEnd = Mutex(false)
    private let problem = Mutex<RegistryProblem?>(nil)

    /// - Parameters:
    ///   - interval: How often to look; a change is in force after two to three times that.
    package init(
        path: String, logger: Logger, interval: Duration = .milliseconds(250),
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.path = path
        self.interval = interval
        self.clock = clock
        self.logger = logger
    }

    /// Whether the file, as it is now, is in force.
    package var isConnected: Bool { isReadable.withLock { $0 } }

    package func run() async throws {
        defer {
            isReadable.withLock { $0 = false }
            contents.finish()
        }
        var watch = FileWatch<FileSignature>()
        while !Task.isCancelled {
            let signature = await runBlocking { [path] in FileSignature(path: path) }
            if watch.look(signature) { await read() }
            do { try await clock.sleep(for: interval) } catch { break }
        }
    }

    private func read() async {
        let hadEnd = hasEnd.withLock { $0 }
        let result = await runBlocking { [path] in Self.load(path, hadEnd: hadEnd) }
        switch result {
        case .success((let listing, let end)):
            hasEnd.withLock { $0 = end }
            logger.info("The registry file \(path) has \(listing.bindings.count) bindings.")
            contents.update { $0 = listing }
            isReadable.withLock { $0 = true }
            problem.withLock { $0 = nil }
        case .failure(let error):
            let consequence = contents.listing == nil ? "Nothing is known yet." : "What was read before stays in force."
            logger.error("The registry file \(path) cannot be used, \(error). \(consequence)")
            isReadable.withLock { $0 = false }
            problem.withLock {
                $0 = RegistryProblem(
                    .leftOut, "The registry file \(path) cannot be used, \(error). \(consequence)",
                    action: "Mend the file; it is read again when it changes.")
            }
        }
    }

    package var problems: [RegistryProblem] { problem.withLock { $0.map { [$0] } ?? [] } }

    private static func load(
        _ path: String, hadEnd: Bool
    ) -> Result<(RegistryContents.Listing, hasEnd: Bool), RegistryFile.Malformed> {
        Result { () throws(RegistryFile.Malformed) in
            guard let file = FileHandle(forReadingAtPath: path) else {
                throw .init(line: nil, reason: "it is absent or not readable")
            }
            let data: Data
            do {
                data = try file.read(upToCount: RegistryFile.maximumSize + 1) ?? Data()
                try file.close()
            } catch {
                throw .init(line: nil, reason: "it cannot be read (\(error))")
            }
            guard data.count <= RegistryFile.maximumSize else {
                throw .init(line: nil, reason: "it is larger than \(RegistryFile.maximumSize) bytes")
            }
            guard let text = String(validating: data, as: UTF8.self) else {
                throw .init(line: nil, reason: "it is not UTF-8")
            }
            let hasEnd = EndMark.ends(data)
            guard hasEnd || !hadEnd else {
                throw .init(
                    line: nil,
                    reason:
                        "it does not end with the line '...' as it did, and looks cut; where it is whole, add that line"
                )
            }
            return (try RegistryFile.parse(text), hasEnd)
        }
    }

    /// Changes nothing: the file says which brokers there are.
    package func register(_ broker: BrokerAddress, topics: [String]) async throws {}

    package func unregister() async throws {}

    /// - Throws: ``RegistryError`` of code `unsupported`, unless the file already says just that.
    package func publish(bindings: [Binding], of group: String) async throws {
        var known = contents.snapshots(of: []).makeAsyncIterator()
        _ = await known.next()  // Until the file was read for the first time.
        try Task.checkCancellation()
        let listed = contents.listing?.bindings.filter { BindingName($0.group) == BindingName(group) }
        if let listed, Set(listed) == Set(bindings) { return }
        throw RegistryError(
            .unsupported,
            "The bindings of '\(group)' cannot be published: the registry file \(path) is edited by hand.")
    }

    /// - Throws: ``RegistryError`` of code `unsupported`.
    package func removeBindings(of group: String, from topics: [String]) async throws {
        throw RegistryError(
            .unsupported,
            "The bindings of '\(group)' are in the registry file \(path), which is edited by hand: take them out there."
        )
    }

    /// Changes nothing: the file has no producers.
    package func announceProducer(group: String, topics: [String]) async throws {}

    package func snapshots(of topics: [String], lastKnown: [Binding]?) -> AsyncStream<BindingSnapshot> {
        contents.snapshots(of: topics)
    }

    package func brokers(of topic: String) -> AsyncStream<[BrokerAddress]> {
        contents.brokers(of: topic)
    }
}
