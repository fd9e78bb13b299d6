/// What the machine knows of one shard: until when its messages may be worked on, what is to be written there, and how far it was read.
struct DeliveryShard: Sendable {
    /// Until when stored messages may be worked on.
    var leaseUntil = MonotonicTime(0)
    /// How far the server's clock is ahead of `wall`.
    var serverLead = Timestamp(0)
    private(set) var unwritten: UnwrittenSettlements
    /// One scan at a time.
    private(set) var isScanning = false
    /// Written while the scan is under way, whose result may still show what was before.
    private var writtenDuringScan: [Int64] = []
    /// Fresh messages that scans found. An insert whose reply is slow may name one when it has been delivered and removed.
    var pagedIn: RecentSeqs
    /// The group that is looked at next.
    var scanTurn = 0
    var orphans = OrphanWatch()
    /// Of fresh messages that are this broker's.
    var strays = StrayWatch()

    /// - Parameters:
    ///   - unwritten: so many settlements are too many.
    ///   - pagedIn: so many messages are remembered.
    init(unwritten: Int, pagedIn: Int) {
        self.unwritten = UnwrittenSettlements(limit: unwritten)
        self.pagedIn = RecentSeqs(limit: pagedIn)
    }

    /// Whether stored messages must not be worked on now.
    func isStopped(now: MonotonicTime) -> Bool { unwritten.areTooMany || now >= leaseUntil }

    /// What is stored is compared with the server's time, and written by it.
    func time(_ wall: Timestamp) -> Timestamp { wall + serverLead }

    // MARK: Writing

    mutating func add(_ settlement: Settlement) { unwritten.add(settlement) }

    mutating func putAside(_ seqs: [Int64]) { unwritten.putAside(seqs) }

    /// These settlements are written (or their rows are not ours any more, which comes to the same).
    /// - Returns: the seqs that groups have read past and must read again; whether messages may be worked on again.
    mutating func written(_ seqs: [Int64]) -> (passed: [Int64], goesOn: Bool) {
        let goesOn = unwritten.written(seqs.count)
        guard isScanning else { return (unwritten.forget(seqs), goesOn) }
        writtenDuringScan.append(contentsOf: seqs)
        return ([], goesOn)
    }

    // MARK: Reading

    mutating func beginScan() { isScanning = true }

    /// - Returns: the seqs that groups have read past and must read again.
    mutating func endScan() -> [Int64] {
        isScanning = false
        defer { writtenDuringScan.removeAll(keepingCapacity: true) }
        return unwritten.forget(writtenDuringScan)
    }
}
