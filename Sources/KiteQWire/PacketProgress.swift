/// What a decoder knows of the packet under way.
package final class PacketProgress {
    /// Bytes that the last packet which was not whole is to have, with its header.
    package internal(set) var announced = 0

    package init() {}
}
