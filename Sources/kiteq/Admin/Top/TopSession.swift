import KiteQAdminClient
import UnixSignals

/// `kiteq top` on a terminal: asks, draws, and ends at q or at a signal.
actor TopSession {
    private let client: AdminClient
    private let screen: TopScreen
    private let hasColors: Bool
    private var answers: TopAnswers

    /// q, Q, Ctrl-C and Ctrl-D.
    private static let endingKeys: Set<UInt8> = [UInt8(ascii: "q"), UInt8(ascii: "Q"), 3, 4]

    private init(client: AdminClient, screen: TopScreen, answers: TopAnswers) {
        self.client = client
        self.screen = screen
        self.answers = answers
        hasColors = Terminal.hasColors()
    }

    /// Shows `answers`, and newer ones each `interval`, until it is ended. The terminal is as it was then, however it ended.
    static func run(_ client: AdminClient, _ answers: TopAnswers, interval: Duration) async throws {
        // Before the terminal is taken over: from here on a signal ends this in order.
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup, .sigquit, .sigwinch)
        let screen = try TopScreen()
        defer { screen.leave() }
        let session = TopSession(client: client, screen: screen, answers: answers)
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await session.refresh(each: interval) }
            tasks.addTask {
                for await signal in signals {
                    guard signal == .sigwinch else { return }
                    await session.draw()
                }
            }
            if screen.hasKeys {
                tasks.addTask {
                    for await key in KeyPresses.stream() where Self.endingKeys.contains(key) { return }
                }
            }
            await tasks.next()
            tasks.cancelAll()
        }
    }

    private func refresh(each interval: Duration) async {
        draw()
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: interval)
            } catch {
                return  // It was cancelled.
            }
            var newer = answers
            await newer.refresh(client)
            if Task.isCancelled { return }
            answers = newer
            draw()
        }
    }

    private func draw() {
        let layout = TopLayout(answers: answers, address: "\(client.configuration.address)")
        screen.draw(layout.lines(size: Terminal.size), hasColors: hasColors)
    }
}
