/// What is null in an answer where there is nothing, instead of being left out.
@propertyWrapper
struct ExplicitNull<Value: Encodable & Sendable>: Encodable, Sendable {
    var wrappedValue: Value?

    init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
    }
}

/// A page of a listing.
struct Page<Item: Encodable & Sendable>: Encodable, Sendable {
    var items: [Item]
    /// Where the next page begins; null at the end.
    @ExplicitNull var next: String?
}
