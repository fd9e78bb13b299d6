import Glibc

/// A terminal that shows one picture after another, and is as it was afterwards.
struct TopScreen {
    private let before: termios?

    /// Whether somebody can press any.
    var hasKeys: Bool { before != nil }

    /// Takes the terminal over: its other screen, no cursor, keys as they are pressed.
    /// - Throws: ``CommandError`` where the terminal does not let itself be set.
    init() throws(CommandError) {
        before = try Self.readKeys()
        // The other screen, so that what was there comes back; the cursor hidden; long lines not wrapped.
        StandardOutput.write("\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l")
    }

    /// Gives it back.
    func leave() {
        StandardOutput.write("\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l")
        if var before { tcsetattr(STDIN_FILENO, TCSANOW, &before) }
    }

    /// One write, each line erased behind its end: nothing flickers.
    func draw(_ lines: [TopLine], hasColors: Bool) {
        let text = lines.map { "\($0.painted(hasColors: hasColors))\u{1B}[K" }.joined(separator: "\r\n")
        StandardOutput.write("\u{1B}[H\(text)\u{1B}[J")
    }

    /// Nil where standard input is no terminal: then there are no keys.
    private static func readKeys() throws(CommandError) -> termios? {
        guard isatty(STDIN_FILENO) == 1 else { return nil }
        var before = termios()
        guard tcgetattr(STDIN_FILENO, &before) == 0 else { throw failure }
        var settings = before
        settings.c_lflag &= ~tcflag_t(ICANON | ECHO)
        withUnsafeMutableBytes(of: &settings.c_cc) { characters in
            characters[Int(VMIN)] = 1
            characters[Int(VTIME)] = 0
            // A shell that is returned to by Ctrl-Z would find the terminal as it is here.
            characters[Int(VSUSP)] = 0
        }
        guard tcsetattr(STDIN_FILENO, TCSANOW, &settings) == 0 else { throw failure }
        return before
    }

    private static var failure: CommandError {
        CommandError("the terminal cannot be set: \(String(cString: strerror(errno)))")
    }
}
