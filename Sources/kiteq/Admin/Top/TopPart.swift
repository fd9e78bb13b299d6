/// What was last answered to one of the questions, and why there is nothing newer, where there is not.
struct TopPart<Value: Sendable>: Sendable {
    private(set) var value: Value?
    private(set) var failure: String?

    init() {}

    mutating func take(_ result: Result<Value, any Error>) {
        switch result {
        case .success(let value): (self.value, failure) = (value, nil)
        case .failure(let error): failure = sentence(for: error)
        }
    }
}
