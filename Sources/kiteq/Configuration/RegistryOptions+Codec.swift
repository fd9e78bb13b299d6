extension ConfigurationCodec where Value == RegistryOptions.NodeAccess? {
    /// "" leaves it to whether there are credentials.
    static var nodeAccess: Self {
        text(
            "one of world, creator, private, or \"\"",
            parse: { text in text.isEmpty ? .some(nil) : RegistryOptions.NodeAccess(rawValue: text).map { .some($0) } },
            write: { $0?.rawValue ?? "" })
    }
}
