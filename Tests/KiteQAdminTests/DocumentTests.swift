import Foundation
import HTTPTypes
import Hummingbird
import Testing
import Yams

@testable import KiteQAdmin

/// The document says what there is, and there is what it says.
@Suite struct DocumentTests {
    @Test func itHasTheRoutersPathsAndNoOthers() async throws {
        try await AdminFixture.serving { admin in
            let router = AdminRouter.forTest(admin.openServices).routes()
            let routed = Set(
                router.routes.filter { "\($0.path)".hasPrefix("/api/v1/") }.map {
                    "\($0.method) \(Self.template("\($0.path)"))"
                })
            let document = try #require(
                try Yams.load(yaml: String(decoding: DocumentRoutes.document, as: UTF8.self)) as? [String: Any])
            let paths = try #require(document["paths"] as? [String: [String: Any]])
            let described = Set(paths.flatMap { path, methods in methods.keys.map { "\($0.uppercased()) \(path)" } })
            #expect(routed == described)
        }
    }

    /// `/a/:b` is `/a/{b}` there.
    private static func template(_ path: String) -> String {
        path.split(separator: "/").map { $0.hasPrefix(":") ? "{\($0.dropFirst())}" : String($0) }
            .reduce("") { "\($0)/\($1)" }
    }

    @Test func theConsolesFilesAreAllServed() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources/KiteQAdmin/Console")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path())
        #expect(Set(files) == Set(ConsoleFiles.all.keys))
    }
}
