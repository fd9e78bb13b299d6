import HTTPTypes
import Hummingbird
import NIOCore

/// An answer in JSON.
struct JSONAnswer<Content: Encodable & Sendable>: ResponseGenerator, Sendable {
    var status: HTTPResponse.Status
    var content: Content

    init(_ content: Content, status: HTTPResponse.Status = .ok) {
        self.status = status
        self.content = content
    }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        Response(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: try JSONText.encode(content)))
    }
}
