import KiteQBroker
import KiteQCore

extension ServerConfiguration {
    /// Every option there is, in the order of conf/kiteq.toml.
    static let options: [ConfigurationOption] =
        brokerOptions + topicOptions + publishOptions + deliveryOptions + transactionOptions + recoveryOptions
        + groupOptions
        + storeOptions + registryOptions + adminOptions + logOptions

    private static let brokerOptions: [ConfigurationOption] = [
        .init("broker.bind", \.bind, .endpoint),
        .init("broker.advertised", \.broker.advertised, .address),
        .init("broker.name", \.name, .brokerName),
        .init("broker.take_over", \.broker.takesOver, .flag),
        .init("broker.topics", \.topics, .names),
        .init("broker.event_loop_threads", \.broker.eventLoopThreads, .number(0...1_024)),
        .init("broker.max_connections", \.broker.maxConnections, .number(1...1_000_000)),
        .init(
            "broker.max_connections_per_address", \.broker.maxConnectionsPerAddress, .number(1...1_000_000)),
        .init("broker.max_packet", \.broker.maxPacket, .bytes(16 << 10...2 << 20)),
        .init("broker.max_properties", \.broker.maxProperties, .number(0...1_000_000)),
        .init("broker.packet_timeout", \.broker.packetTimeout, .duration(.milliseconds(100) ... .seconds(600))),
        .init("broker.idle_timeout", \.broker.idleTimeout, .duration(.seconds(120) ... .seconds(86_400))),
        .init("broker.handshake_timeout", \.broker.handshakeTimeout, .duration(.milliseconds(100) ... .seconds(600))),
        .init("broker.start_timeout", \.startTimeout, .duration(.zero ... .seconds(86_400))),
        .init("broker.drain_timeout", \.broker.drainTimeout, .duration(.zero ... .seconds(600))),
        .init("broker.tls", \.broker.tls.mode, .name),
        .init("broker.tls_certificate", \.broker.tls.certificate, .any),
        .init("broker.tls_key", \.broker.tls.key, .any),
        .init("broker.tls_client_ca", \.broker.tls.clientCA, .any),
        .init("broker.tls_client_certificates", \.broker.tls.clientCertificates, .name),
        .init("broker.tls_client_crl", \.broker.tls.clientCRL, .any),
        .init("broker.tls_min_version", \.broker.tls.protocols.lowest, .name),
        .init("broker.tls_ciphers", \.broker.tls.protocols.ciphers, .names),
        .init("broker.secret_files", \.broker.secretFiles, .name),
    ]

    private static let topicOptions: [ConfigurationOption] = [
        .init("topics.max_body", \.broker.topicMaxBody, .bodiesByTopic)
    ]

    private static let publishOptions: [ConfigurationOption] = [
        .init("publish.receive_rate", \.broker.receiveRate, .number(0...10_000_000)),
        // A whole message of the largest size must fit, or its connection would never be read again.
        .init("publish.connection_bytes", \.broker.connectionPublishBytes, .bytes(4 << 20...1 << 30)),
        .init("publish.wait", \.broker.publishWait, .duration(.milliseconds(100) ... .seconds(600))),
        .init("publish.queue_length", \.broker.shardQueueLength, .number(1...10_000_000)),
        .init("publish.queue_bytes", \.broker.shardQueueBytes, .bytes(4 << 20...64 << 30)),
        .init("publish.writers_per_shard", \.broker.writersPerShard, .number(1...64)),
        .init("publish.batch_rows", \.broker.batchRows, .number(1...10_000)),
        .init("publish.batch_bytes", \.broker.batchBytes, .bytes(64 << 10...64 << 20)),
        .init("publish.recent_ids", \.broker.recentIDs, .number(0...100_000_000)),
    ]

    private static let deliveryOptions: [ConfigurationOption] = [
        .init(
            "delivery.timeout", \.broker.topicDefaults.answerTime, .nanoseconds(.milliseconds(100) ... .seconds(3_600))),
        .init(
            "delivery.longest_handling", \.broker.delivery.longestHandling,
            .nanoseconds(.seconds(1) ... .seconds(7 * 86_400))),
        .init("delivery.window", \.broker.delivery.window, .number(1...1_000_000)),
        .init("delivery.queue_length", \.broker.delivery.queueLength, .number(1...10_000_000)),
        .init("delivery.memory", \.broker.delivery.memoryBytes, .bytes(4 << 20...1 << 40)),
        .init("delivery.unflushed", \.broker.delivery.unflushed, .number(1...10_000_000)),
        .init(
            "delivery.partial_after", \.broker.delivery.partialAfter, .nanoseconds(.milliseconds(10) ... .seconds(600))),
        .init("delivery.page_rows", \.broker.delivery.pageRows, .number(1...10_000)),
        .init("delivery.scan_retry", \.broker.delivery.scanRetry, .nanoseconds(.milliseconds(10) ... .seconds(600))),
        .init("delivery.default_watermark", \.broker.delivery.defaultWatermark, .number(1...10_000_000)),
        .init("delivery.immediate_attempts", \.redelivery.immediate, .number(1...100)),
        .init("delivery.retry_steps", \.redelivery.steps, .steps),
        .init("delivery.retry_beyond", \.redelivery.beyond, .milliseconds(.milliseconds(1) ... .seconds(86_400))),
        .init(
            "delivery.dead_letter_retention", \.broker.deadLetterRetention,
            .duration(.seconds(60) ... .seconds(3_650 * 86_400))),
    ]

