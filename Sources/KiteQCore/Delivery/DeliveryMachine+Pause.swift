/// Groups that an operator has paused: nothing is delivered to them, at no broker. What is in flight goes on; all else waits in
/// the store, like that of a group which cannot keep up, and expires when it would have.
extension DeliveryMachine {
    static var pausedError: String { "the group was paused" }

    /// The paused groups, all of them; of any others what waits is read again, oldest first. Names count by their bytes.
    package mutating func setPaused(_ names: Set<BindingName>, _ moment: inout DeliveryMoment) {
        guard names != paused else { return }
        paused = names
        for g in groups.places where !groups[g].isFree {
            let isPaused = names.contains(BindingName(groups[g].name))
            guard groups[g].isPaused != isPaused else { continue }
            groups[g].isPaused = isPaused
            guard !groups[g].isAway else { continue }
            if isPaused {
                pause(g, &moment)
            } else {
                readFromTheStart(g, &moment)
            }
        }
        pump(&moment)
    }

    private mutating func pause(_ g: GroupIndex, _ moment: inout DeliveryMoment) {
        let waiting = takeOutWaiting(g)
        for shard in groups[g].shards.indices {
            groups[g].shards[shard].start(.paging(frontier: 0, isScanning: false))
        }
        for ref in waiting {
            guard let position = waitingPosition(ref, g) else { continue }
            leaveToStore(ref, position, error: Self.pausedError, &moment)
        }
    }
}
