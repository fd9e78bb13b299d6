import Foundation
import HTTPTypes
import Hummingbird

/// Whether a browser was sent here by a page of another site.
enum CrossSiteRule {
    /// - Throws: ``Problem`` with 403.
    static func check(_ request: Request) throws(Problem) {
        if let refusal = refusal(
            origin: request.headers[.origin], fetchSite: request.headers[.secFetchSite], host: request.head.authority)
        {
            throw Problem.refused(.crossSite, .forbidden, refusal)
        }
    }

    /// A request of another origin is refused: browsers say in `Origin` or `Sec-Fetch-Site` where one comes from, and programs
    /// that are no browser say neither.
    static func refusal(origin: String?, fetchSite: String?, host: String?) -> String? {
        if let fetchSite, fetchSite == "cross-site" || fetchSite == "same-site" {
            return "requests from pages of other sites are refused"
        }
        guard let origin else { return nil }
        guard let host, let start = origin.range(of: "://")?.upperBound,
            origin[start...].lowercased() == host.lowercased()
        else { return "requests from pages of other sites are refused" }
        return nil
    }
}

extension HTTPField.Name {
    static let secFetchSite = HTTPField.Name("Sec-Fetch-Site")!
}
