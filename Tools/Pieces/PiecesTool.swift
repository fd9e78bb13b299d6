import ArgumentParser

/// Measures the pieces of a message's way alone: `swift run -c release kiteq-pieces`.
@main
struct PiecesTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kiteq-pieces",
        abstract: "Measure the parts of a message's way, each alone: time and allocations for a message.")

    @Option(help: "Only those whose names contain this.")
    var filter = ""
    @Option(help: "Milliseconds for each.")
    var duration = 500

    func validate() throws {
        guard (1...600_000).contains(duration) else { throw ValidationError("--duration is from 1 to 600000") }
    }

    func run() throws {
        #if DEBUG
            print("NOTE: a debug build; swift run -c release kiteq-pieces shows what counts")
        #endif
        print("| piece | ns a message | allocations |")
        print("| --- | ---: | ---: |")
        for piece in try Pieces.wire() + Pieces.rules() + Pieces.delivery() + Pieces.store()
        where filter.isEmpty || piece.name.contains(filter) {
            let figures = try piece.measure(for: .milliseconds(duration))
            let allocations = (figures.allocations * 100).rounded() / 100
            print("| \(piece.name) | \(Int(figures.nanoseconds.rounded())) | \(allocations) |")
        }
    }
}

/// The pieces, made of the same 512-byte message.
enum Pieces {}
