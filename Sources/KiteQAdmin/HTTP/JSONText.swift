import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import NIOFoundationCompat

/// JSON to and from the bytes of a request.
enum JSONText {
    private static let bodyTime: Duration = .seconds(30)

    /// Keys are sorted, so that the same state is the same text.
    static func encode(_ value: some Encodable) throws -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encodeAsByteBuffer(value, allocator: ByteBufferAllocator())
    }

    /// - Parameter limit: bytes; more are refused before they are kept.
    /// - Throws: ``Problem`` where it is no JSON, too much of it, or not what is asked for, with the place in the sentence.
    static func decode<Value: Decodable>(_ type: Value.Type, from request: Request, limit: Int) async throws -> Value {
        let mediaType = request.headers[.contentType]?.prefix { $0 != ";" }.lowercased()
        // This also makes a browser ask first (CORS), which nobody here answers.
        guard mediaType == "application/json" else {
            throw Problem(.unsupportedMediaType, "the body must be JSON: Content-Type: application/json")
        }
        let tooLarge = Problem(.contentTooLarge, "the body is larger than \(limit) bytes")
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit { throw tooLarge }
        let body: ByteBuffer
        do {
            body = try await collect(request.body, upTo: limit)
        } catch is NIOTooManyBytesError {
            throw tooLarge
        }
        do {
            return try JSONDecoder().decode(type, from: body)
        } catch let problem as Problem {
            throw problem
        } catch let error as DecodingError {
            throw Problem(.badRequest, sentence(for: error))
        }
    }

    /// Whoever sends a body byte by byte does not keep a connection for ever.
    private static func collect(_ body: RequestBody, upTo limit: Int) async throws -> ByteBuffer {
        try await withThrowingTaskGroup(of: ByteBuffer.self) { tasks in
            tasks.addTask { try await body.collect(upTo: limit) }
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
    /// Keys that are not asked for are a mistake of the caller's, and not passed over.
    func refuseOthers<Key: CodingKey & CaseIterable>(than keys: Key.Type) throws {
        let known = Set(Key.allCases.map(\.stringValue))
        for key in try container(keyedBy: AnyKey.self).allKeys where !known.contains(key.stringValue) {
            throw DecodingError.dataCorrupted(
                .init(codingPath: codingPath + [key], debugDescription: "nothing of this name is known here"))
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
