// swift-tools-version: 6.2
// The module graph: one sentence per target, and the list of connectors.

import PackageDescription

/// The toolchain's libFuzzer without a `main`; only where `make fuzz` builds with it.
let fuzzer = Context.environment["PENSTOCK_FUZZER"]

/// What every target is held to.
let strict: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .treatAllWarnings(as: .error),
    ] + (fuzzer == nil ? [] : [.unsafeFlags(["-sanitize=fuzzer"])])

/// Exports one symbol, and finds a bundled Swift runtime one folder up.
let oneExport: [LinkerSetting] = [
    .unsafeFlags([
        "-Xlinker", "--version-script=\(Context.packageDirectory)/Plugins/exports.map",
        "-Xlinker", "-rpath=$ORIGIN/..",
    ])
]

/// One folder under `Plugins/`, built as one dynamic library with one exported symbol.
struct Connector {
    let name: String
    let dependencies: [Target.Dependency]
    let testDependencies: [Target.Dependency]

    init(_ name: String, _ dependencies: Target.Dependency..., tests: [Target.Dependency] = []) {
        self.name = name
        self.dependencies = ["ConnectorKit"] + dependencies
        testDependencies = dependencies + tests
    }

    /// `libpenstock-<name>.so`.
    var product: Product {
        .library(name: "penstock-\(name.lowercased())", type: .dynamic, targets: ["\(name)Entry"])
    }

    var targets: [Target] {
        [
            .target(
                name: "\(name)Connector", dependencies: dependencies, path: "Plugins/\(name)/Sources",
                swiftSettings: strict),
            .target(
                name: "\(name)Entry", dependencies: ["CPenstock", "ConnectorKit", .target(name: "\(name)Connector")],
                path: "Plugins/\(name)/Entry", swiftSettings: strict, linkerSettings: oneExport),
            .testTarget(
                name: "\(name)ConnectorTests",
                dependencies: [.target(name: "\(name)Connector"), "ConnectorTesting"] + testDependencies,
                path: "Plugins/\(name)/Tests", swiftSettings: strict),
        ]
    }
}

/// The connectors: one folder under `Plugins/` and one line here each.
let connectors: [Connector] = [
    Connector("CSV"),
    Connector("MySQL", "CMySQL", tests: ["DatabaseServers"]),
    Connector("Pipedrive", "ConnectorHTTP", tests: ["PipedriveSandbox"]),
    Connector("Postgres", "CPostgres", tests: ["DatabaseServers"]),
    Connector("SQLite", "CSQLite"),
]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

/// What host and connectors share.
let shared: [Target] = [
    /** The nouns and the verbs: values, schema, record batch, catalog, Source, Destination. */
    .target(name: "PenstockModel", dependencies: ["CXXHash"], swiftSettings: strict),
    /** The system's xxHash, which is a header: without pkgConfig, because nothing is to be linked. */
    .systemLibrary(name: "CXXHash", providers: [.apt(["libxxhash-dev"])]),
    /** The contract between host and connector: the C header, which has no dependency. */
    .target(name: "CPenstock"),
    /** Both halves of the C boundary; the only shared module that may use unsafe pointers. */
    .target(name: "PenstockABI", dependencies: ["CPenstock", "PenstockModel"], swiftSettings: strict),
]

/// What a connector may use.
let connectorSide: [Target] = [
    /** What a connector author imports. */
    .target(name: "ConnectorKit", dependencies: ["PenstockABI", "PenstockModel"], swiftSettings: strict),
    /** HTTP for connectors: requests over libcurl, one at a time or many at once. */
    .target(name: "ConnectorHTTP", dependencies: ["CCurl", "ConnectorKit"], swiftSettings: strict),
    /** Fakes that run real logic, for our connectors' tests and other people's. */
    .target(name: "ConnectorTesting", dependencies: ["PenstockModel"], swiftSettings: strict),
    /** The system's libcurl. */
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    /** The system's libpq, and what it takes of OpenSSL to say what is wrong with a certificate. */
    .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    /** The system's libmysqlclient, which on Debian is MariaDB's. */
    .systemLibrary(name: "CMySQL", pkgConfig: "mysqlclient", providers: [.apt(["default-libmysqlclient-dev"])]),
    /** The system's libsqlite3. */
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
]

