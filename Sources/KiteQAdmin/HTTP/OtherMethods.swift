import HTTPTypes
import Hummingbird

/// A path that is there, asked with a method that it does not take, is 405 with those that it takes. By itself the router says
/// 404, as if there were nothing.
enum OtherMethods {
    /// Those that an OpenAPI document knows. Whatever else somebody sends is 404, as the router has it.
    private static let all = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"]
        .compactMap { HTTPRequest.Method($0) }

    /// To be called when all routes are there.
    static func refuse(in router: Router<AdminContext>) {
        for (_, routes) in Dictionary(grouping: router.routes, by: { "\($0.path)" }) {
            // The router answers HEAD where it answers GET.
            let heads = routes.filter { $0.method == .get }.map { _ in HTTPRequest.Method.head }
            let taken = routes.map(\.method) + heads
            for method in all where !taken.contains(method) {
                router.on(routes[0].path, method: method) { _, _ -> Response in
                    throw Problem.methodNotAllowed(method, taken: taken)
                }
            }
        }
    }
}

extension Problem {
    static func methodNotAllowed(_ method: HTTPRequest.Method, taken: [HTTPRequest.Method]) -> Problem {
        let allow = taken.map(\.rawValue).joined(separator: ", ")
        var problem = Problem(.methodNotAllowed, "\(method.rawValue) is not possible here, only \(allow)")
        problem.allow = allow
        return problem
    }
}
