// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Finds the folder of a project.
package enum ProjectLocator {
    /// The file that makes a folder a project.
    package static let fileName = "penstock.yml"

    /// The nearest folder, from `folder` upwards, that holds `penstock.yml`; nil where none does.
    package static func find(from folder: String) -> String? {
        var url = URL(fileURLWithPath: folder, isDirectory: true).standardizedFileURL
        while true {
            if FileManager.default.fileExists(atPath: url.appendingPathComponent(fileName).path) { return url.path }
            guard url.path != "/" else { return nil }
            url = url.deletingLastPathComponent().standardizedFileURL
        }
    }
}
