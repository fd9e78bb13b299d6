import Dispatch
import Foundation
import TestSupport

extension CommandProcess {
    /// Runs it against a server, on a thread that may wait.
    static func ask(
        _ server: FixtureServer, _ arguments: [String], token: String? = nil
    ) async throws -> Outcome {
        var environment = ["KITEQ_ADMIN": "127.0.0.1:\(server.port)"]
        environment["KITEQ_TOKEN"] = token
        return try await withCheckedThrowingContinuation { [environment] continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try run(arguments, environment: environment) })
            }
        }
    }
}

extension CommandProcess.Outcome {
    /// Standard output, an object a line.
    func objects() throws -> [[String: Any]] {
        try output.split(separator: "\n").map {
            guard let object = try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] else {
                throw NoObject()
            }
            return object
        }
    }

    private struct NoObject: Error {}
}
