import Foundation
import HTTPTypes
import Hummingbird
import KiteQCore
import NIOCore
import NIOFoundationCompat

/// JSON to and from the bytes of a request.
enum JSONText {
    /// For a body to be there: ``AdminLimits/bodyTime`` of the server that it comes to.
    @TaskLocal static var bodyTime: Duration = AdminLimits().bodyTime

    /// Keys are sorted, so that the same state is the same text.
    static func encode(_ value: some Encodable) throws -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return escaped(try encoder.encodeAsByteBuffer(value, allocator: ByteBufferAllocator()))
    }

    /// With what people should not see raw as `\u…`, since answers are looked at in terminals, too. It can only stand in a string:
    /// outside of those JSON is ASCII, and the encoder puts no line breaks there.
    private static func escaped(_ json: ByteBuffer) -> ByteBuffer {
        guard json.readableBytesView.contains(where: { $0 >= 0x7F }) else { return json }
        let text = String(buffer: json)
        guard VisibleText.needsEscapes(text) else { return json }
        return ByteBuffer(string: VisibleText.escaped(text, VisibleText.jsonEscape))
    }

    /// - Parameters:
    ///   - limit: bytes; more are refused before they are kept.
    ///   - values: so many at most; see ``JSONBounds``.
    /// - Throws: ``Problem`` where it is no JSON, too much of it, or not what is asked for, with the place in the sentence; where there
    ///   is no room for it now (``MemoryLease/current``).
    static func decode<Value: Decodable>(
        _ type: Value.Type, from request: Request, limit: Int, values: Int = JSONBounds.values
    ) async throws -> Value {
        try requireJSON(request)
        return try decode(type, from: await body(of: request, limit: limit), values: values)
    }

    /// The same where a body may be left out; nil then.
    static func decodeIfPresent<Value: Decodable>(
        _ type: Value.Type, from request: Request, limit: Int
    ) async throws -> Value? {
        let body = try await body(of: request, limit: limit)
        if body.readableBytes == 0 { return nil }
        try requireJSON(request)
        return try decode(type, from: body, values: JSONBounds.values)
    }

    private static func requireJSON(_ request: Request) throws(Problem) {
        let mediaType = request.headers[.contentType]?.prefix { $0 != ";" }.lowercased()
        // This also makes a browser ask first (CORS), which nobody here answers.
        guard mediaType == "application/json" else {
            throw Problem(.unsupportedMediaType, "the body must be JSON: Content-Type: application/json")
        }
        // A few bytes may stand for any number of them.
        guard request.headers[.contentEncoding].map({ $0.lowercased() == "identity" }) ?? true else {
            throw Problem(.unsupportedMediaType, "the body must be plain: no Content-Encoding is taken")
        }
    }

    private static func decode<Value: Decodable>(
        _ type: Value.Type, from body: ByteBuffer, values: Int
    ) throws -> Value {
        try JSONBounds.check(body, values: values)
        do {
            return try JSONDecoder().decode(type, from: body)
        } catch let problem as Problem {
            throw problem
        } catch let error as DecodingError {
            throw Problem(.badRequest, sentence(for: error))
        }
    }

    private static func body(of request: Request, limit: Int) async throws -> ByteBuffer {
        let length = request.headers[.contentLength].flatMap { Int($0) }
        if let length, length > limit { throw RequestBodyReader.tooLarge(limit) }
        return try await collect(RequestBodyReader(request.body, announced: length, limit: limit))
    }

    /// Whoever sends a body byte by byte does not keep a connection for ever.
    private static func collect(_ body: RequestBodyReader) async throws -> ByteBuffer {
        try await withThrowingTaskGroup(of: ByteBuffer.self) { tasks in
            tasks.addTask { try await body.collect() }
            tasks.addTask {
                try await Task.sleep(for: bodyTime)
                throw Problem(.requestTimeout, "the body was not there within \(bodyTime)")
            }
            defer { tasks.cancelAll() }
            return try await tasks.next() ?? ByteBuffer()
        }
    }

    private static func sentence(for error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context):
            "the body lacks \(place(context.codingPath + [key]))"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            context.codingPath.isEmpty
                ? "the body is not the JSON that is asked for"
                : "\(place(context.codingPath)) in the body cannot be used: \(context.debugDescription)"
        @unknown default:
            "the body is not the JSON that is asked for"
        }
    }

    private static func place(_ path: [any CodingKey]) -> String {
        path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
            .replacing(".[", with: "[")
    }
}

extension Decoder {
    /// Keys that are not asked for are a mistake of the caller's, and not passed over. Nor is null: a filter whose value got lost on
    /// its way would match everything.
    func refuseOthers<Key: CodingKey & CaseIterable>(than keys: Key.Type) throws {
        let known = Set(Key.allCases.map(\.stringValue))
        let object = try container(keyedBy: AnyKey.self)
        for key in object.allKeys {
            func refusal(_ what: String) -> DecodingError {
                .dataCorrupted(.init(codingPath: codingPath + [key], debugDescription: what))
            }
            guard known.contains(key.stringValue) else { throw refusal("nothing of this name is known here") }
            if try object.decodeNil(forKey: key) { throw refusal("it is null; leave it out instead") }
        }
    }
}

/// Any key of an object.
struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
