import KiteQWire
import NIOCore

/// What a session does with what comes, by where it stands: the rules without socket, clock or broker. `ConnectionHandler` tells it
/// what came and does what it says.
///
///     greeting ── judge ──▶ judging ── verdict ──▶ greeting ── open ──▶ open ◀── awaitRoute, routeFound ──▶ routing
///
/// From everywhere `close` leads to closed, where nothing that comes counts any more. Whoever is let in at once is not judged for
/// long: greeting to open.
struct SessionMachine<Client> {
    enum Step {
        /// It is to be the client's greeting.
        case greet
        case handle(of: Client)
        /// It waits, here.
        case held
        /// The client has sent more than may wait before it is let in.
        case tooMuch
        /// The session is over.
        case ignored
    }

    private enum Phase {
        /// Nothing but CONN_META is taken.
        case greeting
        /// Whether it is let in is being found out.
        case judging
        case open(Client)
        /// The first packet that waits is a publish whose route is being found.
        case routing(Client)
        /// Still known by its client, until the socket says that it is gone: a publish that has to wait is not waited for.
        case ending(Client)
        case closed
    }

    private var phase = Phase.greeting
    private var held: [Packet] = []
    private var heldBytes = 0
    private var isJudgedAgain = false

    /// What packets may take that come before the answer to the greeting, and what each takes beside its body.
    static var mostHeldBytes: Int { 64 << 10 }
    static var packetBytes: Int { 256 }

    // MARK: Where it stands

    /// That which was let in; nil before, and at the end.
    var client: Client? {
        switch phase {
        case .open(let client), .routing(let client), .ending(let client): client
        case .greeting, .judging, .closed: nil
        }
    }

    /// It has not greeted, or nobody has begun to judge it.
    var isGreeting: Bool { if case .greeting = phase { true } else { false } }
    var isJudging: Bool { if case .judging = phase { true } else { false } }
    var isRouting: Bool { if case .routing = phase { true } else { false } }
    var isClosed: Bool { if case .closed = phase { true } else { false } }

    // MARK: Packets

    /// In line: every packet comes here.
    @inline(__always)
    mutating func received(_ packet: Packet) -> Step {
        switch phase {
        case .greeting: return .greet
        case .judging:
            hold(packet)
            return heldBytes > Self.mostHeldBytes ? .tooMuch : .held
        case .routing:
            // No more than what came with one read: nothing is read meanwhile.
            hold(packet)
            return .held
        case .open(let client), .ending(let client): return .handle(of: client)
        case .closed: return .ignored
        }
    }

    @inline(never)
    private mutating func hold(_ packet: Packet) {
        held.append(packet)
        heldBytes += packet.body.readableBytes + Self.packetBytes
    }

    private mutating func takeHeld() -> [Packet] {
        defer { (held, heldBytes) = ([], 0) }
        return held
    }

    // MARK: The greeting

    /// The verdict on its greeting takes a while: what comes waits for it. Not that on one which it repeats.
    mutating func judge() {
        if case .greeting = phase { phase = .judging }
    }

    /// The verdict has come: `open` or `close` is what follows.
    /// - Returns: false where nobody waits for it any more.
    mutating func judged() -> Bool {
        if case .judging = phase { phase = .greeting }
        return !isClosed
    }

    /// It is let in.
    mutating func open(_ client: Client) {
        guard case .greeting = phase else { return }
        phase = .open(client)
    }

    /// What came while it was judged, to be handled now.
    mutating func heldBeforeItWasOpen() -> [Packet] {
        guard case .open = phase else { return [] }
        return takeHeld()
    }

    /// It repeats its greeting, as the Go client does where the answer is late.
    /// - Returns: false where the one before is not answered yet: each would be one more that waits.
    mutating func greetsAgain() -> Bool {
        guard !isJudgedAgain else { return false }
        isJudgedAgain = true
        return true
    }

    mutating func judgedAgain() { isJudgedAgain = false }

    // MARK: Routes that take long

    /// This publish, and all behind it, wait for its route.
    /// - Returns: false where the session ends: it waits for nothing, the publish has no answer, and its client tries again.
    mutating func awaitRoute(of packet: Packet) -> Bool {
        guard case .open(let client) = phase else { return false }
        phase = .routing(client)
        hold(packet)
        return true
    }

    /// - Returns: the publish that waited for it and what came behind; nil where nobody waits any more.
    mutating func routeFound() -> [Packet]? {
        guard case .routing(let client) = phase else { return nil }
        phase = .open(client)
        return takeHeld()
    }

    // MARK: The end

    /// The connection ends while a publish waits for its route.
    /// - Returns: what came whole behind that publish, which counts all the same.
    mutating func end() -> [Packet] {
        guard case .routing(let client) = phase else { return [] }
        phase = .ending(client)
        return Array(takeHeld().dropFirst())
    }

    /// What it sends on is nobody's.
    mutating func close() {
        phase = .closed
        _ = takeHeld()
    }
}
