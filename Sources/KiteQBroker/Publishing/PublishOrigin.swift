/// Who published: a client with its connection, or a call without one.
protocol PublishOrigin: AnyObject, Sendable {
    /// The publishing side's own group.
    var group: String { get }
    /// Who can be asked about its half messages; nil where nobody can.
    var questioned: (any QuestionedClient)? { get }
    /// Answers its publishes, each once. Does not wait; called from any thread.
    func answer(_ results: [PublishResult])
}
