import KiteQWire

extension ProtoHeader {
    /// A header with every required field.
    static var sample: ProtoHeader {
        var header = ProtoHeader()
        header.messageID = "0123456789abcdef0123456789abcdef"
        header.topic = "trade"
        header.messageType = "pay-succ"
        header.expiredTime = 1_795_219_838
        header.deliverLimit = 100
        header.groupID = "p-test"
        header.commit = true
        header.fly = false
        return header
    }
}
