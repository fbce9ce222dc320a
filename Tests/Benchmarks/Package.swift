// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// The benchmarks' own package: the floors, and a destination that takes everything. Nobody else builds it.

import PackageDescription

let strict: [CSetting] = [.unsafeFlags(["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"])]

/// The header is the whole contract, so the root package is not built for it.
let contract: [CSetting] = [
    .unsafeFlags(["-fvisibility=hidden", "-I", "\(Context.packageDirectory)/../../Sources/CPenstock/include"])
]

let package = Package(
    name: "penstock-benchmarks",
    products: [
        .executable(name: "floor", targets: ["floor"]),
        .executable(name: "floor-postgres", targets: ["floor-postgres"]),
        .executable(name: "floor-mariadb", targets: ["floor-mariadb"]),
        .executable(name: "floor-http", targets: ["floor-http"]),
        .executable(name: "floor-nothing", targets: ["floor-nothing"]),
        .library(name: "penstock-void", type: .dynamic, targets: ["VoidDestination"]),
    ],
    targets: [
        /** What the work on rows costs at the least: reading, comparing, writing down, rendering. */
        .target(name: "FloorCore", path: "Floor/Core", cSettings: strict),
        /** Of CSV and SQLite files; makes the rows that are measured with, and is the stopwatch. */
        .executableTarget(
            name: "floor", dependencies: ["FloorCore", "CSQLite"], path: "Floor/Files", cSettings: strict),
        /** Of PostgreSQL: a program of its own, so that no other floor loads its libraries. */
        .executableTarget(
            name: "floor-postgres", dependencies: ["FloorCore", "CPq"], path: "Floor/Postgres", cSettings: strict),
        /** Of MariaDB. */
        .executableTarget(
            name: "floor-mariadb", dependencies: ["FloorCore", "CMariaDB"], path: "Floor/MariaDB", cSettings: strict),
        /** Of delivery. */
        .executableTarget(name: "floor-http", dependencies: ["CCurl"], path: "Floor/HTTP", cSettings: strict),
        /** Of a start. */
        .executableTarget(name: "floor-nothing", path: "Floor/Nothing", cSettings: strict),
        /** A connector whose destination answers at once and keeps nothing. */
        .target(name: "VoidDestination", path: "Void", cSettings: strict + contract),
        .systemLibrary(name: "CCurl", path: "System/CCurl", pkgConfig: "libcurl"),
        .systemLibrary(name: "CMariaDB", path: "System/CMariaDB", pkgConfig: "mysqlclient"),
        .systemLibrary(name: "CPq", path: "System/CPq", pkgConfig: "libpq"),
        .systemLibrary(name: "CSQLite", path: "System/CSQLite", pkgConfig: "sqlite3"),
    ]
)
