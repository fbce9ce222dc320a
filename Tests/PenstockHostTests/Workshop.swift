// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A folder of a test's own, which goes when the test has ended, and the tools to fill it.
final class Workshop {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    }

    deinit {
        // What is left behind lies in the system's folder for temporary files.
        try? FileManager.default.removeItem(at: folder)
    }

    /// The root of the package.
    static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    /// The folder that the tests were built into.
    static var products: URL {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    }

    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: folder.appendingPathComponent(name))
        return path(name)
    }

    func setMode(_ mode: Int, of path: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    /// Runs a program in the folder.
    ///
    /// - Returns: What it printed, and its exit status.
    @discardableResult
    func run(_ program: String, _ arguments: [String]) throws -> (text: String, status: Int32) {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (String(decoding: data, as: UTF8.self), process.terminationStatus)
    }

    /// Compiles C source into a library in the folder.
    @discardableResult
    func library(_ name: String, _ source: String, _ arguments: [String] = []) throws -> String {
        try write("\(name).c", source)
        let include = Self.package.appendingPathComponent("Sources/CPenstock/include").path
        let result = try run(
            "/usr/bin/cc",
            ["-shared", "-fPIC", "-fvisibility=hidden", "-I", include, "-o", "\(name).so", "\(name).c"]
                + arguments)
        guard result.status == 0 else { throw CocoaError(.executableLoad, userInfo: ["text": result.text]) }
        return path("\(name).so")
    }

    /// The text of a connector in C with this id, which can be opened for nothing.
    static func connector(_ id: String, _ more: String = "") -> String {
        """
        #include "penstock.h"
        \(more)
        static penstock_status open_it(const penstock_connector *c, const penstock_open_args *a, penstock_source **o,
                                       penstock_error *e) { return PENSTOCK_UNSUPPORTED; }
        static void close_it(penstock_source *s) {}
        static penstock_status check(penstock_source *s, penstock_text *o, penstock_error *e) { return 1; }
        static penstock_status discover(penstock_source *s, const penstock_str *i, uint32_t n, penstock_text *o,
                                        penstock_error *e) { return 1; }
        static penstock_status describe(penstock_source *s, const penstock_read_request *r, struct ArrowSchema *o,
                                        penstock_error *e) { return 1; }
        static penstock_status read_it(penstock_source *s, const penstock_read_request *r, penstock_read **o,
                                       struct ArrowArrayStream *t, penstock_error *e) { return 1; }
        static void cancel(penstock_read *r) {}
        static void error(penstock_read *r, penstock_error *e) {}
        const penstock_connector *penstock_connector_v1(void) {
            static const penstock_source_api source = {
                sizeof source, 0, open_it, close_it, check, discover, describe, read_it, cancel, error, cancel};
            static const penstock_connector connector = {
                sizeof connector, PENSTOCK_MAJOR, PENSTOCK_MINOR, 0, "\(id)", "Title", "1.0.0", "Summary.",
                PENSTOCK_CAP_SOURCE, "{\\"v\\":1,\\"type\\":\\"object\\"}", 0, &source, 0};
            return &connector;
        }
        """
    }
}
