import KiteQAdminClient
import KiteQCore

extension AdminArguments {
    /// - Parameter usual: how long an answer may take unless it is said.
    func withClient<Result: Sendable>(
        usual: Duration = .seconds(30), _ body: (AdminClient) async throws -> Result
    ) async throws -> Result {
        try await AdminClient.with(configuration(usual: usual), body)
    }

    /// Prints an answer: with `--json` as it is, else what `print` makes of it.
    func show<Answer: Decodable & Sendable>(
        _ request: API.Request<Answer>, _ print: (Answer) throws -> Void
    ) async throws {
        try await withClient { client in
            if json {
                AdminOutput.print(try await client.json(request))
            } else {
                try print(await client.send(request))
            }
        }
    }

    /// Asks for an act, and prints what was done.
    func act(_ request: API.Request<API.Done>) async throws {
        try await show(request) { StandardOutput.print(VisibleText.escaped($0.done)) }
    }
}