/// What runs syncs.
let hostSide: [Target] = [
    /** The shared core: mapping, limits, decisions about rows. Pure values; opens nothing. */
    .target(name: "PenstockEngine", dependencies: ["PenstockModel"], swiftSettings: strict),
    /** What must survive a crash, one SQLite file per sync, and scratch stores that need not. */
    .target(name: "PenstockState", dependencies: ["CLinux", "CSQLite", "PenstockModel"], swiftSettings: strict),
    /** What Swift does not show of the kernel: a folder's identity, the kind of a disk. */
    .systemLibrary(name: "CLinux"),
    /** When schedules are due: cron, intervals, time zones. Pure values, but for the system's zone files. */
    .target(name: "PenstockSchedule", dependencies: ["PenstockModel"], swiftSettings: strict),
    /** The files that a user writes, decoded with positions; all findings at once. */
    .target(name: "PenstockProject", dependencies: ["PenstockModel", "PenstockSchedule", yams], swiftSettings: strict),
    /** The system's libcrypto, for digests and for stored credentials. */
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    /** Starts programs, with signals as a shell would have them. */
    .target(name: "PenstockProcess", dependencies: ["CProcess"], swiftSettings: strict),
    /** Finds and loads connectors, opens connections, and executes the engine's decisions: plans and runs. */
    .target(
        name: "PenstockHost",
        dependencies: [
            "CCrypto", "CProcess", "PenstockABI", "PenstockEngine", "PenstockModel", "PenstockProcess", "PenstockState",
            logging,
        ],
        swiftSettings: strict),
    /** Says what is wrong with an installation and a project, and packs what a helper needs to see, without secrets. */
    .target(
        name: "PenstockDoctor", dependencies: ["PenstockHost", "PenstockModel", "PenstockProject", "PenstockState"],
        swiftSettings: strict),
    /** Tells people and programs: alerts with their outbox, and events of OpenLineage. What is told is decided in values. */
    .target(
        name: "PenstockNotify",
        dependencies: ["CCrypto", "CCurl", "CProcess", "CService", "PenstockModel", "PenstockProject"],
        swiftSettings: strict),
    /** What the system's C library has for the process itself and Swift's module of it lacks. */
    .systemLibrary(name: "CProcess"),
    /** What Swift's module of the C library lacks for a service: parents, ends of processes, sockets in files. */
    .target(name: "CService"),
    /** The scheduler as a service: starts runs as processes, remembers its ticks, and answers over HTTP. */
    .target(
        name: "PenstockServer",
        dependencies: [
            "CService", "PenstockModel", "PenstockProcess", "PenstockProject", "PenstockSchedule", "PenstockState",
            logging,
            .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
            .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
        ],
        swiftSettings: strict),
    /** Holds anyone's connector to the contract: a catalogue of checks, each made in a process of its own. */
    .target(
        name: "ConnectorConformance",
        dependencies: ["CPenstock", "PenstockABI", "PenstockHost", "PenstockModel", "PenstockProcess"],
        swiftSettings: strict),
    /** The command line: options in, text and JSON out. */
    .executableTarget(
        name: "penstock",
        dependencies: [
            "CProcess", "CService", "ConnectorConformance", "PenstockABI", "PenstockDoctor", "PenstockEngine",
            "PenstockHost", "PenstockModel", "PenstockNotify", "PenstockProcess", "PenstockProject", "PenstockSchedule",
            "PenstockServer", "PenstockState",
            argumentParser, logging,
        ],
        swiftSettings: strict,
        linkerSettings: [.unsafeFlags(["-Xlinker", "-rpath=$ORIGIN/../lib/penstock"])]),
]

/// The sandbox of the Pipedrive connector, beside it in its folder.
let sandbox: [Target] = [
    /** The Pipedrive API on loopback: for rehearsing a sync without an account, and for tests. */
    .target(
        name: "PipedriveSandbox",
        dependencies: [
            "CCrypto", "PenstockModel", .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
        ],
        path: "Plugins/Pipedrive/Sandbox/Sources", swiftSettings: strict),
    /** The sandbox's command line; `penstock sandbox` starts it. */
    .executableTarget(
        name: "penstock-sandbox-pipedrive", dependencies: ["PenstockModel", "PipedriveSandbox", argumentParser],
        path: "Plugins/Pipedrive/Sandbox/Main", swiftSettings: strict,
        linkerSettings: [.unsafeFlags(["-Xlinker", "-rpath=$ORIGIN/.."])]),
    .testTarget(
        name: "PipedriveSandboxTests", dependencies: ["PenstockModel", "PipedriveSandbox", yams],
        path: "Plugins/Pipedrive/Sandbox/Tests", swiftSettings: strict),
]

