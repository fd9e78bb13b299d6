/// The bodies that `kiteq publish` sends.
enum MessageSource: Sendable, Hashable {
    /// The same text, so many times.
    case text(String, count: Int)
    /// Generated text of a size in bytes, each with its number in front.
    case generated(size: Int, count: Int)
    /// Each line of standard input.
    case standardInput

    /// What the wire leaves for a body (docs/protocol.md#sizes: 2 MiB for the packet), less room for the header.
    static let largest = (2 << 20) - (64 << 10)

    /// The body of message `number`, from 1; nil at the end. Reads standard input where the source is that.
    func body(_ number: Int) -> String? {
        switch self {
        case .text(let text, let count): number <= count ? text : nil
        case .generated(let size, let count): number <= count ? Self.filler(size, number) : nil
        case .standardInput: readLine(strippingNewline: true)
        }
    }

    /// ASCII, so that a character is a byte.
    private static func filler(_ size: Int, _ number: Int) -> String {
        let head = "\(number) ".prefix(size)
        let alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
        let rest = size - head.count
        return head + String(repeating: alphabet, count: rest / alphabet.count) + alphabet.prefix(rest % alphabet.count)
    }
}
