/// What requests of groups may have in memory at a time, and who counts for whom. Operators' bodies are small, and not counted: whoever is to
/// pause a group must not wait until it leaves room.
final class RequestMemory: Sendable {
    /// Bytes of one publish.
    let publishBody: Int
    /// Bodies that are read or worked on.
    let bodies: MemoryBudget
    /// Answers that are not read yet.
    let answers: MemoryBudget

    init(_ limits: AdminLimits) {
        publishBody = limits.publishBody
        bodies = MemoryBudget(limits.bodyMemory, patience: limits.roomTime)
        answers = MemoryBudget(limits.bodyMemory, patience: limits.roomTime)
    }

    /// A group has its share, and so has an address, under whatever names.
    static func keys(group: String, place: String) -> [String] { ["group \(group)", "address \(place)"] }
}
