import CZooKeeper
import Synchronization

/// One session with ZooKeeper: the only owner of one handle of the C client.
///
/// All watches are the handle's default watcher, so there is one context for all of them, released after the handle is
/// closed: no watch can outlive it, none can leak. A session that expired is over; make another client.
///
/// Every call into the handle is made under a lock, which ``close()`` takes the handle out of: the C client frees it
/// there, and a call that came later would read freed memory. None of the calls made under the lock blocks.
final class ZooKeeperClient: Sendable {
    enum Event: Sendable, Hashable {
        case connected
        case disconnected
        /// The session is over, and with it every watch and ephemeral node.
        case expired
        /// The servers refused the credentials; the handle is dead.
        case refused
        /// Something happened to a node that was watched; the watch is used up.
        case changed(path: String)
    }

    struct Node: Sendable {
        var data: [UInt8]
        var stat: Stat
    }

    /// A node's children as they were in one moment of it.
    struct Listing: Sendable {
        /// Sorted.
        var children: [String]
        var stat: Stat
    }

    /// What the C client's threads get: they call it, and nobody else does.
    private final class Context: Sendable {
        let handler: @Sendable (Event) -> Void
        init(_ handler: @escaping @Sendable (Event) -> Void) { self.handler = handler }
    }

    /// Unchecked: the pointer is read only under the lock, and what it points to locks for itself.
    private struct Handle: @unchecked Sendable {
        var pointer: OpaquePointer
    }

    private let handle: Mutex<Handle?>
    /// Held while the handle is being closed, so that who closes second waits as well.
    private let closing = Mutex(())
    private let context: Unmanaged<Context>
    private let access: ZooKeeperNodeAccess

    /// Starts a session; blocks while names are looked up.
    /// - Parameter handler: Called on a thread of the C client, which waits for it: it must be brief.
    /// - Throws: Where no server has an address.
    init(configuration: ZooKeeperConfiguration, handler: @escaping @Sendable (Event) -> Void) throws(ZooKeeperError) {
        zoo_set_debug_level(ZOO_LOG_LEVEL_WARN)
        let context = Unmanaged.passRetained(Context(handler))
        let servers = configuration.servers.joined(separator: ",")
        let milliseconds = Int32(clamping: Int64(configuration.sessionTimeout / .milliseconds(1)))
        guard
            let pointer = zookeeper_init2(
                servers, Self.watcher, milliseconds, nil, context.toOpaque(), ZOO_NO_LOG_CLIENTENV,
                ZooKeeperLog.callback)
        else {
            context.release()
            throw ZooKeeperError(ZSYSTEMERROR.rawValue, "look up \(servers)")
        }
        self.context = context
        self.access = configuration.effectiveAccess
        if let digest = configuration.digest {
            // The answer comes as a session event where it is a refusal.
            let result = zoo_add_auth(pointer, "digest", digest, Int32(digest.utf8.count), { _, _ in }, nil)
            guard result == ZOK.rawValue else {
                zookeeper_close(pointer)
                context.release()
                throw ZooKeeperError(result, "authenticate")
            }
        }
        self.handle = Mutex(Handle(pointer: pointer))
    }

    deinit {
        precondition(handle.withLock { $0 == nil }, "a ZooKeeperClient is closed before it is let go")
    }

    /// Ends the session, and with it the ephemeral nodes; blocks for up to some seconds. Calls under way fail.
    func close() {
        closing.withLock { _ in
            guard let handle = handle.withLock({ $0.take() }) else { return }
            zookeeper_close(handle.pointer)  // Joins the threads: from here on nobody uses the context.
            context.release()
        }
    }

    private static let watcher: watcher_fn = { _, type, state, path, context in
        guard let context else { return }
        let handler = Unmanaged<Context>.fromOpaque(context).takeUnretainedValue().handler
        if type == ZOO_SESSION_EVENT {
            switch state {
            case ZOO_CONNECTED_STATE: handler(.connected)
            case ZOO_EXPIRED_SESSION_STATE: handler(.expired)
            case ZOO_AUTH_FAILED_STATE: handler(.refused)
            default: handler(.disconnected)
            }
        } else if let path, type != ZOO_NOTWATCHING_EVENT {
            handler(.changed(path: String(cString: path)))
        }
    }

    /// The session's number; 0 while there is none.
    var sessionID: Int64 {
        handle.withLock { $0.map { zoo_client_id($0.pointer).pointee.client_id } ?? 0 }
    }

    /// The session's number and password, with which a test can take it over.
    var identity: clientid_t? {
        handle.withLock { $0.map { zoo_client_id($0.pointer).pointee } }
    }

    // MARK: - Calls

    /// False where the node exists already.
    func create(_ path: String, data: [UInt8] = [], ephemeral: Bool = false) async throws(ZooKeeperError) -> Bool {
        let acl =
            switch access {
            case .world: kiteq_zoo_open_acl()
            case .creator: kiteq_zoo_creator_all_world_read_acl()
            case .private: kiteq_zoo_creator_all_acl()
            }
        let flags = ephemeral ? ZOO_EPHEMERAL : ZOO_PERSISTENT
        let result =
            await call { handle, completion in
                data.withUnsafeBufferPointer { bytes in
                    bytes.withMemoryRebound(to: CChar.self) { bytes in
                        zoo_acreate(
                            handle, path, bytes.baseAddress, Int32(bytes.count), acl, flags,
                            { code, _, data in Completion<Void>.finish(data, code) { () } }, completion)
                    }
                }
            } as Result<Void, Failure>
        switch result {
        case .success: return true
        case .failure(let failure) where failure.code == ZNODEEXISTS.rawValue: return false
        case .failure(let failure): throw ZooKeeperError(failure.code, "create \(path)")
        }
    }

