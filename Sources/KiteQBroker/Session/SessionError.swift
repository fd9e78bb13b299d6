/// A packet that is well-formed and means nothing here; it ends its connection.
struct SessionError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
