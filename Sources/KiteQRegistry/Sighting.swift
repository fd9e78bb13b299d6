import CZooKeeper

/// The state of a parent node in which a child was seen under it.
///
/// It is what tells a child that somebody deleted from one that was lost with ZooKeeper's data. A deletion is an entry in
/// the history of the parent: the same node, further on. Data that were emptied or restored from a backup have another
/// parent node there, or the same one with its history cut short.
struct Sighting: Equatable {
    private let creation: Int64
    private let creationTime: Int64
    /// Of the last creation or deletion of a child. Grows with every change, in one history.
    private let lastChange: Int64

    init(creation: Int64, creationTime: Int64, lastChange: Int64) {
        self.creation = creation
        self.creationTime = creationTime
        self.lastChange = lastChange
    }

    init(parent: Stat) {
        self.init(creation: parent.czxid, creationTime: parent.ctime, lastChange: parent.pzxid)
    }

    /// Whether a child that was seen in this state, and is not there in the later one, was deleted.
    func provesDeletion(by later: Sighting) -> Bool {
        // A transaction number alone is no identity: emptied data count from the start again.
        creation == later.creation && creationTime == later.creationTime && lastChange < later.lastChange
    }
}
