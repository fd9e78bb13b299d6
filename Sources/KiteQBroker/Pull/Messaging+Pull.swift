import KiteQCore

extension Messaging {
    /// Waits for messages of a group: returns as soon as there is at least one, with as many as there are then and at most
    /// `max`, or with none after `wait`. The group counts as present from here on, until some seconds after its last pull and
    /// its last receipt.
    ///
    /// - Parameters:
    ///   - max: 1 to ``PullLimits/messages``; beyond that it counts as the nearest. Fewer come where their bytes are many, or
    ///     where the receipts of the group are near their limit.
    ///   - wait: at most ``PullLimits/longestWait``. A group that was away has its backlog in the store, and it takes a
    ///     moment to read it: without any wait the first pull brings nothing.
    ///   - visibility: how long each message is the caller's; unless it is answered by then the attempt has failed.
    ///   - hasRoom: whether the caller can take messages of so many bytes now; asked once, and of nothing less than all that there is.
    /// - Throws: ``MessagingError``; `CancellationError` where the task is cancelled: what it would have got goes back at once
    ///   and was no attempt.
    package func pull(
        group: String, max: Int, wait: Duration, visibility: Duration,
        hasRoom: @Sendable (_ bytes: Int) -> Bool = { _ in true }
    ) async throws -> [PulledMessage] {
        try check(group: group)
        let visibility = min(
            Swift.max(visibility.nanoseconds, limits.visibility.lowerBound), limits.visibility.upperBound)
        let wait = min(Swift.max(0, wait.nanoseconds), limits.longestWait)
        let waiter = PullWaiter()
        try waiters.insert(waiter)
        defer { waiters.remove(waiter) }
        let key = UInt64.random(in: .min ... .max)
        let client = try begin(waiter, group: group, max: max, visibility: visibility, key: key)
        let outcome = await outcome(of: waiter, within: wait)
        guard case .delivered(let deliveries) = outcome, !Task.isCancelled else {
            services.dispatcher.endPull(client)
            try Task.checkCancellation()
            if case .failed(let error) = outcome { throw error }
            return []
        }
        guard hasRoom(deliveries.reduce(0) { $0 + $1.message.footprint }) else {
            // No attempt: nobody saw them.
            services.dispatcher.endPull(client)
            throw MessagingError(
                .noRoom, "answers to pulls that are not read yet fill the memory that there is for them")
        }
        services.dispatcher.forgetSink(of: client)
        let visibleAgainAt = services.clocks.general + visibility / 1_000_000
        return deliveries.map { delivery in
            let receipt = Receipt(
                incarnation: incarnation, delivery: .init(client: client, key: key, opaque: delivery.opaque),
                broker: identity.name)
            return PulledMessage(
                receipt: receipt.description, message: delivery.message, attempt: Int(delivery.attempt),
                visibleAgainAt: visibleAgainAt)
        }
    }

    private func begin(
        _ waiter: PullWaiter, group: String, max: Int, visibility: MonotonicTime, key: UInt64
    ) throws(MessagingError) -> DeliveryClientID {
        let begun = services.dispatcher.pull(into: waiter, group: group, max: max, visibility: visibility, key: key)
        switch begun {
        case .success(let client): return client
        case .failure(.tooManyPulls):
            throw MessagingError(.tooMany, "too many pulls wait already, try again later")
        case .failure(.tooManyReceipts):
            throw MessagingError(
                .tooMany, "too many messages of the group are pulled and not acknowledged; acknowledge some first")
        }
    }

    private func outcome(of waiter: PullWaiter, within wait: MonotonicTime) async -> PullWaiter.Outcome {
        // Cancelled where the scope is left before.
        async let _: Void = {
            await services.clock.pause(.nanoseconds(wait))
            waiter.end(.nothing)
        }()
        return await waiter.outcome()
    }

    // MARK: Answers

    /// The group is done with these messages. Returns an outcome for each receipt, in their order.
    package func acknowledge(group: String, receipts: [String]) -> [SettleOutcome] {
        settle(group: group, receipts: receipts, isSuccess: true, reason: nil)
    }

    /// The group cannot take these messages now: a failed attempt of each, delivered again by the usual schedule.
    ///
    /// - Parameter reason: for people, kept with the message: at most 255 characters.
    package func refuse(group: String, receipts: [String], reason: String?) -> [SettleOutcome] {
        settle(group: group, receipts: receipts, isSuccess: false, reason: reason)
    }

    private func settle(group: String, receipts: [String], isSuccess: Bool, reason: String?) -> [SettleOutcome] {
        var outcomes: [SettleOutcome] = []
        var own: [(index: Int, delivery: DeliveryMachine.PullReceipt)] = []
        for (index, text) in receipts.enumerated() {
            guard let receipt = Receipt(text) else {
                outcomes.append(.malformed)
                continue
            }
            let isOwn = BindingName(receipt.broker) == BindingName(identity.name)
            outcomes.append(isOwn ? .tooLate : .otherBroker(name: receipt.broker))
            // That of an earlier life of this broker is too late.
            if isOwn, receipt.incarnation == incarnation { own.append((index, receipt.delivery)) }
        }
        let settled = services.dispatcher.settle(
            own.map(\.delivery), group: group, isSuccess: isSuccess, reason: reason)
        for (place, settled) in zip(own, settled) {
            outcomes[place.index] =
                switch settled {
                case .settled: .settled
                case .tooLate: .tooLate
                case .notYours: .notYours
                }
        }
        return outcomes
    }
}
