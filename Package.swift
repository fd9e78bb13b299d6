// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioLocks: Target.Dependency = .product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioFoundation: Target.Dependency = .product(name: "NIOFoundationCompat", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let nioHTTPTypes: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypesHTTP1: Target.Dependency = .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTesting: Target.Dependency = .product(name: "HummingbirdTesting", package: "hummingbird")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let histogram: Target.Dependency = .product(name: "Histogram", package: "hdrhistogram-swift")

let package = Package(
    name: "kiteq-swift",
    products: [
        .library(name: "KiteQ", targets: ["KiteQ"]),
        .library(name: "MariaDB", targets: ["MariaDB"]),
        // Of the tests: what a program with a wrong clock is started with.
        .library(name: "ShiftedClock", type: .dynamic, targets: ["CShiftedClock"]),
        // Of the tests: what members of a group are started with that are to be cut off from one another.
        .library(name: "ReroutedConnections", type: .dynamic, targets: ["CReroutedConnections"]),
        .executable(name: "kiteq", targets: ["kiteq"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // Random numbers that can be had again, for tests and the fault harness.
        .target(name: "SeededRandom", path: "Tools/SeededRandom", swiftSettings: settings),

        // Pure rules, and the protocols that the I/O is behind.
        .target(name: "KiteQCore", dependencies: [nioCore, deque], swiftSettings: settings),
        .testTarget(
            name: "KiteQCoreTests", dependencies: ["KiteQCore", "SeededRandom", nioCore, deque],
            swiftSettings: settings),

        // Packets.
        .target(
            name: "KiteQWire", dependencies: ["KiteQCore", nioCore, protobuf], exclude: ["Protobuf/kiteq.proto"],
            swiftSettings: settings),
        .testTarget(
            name: "KiteQWireTests", dependencies: ["KiteQWire", "SeededRandom", nioCore, protobuf],
            resources: [.copy("Resources")], swiftSettings: settings),

        // A client of MySQL and MariaDB that knows nothing of messages.
        .systemLibrary(name: "CMariaDB", pkgConfig: "libmariadb", providers: [.apt(["libmariadb-dev"])]),
        .target(name: "MariaDB", dependencies: ["CMariaDB", deque, logging], swiftSettings: settings),
        .testTarget(
            name: "MariaDBTests",
            dependencies: ["MariaDB", "CMariaDB", "LocalServers", "SeededRandom", deque, logging],
            swiftSettings: settings),

        // Servers of one's own on loopback: for `kiteq dev` and for tests.
        .target(name: "CShiftedClock"),
        .target(name: "CReroutedConnections"),
        .target(name: "LocalServers", dependencies: ["CMariaDB", logging], swiftSettings: settings),
        .testTarget(name: "LocalServersTests", dependencies: ["LocalServers", logging], swiftSettings: settings),

        // Messages in tables, and in memory.
        .target(
            name: "KiteQStore", dependencies: ["KiteQCore", "MariaDB", nioCore, logging],
            // A link to the folder sql/ at the top, so that the binary has the migrations in it.
            resources: [.embedInCode("Schema")], swiftSettings: settings),

        .testTarget(
            name: "KiteQStoreTests",
            dependencies: [
                "KiteQStore", "KiteQCore", "LocalServers", "MariaDB", "TestSupport", nioCore, nioPosix, logging,
            ],
            swiftSettings: settings),

        // Where brokers and bindings are found.
        .systemLibrary(name: "CZooKeeper", providers: [.apt(["libzookeeper-mt-dev"])]),
        .target(
            name: "KiteQRegistry", dependencies: ["KiteQCore", "CZooKeeper", logging, yams], swiftSettings: settings),
        .testTarget(
            name: "KiteQRegistryTests",
            dependencies: [
                "KiteQCore", "KiteQRegistry", "CZooKeeper", "LocalServers", nioCore, nioPosix, logging,
            ],
            swiftSettings: settings),

        // What the C library does with memory that is free.
        .systemLibrary(name: "CMemory"),

        // The broker, and what shows it.
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(
            name: "KiteQBroker",
            dependencies: [
                "KiteQCore", "KiteQWire", "COpenSSL", nioCore, nioPosix, nioTLS, nioSSL, deque,
                logging, lifecycle,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "KiteQBrokerTests",
            dependencies: [
                "KiteQBroker", "KiteQCore", "KiteQRegistry", "KiteQStore", "KiteQWire", "SeededRandom", "TestSupport",
                nioCore, nioLocks,
                nioPosix, nioSSL, logging, lifecycle,
            ],
            swiftSettings: settings),
        .target(
            name: "KiteQAdmin",
            dependencies: [
                "KiteQBroker", "KiteQCore", "KiteQWire", "CMemory", metrics, hummingbird, hummingbirdCore,
                logging, nioCore, nioFoundation, nioHTTP1, nioHTTPTypes, nioSSL, nioTLS,
                httpTypes, lifecycle,
            ],
            resources: [.embedInCode("API/openapi.yaml"), .embedInCode("Console")], swiftSettings: settings),
        .testTarget(
            name: "KiteQAdminTests",
            dependencies: [
                "KiteQAdmin", "KiteQBroker", "KiteQCore", "KiteQRegistry", "KiteQStore", "TestSupport", hummingbird,
                hummingbirdTesting, httpTypes, logging, nioCore, nioEmbedded, nioHTTP1, nioPosix, nioSSL, lifecycle,
                yams,
            ],
            swiftSettings: settings),

        // A client of the administration's API: what `kiteq top` and the other commands for operators ask with.
        .target(
            name: "KiteQAdminClient",
            dependencies: ["KiteQCore", asyncHTTPClient, nioCore, nioHTTP1, nioPosix, nioSSL], swiftSettings: settings
        ),
        .testTarget(
            name: "KiteQAdminClientTests", dependencies: ["KiteQAdminClient", "TestSupport", nioSSL],
            swiftSettings: settings),

        // The client library.
        .target(
            name: "KiteQ",
            dependencies: ["KiteQCore", "KiteQWire", "KiteQRegistry", nioCore, nioPosix, nioSSL, logging, lifecycle],
            swiftSettings: settings),

        .testTarget(
            name: "KiteQTests",
            dependencies: [
                "KiteQ", "KiteQBroker", "KiteQCore", "KiteQRegistry", "KiteQStore", "KiteQWire", "TestSupport", logging,
                nioCore, nioEmbedded, nioPosix, lifecycle,
            ],
            swiftSettings: settings),

        // The command.
        .executableTarget(
            name: "kiteq",
            dependencies: [
                "KiteQ", "KiteQAdmin", "KiteQAdminClient", "KiteQBroker", "KiteQCore", "KiteQRegistry", "KiteQStore",
                "KiteQWire", "LocalServers", "MariaDB",
                argumentParser, metrics, logging, nioCore, nioPosix, lifecycle, unixSignals, histogram,
            ],
            swiftSettings: settings),
        // What is shown of takeover and backlogs: docs/backlog.md.
        .executableTarget(
            name: "kiteq-backlog",
            dependencies: [
                "KiteQ", "KiteQCore", "LocalServers", "MariaDB", argumentParser, logging, nioPosix, lifecycle,
            ],
            path: "Tools/Backlog", swiftSettings: settings),
        // What the parts of a message's way cost, each alone: docs/performance.md.
        .target(name: "MallocCount", path: "Tools/MallocCount"),
        .executableTarget(
            name: "kiteq-pieces",
            dependencies: [
                "KiteQBroker", "KiteQCore", "KiteQStore", "KiteQWire", "MallocCount", "MariaDB", argumentParser,
                nioCore,
            ],
            path: "Tools/Pieces", swiftSettings: settings),

        .testTarget(
            name: "kiteqTests",
            dependencies: [
                "kiteq", "KiteQ", "KiteQAdmin", "KiteQAdminClient", "KiteQBroker", "KiteQCore", "KiteQStore",
                "KiteQWire",
                "LocalServers", "MariaDB", "TestSupport", argumentParser, logging, nioCore,
            ],
            swiftSettings: settings),

        // What tests of several targets put between a server and its clients.
        .target(
            name: "TestSupport", dependencies: [nioCore, nioHTTP1, nioPosix, nioSSL], path: "Tests/TestSupport",
            swiftSettings: settings),

        // The built command, and whole brokers, against real servers.
        .testTarget(
            name: "KiteQIntegrationTests",
            dependencies: [
                "kiteq", "KiteQ", "KiteQBroker", "KiteQCore", "KiteQRegistry", "KiteQStore", "LocalServers", "MariaDB",
                "TestSupport", logging, lifecycle, nioCore, nioPosix,
            ],
            swiftSettings: settings),

        // Faults injected into real servers, and the proof that nothing is lost by them.
        .target(
            name: "FaultHarness",
            dependencies: [
                "KiteQ", "KiteQCore", "KiteQRegistry", "LocalServers", "MariaDB", "SeededRandom", logging, lifecycle,
                nioCore, nioPosix,
            ],
            path: "Tools/FaultHarness", swiftSettings: settings),
        .executableTarget(
            name: "kiteq-faults", dependencies: ["FaultHarness", "LocalServers", argumentParser],
            path: "Tools/Faults", swiftSettings: settings),
        .testTarget(
            name: "KiteQFaultTests", dependencies: ["FaultHarness", "LocalServers", "kiteq"], swiftSettings: settings),
    ]
)

// `KITEQ_PACKAGE=broker` leaves out what the broker's own tests do not need: a build for a sanitizer is short then.
if Context.environment["KITEQ_PACKAGE"] == "broker" {
    let kept: Set<String> = [
        "KiteQCore", "KiteQWire", "CMariaDB", "MariaDB", "KiteQStore", "CZooKeeper", "KiteQRegistry", "COpenSSL",
        "KiteQBroker", "SeededRandom", "TestSupport", "KiteQBrokerTests",
    ]
    package.targets.removeAll { !kept.contains($0.name) }
    package.products.removeAll { $0.name != "MariaDB" }
}

// `KITEQ_PACKAGE=core` is the rules alone and their tests: built in a minute.
if Context.environment["KITEQ_PACKAGE"] == "core" {
    package.targets.removeAll { !["KiteQCore", "SeededRandom", "KiteQCoreTests"].contains($0.name) }
    package.products.removeAll()
}

// `KITEQ_PACKAGE=fuzz` is what libFuzzer is linked with, and what it needs: docs/development.md.
if Context.environment["KITEQ_PACKAGE"] == "fuzz" {
    let kept: Set<String> = ["KiteQCore", "KiteQWire", "COpenSSL", "CMemory", "KiteQBroker", "KiteQAdmin"]
    package.targets.removeAll { !kept.contains($0.name) }
    // Of the command, which is no library, the files that read who may come in.
    package.targets.append(
        .target(
            name: "kiteq", dependencies: ["KiteQBroker", "KiteQCore", logging],
            sources: ["CommandError.swift"]
                + [
                    "AdminToken", "ByteSize", "ConfigurationCodec", "ConfigurationCodec+Bodies",
                    "ConfigurationCodec+Limits", "ConfigurationCodec+Lists", "ConfigurationFile", "ConfigurationValue",
                    "DurationText", "Endpoint", "FileContent", "GroupsFile", "ListedFile", "TokensFile",
                ].map { "Configuration/\($0).swift" } + ["Configuration/TOML"],
            swiftSettings: settings))
    package.targets.append(
        .executableTarget(
            name: "kiteq-fuzz",
            dependencies: [
                "kiteq", "KiteQAdmin", "KiteQBroker", "KiteQCore", "KiteQWire", httpTypes, hummingbird, nioCore,
                nioEmbedded, nioHTTP1, nioHTTPTypes, nioHTTPTypesHTTP1,
            ],
            path: "Tests/Fuzzing", exclude: ["Corpus"],
            swiftSettings: settings + [.unsafeFlags(["-sanitize=fuzzer", "-parse-as-library"])],
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer"])]))
    package.products.removeAll()
}
