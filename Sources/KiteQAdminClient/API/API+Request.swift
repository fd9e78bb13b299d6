import Foundation

extension API {
    enum Method: Sendable {
        case get
        case post
    }

    /// One request, and what its answer is.
    package struct Request<Answer>: Sendable {
        let method: Method
        /// Below `/api/v1`, percent-encoded.
        let target: String
        let body: Data?
    }

    /// What is listed page by page.
    package struct Listing<Item: Sendable>: Sendable {
        let path: String
        let query: [Parameter]

        /// The same, with items as they are.
        package var json: Listing<JSONValue> { .init(path: path, query: query) }

        func page(after cursor: String?, limit: Int) -> Request<Page<Item>> {
            API.get(path, query + [.init("limit", "\(limit)"), .init("cursor", cursor)])
        }
    }

    /// A parameter of a query; without a value it is left out.
    struct Parameter: Sendable {
        let name: String
        let value: String?

        init(_ name: String, _ value: String?) {
            self.name = name
            self.value = value
        }

        init(_ name: String, _ value: Date?) { self.init(name, value.map(APICoding.text)) }
    }

    static func get<Answer>(_ path: String, _ query: [Parameter] = []) -> Request<Answer> {
        let query = query.compactMap { parameter in
            parameter.value.map { "\(encoded(parameter.name))=\(encoded($0))" }
        }
        return Request(
            method: .get, target: query.isEmpty ? path : "\(path)?\(query.joined(separator: "&"))", body: nil)
    }

    static func post<Answer>(_ path: String, _ body: some Encodable) throws(AdminClientError) -> Request<Answer> {
        do {
            return Request(method: .post, target: path, body: try APICoding.encoder().encode(body))
        } catch {
            throw AdminClientError("what was asked cannot be written as JSON: \(error)")
        }
    }

    /// A name as one segment of a path, or as a value of a query: whatever it contains, it is nothing else there.
    static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return text.utf8.reduce(into: "") { result, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                // The dot, too: "." and ".." are names here, and lead nowhere.
                result += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
    }
}
