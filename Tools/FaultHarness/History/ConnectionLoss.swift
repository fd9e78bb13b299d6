/// A consumer's connection that was closed because of a message that it cannot bear.
package struct ConnectionLoss: Sendable, Hashable {
    /// The history's unit, 0.1 ms.
    package var time: UInt32
    package var group: Int
    package var broker: Int
    package var consumer: Int

    package init(time: UInt32, group: Int, broker: Int, consumer: Int) {
        self.time = time
        self.group = group
        self.broker = broker
        self.consumer = consumer
    }
}