let tests: [Target] = [
    .testTarget(name: "PenstockModelTests", dependencies: ["PenstockModel"], swiftSettings: strict),
    /** Throwaway database servers on loopback, for the tests that need real ones. */
    .target(name: "DatabaseServers", path: "Tests/Fixtures/DatabaseServers", swiftSettings: strict),
    .testTarget(
        name: "DatabaseServersTests", dependencies: ["DatabaseServers"], path: "Tests/Fixtures/DatabaseServersTests",
        swiftSettings: strict),
    /** A connector with every type, for the tests of the boundary. */
    .target(
        name: "LoopbackConnector", dependencies: ["ConnectorKit"], path: "Tests/Fixtures/Loopback/Sources",
        swiftSettings: strict),
    /** The same as a library, for the tests of the loader. */
    .target(
        name: "LoopbackEntry", dependencies: ["CPenstock", "ConnectorKit", "LoopbackConnector"],
        path: "Tests/Fixtures/Loopback/Entry", swiftSettings: strict, linkerSettings: oneExport),
    .testTarget(
        name: "PenstockABITests",
        dependencies: ["CPenstock", "ConnectorTesting", "LoopbackConnector", "PenstockABI", "PenstockModel"],
        swiftSettings: strict),
    .testTarget(
        name: "PenstockHostTests",
        dependencies: [
            "ConnectorTesting", "PenstockABI", "PenstockEngine", "PenstockHost", "PenstockModel", "PenstockProcess",
            "PenstockState", logging,
        ],
        swiftSettings: strict),
    .testTarget(
        name: "PenstockEngineTests", dependencies: ["PenstockEngine", "PenstockModel"], swiftSettings: strict),
    /** SQLite's file system with a log of what is written: what a power loss leaves can be looked at. */
    .target(name: "CrashDisk", dependencies: ["CSQLite"], path: "Tests/Fixtures/CrashDisk"),
    .testTarget(
        name: "PenstockStateTests", dependencies: ["CrashDisk", "PenstockState", "PenstockModel"],
        swiftSettings: strict),
    .testTarget(
        name: "PenstockScheduleTests", dependencies: ["PenstockModel", "PenstockSchedule", yams],
        swiftSettings: strict),
    .testTarget(
        name: "PenstockProjectTests", dependencies: ["PenstockModel", "PenstockProject", "PenstockSchedule"],
        swiftSettings: strict),
    .testTarget(
        name: "PenstockDoctorTests", dependencies: ["PenstockDoctor", "PenstockModel", "PenstockProject"],
        swiftSettings: strict),
    .testTarget(
        name: "PenstockNotifyTests", dependencies: ["PenstockModel", "PenstockNotify", "PenstockProject"],
        swiftSettings: strict),
    .testTarget(
        name: "PenstockServerTests", dependencies: ["PenstockModel", "PenstockSchedule", "PenstockServer"],
        swiftSettings: strict),
    .testTarget(name: "ConnectorHTTPTests", dependencies: ["ConnectorHTTP"], swiftSettings: strict),
    /** The built programs with real connectors, files and servers: what a user meets. */
    .testTarget(
        name: "EndToEndTests", dependencies: ["CSQLite", "DatabaseServers", "PenstockModel", "PipedriveSandbox"],
        exclude: ["demo.txt"],
        swiftSettings: strict),
    /** What reads bytes that others made, each with the rules that hold for any bytes: the targets of the search. */
    .target(
        name: "FuzzTargets",
        dependencies: [
            "CPenstock", "CSVConnector", "ConnectorHTTP", "ConnectorKit", "ConnectorTesting", "PenstockABI",
            "PenstockEngine", "PenstockModel", "PenstockProject", "PenstockState", "PipedriveConnector",
        ],
        path: "Tests/Fuzz/Targets", swiftSettings: strict),
    /** Every kept input again, and a short search from them. */
    .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Replay", swiftSettings: strict),
    /** The house rules that a machine can hold. */
    .testTarget(name: "TidyTests", swiftSettings: strict),
]

/// The long search, which only `make fuzz` builds: it needs every module built for it.
let search: [Target] =
    fuzzer.map { library in
        [
            /** libFuzzer's entry, as a C function. */
            .systemLibrary(name: "CFuzzDriver", path: "Tests/Fuzz/Driver"),
            /** libFuzzer over one target. */
            .executableTarget(
                name: "penstock-fuzz", dependencies: ["CFuzzDriver", "FuzzTargets"], path: "Tests/Fuzz/Main",
                linkerSettings: [.unsafeFlags([library, "-lstdc++"])]),
        ]
    } ?? []

/// The row path without an API, which only `make bench` builds: it needs what the modules keep to themselves.
let benchmarks: [Target] =
    Context.environment["PENSTOCK_BENCHMARKS"] == nil
    ? []
    : [
        /** Rows of a table as the bodies of requests. */
        .executableTarget(
            name: "penstock-bodies",
            dependencies: [
                "CProcess", "ConnectorHTTP", "ConnectorTesting", "PenstockEngine", "PenstockHost", "PenstockModel",
                "PipedriveConnector",
            ],
            path: "Tests/Benchmarks/Bodies", swiftSettings: strict)
    ]

let package = Package(
    name: "penstock",
    products: [
        .executable(name: "penstock", targets: ["penstock"]),
        .executable(name: "penstock-sandbox-pipedrive", targets: ["penstock-sandbox-pipedrive"]),
        /** The fixture's library; its name keeps it out of the folders that are searched. */
        .library(name: "loopback-fixture", type: .dynamic, targets: ["LoopbackEntry"]),
    ] + connectors.map(\.product),
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: shared + connectorSide + hostSide + connectors.flatMap(\.targets) + sandbox + tests + search + benchmarks,
    swiftLanguageModes: [.v6]
)