    private static let transactionOptions: [ConfigurationOption] = [
        .init(
            "transactions.first_check", \.transactions.firstAfter,
            .milliseconds(.milliseconds(100) ... .seconds(86_400))),
        .init(
            "transactions.longest_check", \.transactions.longest, .milliseconds(.milliseconds(100) ... .seconds(86_400))
        ),
        .init("transactions.max_checks", \.transactions.maxChecks, .number(1...1_000)),
        .init(
            "transactions.absent_recheck", \.broker.absentPublisherRecheck,
            .duration(.milliseconds(100) ... .seconds(3_600))),
        .init("transactions.memory", \.broker.halfMessageBytes, .bytes(0...1 << 40)),
        .init(
            "transactions.retention", \.broker.transactionRetention, .duration(.seconds(60) ... .seconds(365 * 86_400))),
    ]

    private static let recoveryOptions: [ConfigurationOption] = [
        .init("recovery.interval", \.broker.recoveryInterval, .duration(.milliseconds(10) ... .seconds(600))),
        .init(
            "recovery.orphan_interval", \.broker.delivery.orphanInterval,
            .nanoseconds(.milliseconds(100) ... .seconds(3_600))),
    ]

    private static let groupOptions: [ConfigurationOption] = [
        .init("groups.file", \.groups.file, .any),
        .init("groups.default_rights", \.groups.defaultRights, .name),
        .init("groups.require_secret", \.groups.requireSecret, .flag),
        .init("groups.allow_anyone", \.groups.allowAnyone, .flag),
        .init("groups.secrets", \.groups.secrets, .pairs("secrets by group"), isSecret: true),
        .init("groups.secret_files", \.groups.secretFiles, .pairs("files by group, each with a secret")),
        .init("groups.max_connections", \.groups.limits.connections, .groupConnections),
        .init("groups.max_rate", \.groups.limits.rate, .groupRate),
        .init("groups.max_bytes", \.groups.limits.bytes, .groupBytes),
        .init("groups.max_half_messages", \.groups.limits.halfMessages, .groupMessages),
        .init("groups.max_backlog", \.groups.limits.backlog, .groupMessages),
    ]

    private static let registryOptions: [ConfigurationOption] = [
        .init("registry.url", \.registry.url, .any, isSecret: true),
        .init("registry.auth", \.registry.auth, .any, isSecret: true),
        .init("registry.auth_file", \.registry.authFile, .any),
        .init("registry.acl", \.registry.acl, .nodeAccess),
        .init("registry.session_timeout", \.registry.sessionTimeout, .duration(.seconds(1) ... .seconds(600))),
    ]

    private static let adminOptions: [ConfigurationOption] = [
        .init("admin.bind", \.admin, .adminEndpoint),
        .init("admin.tls_certificate", \.adminAccess.tlsCertificate, .any),
        .init("admin.tls_key", \.adminAccess.tlsKey, .any),
        .init("admin.tls_client_ca", \.adminAccess.tlsClientCA, .any),
        .init("admin.tls_client_crl", \.adminAccess.tlsClientCRL, .any),
        .init("admin.tls_min_version", \.adminAccess.tlsProtocols.lowest, .name),
        .init("admin.tls_ciphers", \.adminAccess.tlsProtocols.ciphers, .names),
        .init("admin.hsts_max_age", \.adminAccess.hstsMaxAge, .duration(.zero ... .seconds(2 * 365 * 86_400))),
        .init("admin.tokens_file", \.adminAccess.tokensFile, .any),
        .init("admin.allow_anonymous", \.adminAccess.allowAnonymous, .anonymous),
        .init("admin.metrics", \.adminAccess.metrics, .name),
        .init("admin.ready_shards", \.adminAccess.readyShards, .name),
        .init("admin.hosts", \.adminAccess.hosts, .names),
        .init("admin.publish_body", \.adminAccess.publishBody, .bytes(64 << 10...16 << 20)),
        .init("admin.body_memory", \.adminAccess.bodyMemory, .bytes(1 << 20...1 << 34)),
        .init("admin.trusted_proxies", \.adminAccess.trustedProxies, .addressRanges),
    ]

    private static let logOptions: [ConfigurationOption] = [
        .init("log.level", \.log.level, .logLevel),
        .init("log.format", \.log.format, .name),
    ]
}
