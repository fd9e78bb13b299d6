import KiteQ
import KiteQCore

/// Publishes what the arguments say, and prints what became of it.
struct PublishRun: Sendable {
    /// Messages that wait for their store acks together.
    private static let batch = 100

    let arguments: PublishArguments
    let producer: Producer

    /// - Throws: ``CommandError`` where a message was not taken, after all were tried; `KiteQError` where no broker is there.
    func run() async throws {
        let properties = try arguments.properties
        // What comes in line by line, or has a second step, goes one by one.
        let size = arguments.half || arguments.source == .standardInput ? 1 : Self.batch
        var number = 0
        var failed = 0
        var isDone = false
        while !isDone {
            var messages: [OutgoingMessage] = []
            while messages.count < size {
                guard let body = arguments.source.body(number + 1) else {
                    isDone = true
                    break
                }
                number += 1
                messages.append(message(body, properties))
            }
            failed += try await publish(messages)
        }
        if failed > 0 { throw CommandError("\(failed) of \(number) messages were not taken") }
    }

    private func message(_ body: String, _ properties: [String: String]) -> OutgoingMessage {
        var message = OutgoingMessage(topic: arguments.topic, messageType: arguments.messageType, text: body)
        message.properties = properties
        message.lifetime = arguments.expire.map { .seconds($0) }
        message.isFly = arguments.fly
        return message
    }

    /// Returns how many were not taken.
    private func publish(_ messages: [OutgoingMessage]) async throws -> Int {
        var failed = 0
        let results = arguments.half ? await prepare(messages) : await producer.publish(contentsOf: messages)
        for (message, result) in zip(messages, results) {
            switch result {
            case .success: StandardOutput.print("\(message.id) \(word)")
            case .failure(let error as KiteQError) where error.code == .refused:
                failed += 1
                StandardOutput.print("\(message.id) refused: \(VisibleText.escaped(error.message))")
            case .failure(let error as KiteQError) where error.code == .outcomeUnknown:
                failed += 1
                StandardOutput.print("\(message.id) unknown: \(VisibleText.escaped(error.message))")
            // Nobody is there: the next would fare no better.
            case .failure(let error): throw error
            }
        }
        return failed
    }

    private func prepare(_ messages: [OutgoingMessage]) async -> [Result<Receipt, any Error>] {
        var results: [Result<Receipt, any Error>] = []
        for message in messages {
            do {
                let prepared = try await producer.prepare(message)
                switch arguments.ending {
                case .commit: prepared.commit()
                case .rollback: prepared.rollBack(feedback: "kiteq publish --rollback")
                case .forget, nil: break
                }
                results.append(.success(prepared.receipt))
            } catch {
                results.append(.failure(error))
            }
        }
        return results
    }

    private var word: String {
        switch arguments.ending {
        case .commit: "stored, committed"
        case .rollback: "stored, rolled back"
        case .forget: "stored as a half message, forgotten: the broker will ask \(arguments.group)"
        case nil: arguments.fly ? "accepted, not stored" : "stored"
        }
    }
}
