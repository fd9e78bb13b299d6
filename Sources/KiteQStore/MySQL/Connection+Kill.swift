import KiteQCore
import MariaDB

extension MariaDBConnection {
    /// Ends another connection of the same user, and waits until its transaction is over: only then does what can be read
    /// say what became of it.
    func kill(_ thread: UInt64) throws {
        do {
            try simple("KILL CONNECTION \(thread)")
        } catch let error as MariaDBError where error.code == 1094 {
            return  // It is gone already.
        }
        for _ in 0..<200 {
            let left = try query(
                "SELECT COUNT(*) FROM information_schema.processlist WHERE id = ?", [.uint(thread)])
            if try left.first?.int(0) == 0 { return }
            try simple("DO SLEEP(0.01)")
        }
        throw StoreError(
            .unavailable, "connection \(thread) does not end, so what became of its transaction is not known")
    }
}