    /// Nil where the node is absent; then no watch is set.
    func get(_ path: String, watch: Bool) async throws(ZooKeeperError) -> Node? {
        let result =
            await call { handle, completion in
                zoo_aget(
                    handle, path, watch ? 1 : 0,
                    { code, value, length, stat, data in
                        Completion<Node>.finish(data, code) {
                            let bytes = UnsafeRawBufferPointer(start: value, count: Int(max(0, length)))
                            return Node(data: Array(bytes), stat: stat!.pointee)
                        }
                    }, completion)
            } as Result<Node, Failure>
        return try unlessAbsent(result, "read \(path)")
    }

    /// Nil where the node is absent; the watch is set then too, for its creation.
    func exists(_ path: String, watch: Bool) async throws(ZooKeeperError) -> Stat? {
        let result =
            await call { handle, completion in
                zoo_aexists(
                    handle, path, watch ? 1 : 0,
                    { code, stat, data in Completion<Stat>.finish(data, code) { stat!.pointee } }, completion)
            } as Result<Stat, Failure>
        return try unlessAbsent(result, "look for \(path)")
    }

    /// Nil where the node is absent, and then no watch is set.
    func list(_ path: String, watch: Bool) async throws(ZooKeeperError) -> Listing? {
        let result =
            await call { handle, completion in
                zoo_aget_children2(
                    handle, path, watch ? 1 : 0,
                    { code, strings, stat, data in
                        Completion<Listing>.finish(data, code) {
                            let strings = strings!.pointee
                            let names = (0..<Int(strings.count)).map { String(cString: strings.data[$0]!) }
                            return Listing(children: names.sorted(), stat: stat!.pointee)
                        }
                    }, completion)
            } as Result<Listing, Failure>
        return try unlessAbsent(result, "list \(path)")
    }

    /// False where the node is absent.
    func set(_ path: String, data: [UInt8]) async throws(ZooKeeperError) -> Bool {
        let result =
            await call { handle, completion in
                data.withUnsafeBufferPointer { bytes in
                    bytes.withMemoryRebound(to: CChar.self) { bytes in
                        zoo_aset(
                            handle, path, bytes.baseAddress, Int32(bytes.count), -1,
                            { code, _, data in Completion<Void>.finish(data, code) { () } }, completion)
                    }
                }
            } as Result<Void, Failure>
        return try unlessAbsent(result, "write \(path)") != nil
    }

    /// Does nothing where the node is absent.
    /// - Parameter version: Of the data; another one there is an error, -1 takes any.
    func delete(_ path: String, version: Int32 = -1) async throws(ZooKeeperError) {
        let result =
            await call { handle, completion in
                zoo_adelete(
                    handle, path, version,
                    { code, data in Completion<Void>.finish(data, code) { () } }, completion)
            } as Result<Void, Failure>
        _ = try unlessAbsent(result, "delete \(path)")
    }

    // MARK: - Completions

    private struct Failure: Error { var code: Int32 }

    /// Lives from the call to the C client's answer to it, which comes exactly once.
    private final class Completion<Value: Sendable>: Sendable {
        let continuation: CheckedContinuation<Result<Value, Failure>, Never>
        init(_ continuation: CheckedContinuation<Result<Value, Failure>, Never>) { self.continuation = continuation }

        static func finish(_ data: UnsafeRawPointer?, _ code: Int32, _ value: () -> Value) {
            let completion = Unmanaged<Completion<Value>>.fromOpaque(data!).takeRetainedValue()
            let result: Result<Value, Failure> =
                code == ZOK.rawValue ? .success(value()) : .failure(Failure(code: code))
            completion.continuation.resume(returning: result)
        }
    }

    private func call<Value: Sendable>(
        _ start: (OpaquePointer, UnsafeRawPointer) -> Int32
    ) async -> Result<Value, Failure> {
        await withCheckedContinuation { continuation in
            let completion = Unmanaged.passRetained(Completion(continuation))
            let code = handle.withLock { handle in
                handle.map { start($0.pointer, UnsafeRawPointer(completion.toOpaque())) } ?? ZCLOSING.rawValue
            }
            // A call that could not be started has no answer.
            if code != ZOK.rawValue {
                completion.release()
                continuation.resume(returning: .failure(Failure(code: code)))
            }
        }
    }

    private func unlessAbsent<Value>(
        _ result: Result<Value, Failure>, _ operation: @autoclosure () -> String
    ) throws(ZooKeeperError) -> Value? {
        switch result {
        case .success(let value): return value
        case .failure(let failure) where failure.code == ZNONODE.rawValue: return nil
        case .failure(let failure): throw ZooKeeperError(failure.code, operation())
        }
    }
}
