import HTTPTypes
import Hummingbird
import NIOCore

/// An error as callers get it: `application/problem+json` (RFC 9457).
struct Problem: Error, Sendable, Hashable, Encodable {
    var status: HTTPResponse.Status
    /// What is wrong and what to do, in a sentence. It never holds a secret.
    var detail: String
    /// How many match now, where the count that was asked back was another.
    var count: Int?

    /// How to say who one is, where that is missing. Not `Basic` on the operators' side: a browser would ask for it in a window
    /// of its own, and send it along with whatever other sites make it request.
    var scheme = "Bearer"
    /// The methods that the path takes, where the one that was used is not among them.
    var allow: String?
    /// Seconds after which to come again.
    var retryAfter: Int?
    /// What it is counted as, where somebody is not let in.
    var refusal: HTTPRefusals.Kind?
    /// What the log says instead of ``detail``: whoever asks hears less.
    var logged: String?

    init(_ status: HTTPResponse.Status, _ detail: String, count: Int? = nil) {
        self.status = status
        self.detail = detail
        self.count = count
    }

    private enum Key: String, CodingKey { case title, status, detail, count }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(status.reasonPhrase, forKey: .title)
        try container.encode(status.code, forKey: .status)
        try container.encode(detail, forKey: .detail)
        try container.encodeIfPresent(count, forKey: .count)
    }
}

extension Problem: HTTPResponseError {
    func response(from request: Request, context: some RequestContext) throws -> Response {
        var headers: HTTPFields = [.contentType: "application/problem+json", .cacheControl: "no-store"]
        if status == .unauthorized { headers[.wwwAuthenticate] = "\(scheme) realm=\"kiteq\"" }
        if let allow { headers[.allow] = allow }
        if let retryAfter { headers[.retryAfter] = "\(retryAfter)" }
        return Response(status: status, headers: headers, body: .init(byteBuffer: try JSONText.encode(self)))
    }

    /// Nothing was done, for want of memory that is in use now.
    static func full(_ what: String) -> Problem {
        var problem = Problem(.serviceUnavailable, "\(what); nothing was done: ask again in a second")
        problem.retryAfter = 1
        return problem
    }

    /// Who is not let in.
    static func refused(_ kind: HTTPRefusals.Kind, _ status: HTTPResponse.Status, _ detail: String) -> Problem {
        var problem = Problem(status, detail)
        problem.refusal = kind
        return problem
    }

    /// Who is not let in as a group.
    static func unauthorizedGroup(_ kind: HTTPRefusals.Kind, _ detail: String, logged: String? = nil) -> Problem {
        var problem = Problem.refused(kind, .unauthorized, detail)
        problem.scheme = "Basic"
        problem.logged = logged
        return problem
    }

    /// Who failed too often. Nothing is said about what was shown now.
    static func paused(for wait: Duration, _ what: String) -> Problem {
        let seconds = max(1, Int((wait / .seconds(1)).rounded(.up)))
        var problem = Problem.refused(
            .paused, .tooManyRequests, "too many \(what) came from this address: try again in \(seconds) s")
        problem.retryAfter = seconds
        return problem
    }
}
