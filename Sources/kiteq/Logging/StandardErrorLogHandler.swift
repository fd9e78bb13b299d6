import Logging

/// Writes log records to standard error, a line each: text for people, or JSON for collectors.
struct StandardErrorLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    /// Its own where it was given one, else that of the process.
    var logLevel: Logger.Level {
        get { ownLevel ?? shared.level }
        set { ownLevel = newValue }
    }
    private var ownLevel: Logger.Level?
    private let shared: SharedLogLevel
    var metadataProvider: Logger.MetadataProvider?
    private let format: LogConfiguration.Format
    private let write: @Sendable (String) -> Void

    init(
        _ configuration: LogConfiguration, level: SharedLogLevel? = nil,
        write: @escaping @Sendable (String) -> Void = { StandardError.write($0) }
    ) {
        shared = level ?? SharedLogLevel(configuration.level)
        format = configuration.format
        self.write = write
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { own, _ in own } }
        if let given = event.metadata { all.merge(given) { _, given in given } }
        if let error = event.error { all["error"] = "\(error)" }
        let record = LogRecord(
            time: .now, level: event.level, message: event.message.description,
            metadata: all.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") })
        write(format == .json ? record.json : record.text)
    }
}
