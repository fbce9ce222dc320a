// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockProject

extension Workspace {
    /// The project for a look at its models; what is wrong with syncs does not stand in the way.
    ///
    /// - Throws: ``CommandFailure`` 78 where the project itself cannot be read.
    func projectForModels(takesAllModels: Bool = true) throws -> Project {
        let (project, diagnostics) = try loadProject(takesAllModels: takesAllModels)
        let isOfModels: (Diagnostic) -> Bool = { !$0.file.hasPrefix("syncs/") }
        try report(diagnostics.filter { $0.severity == .error && isOfModels($0) }, project)
        return project
    }

    /// The model with this name, one of dbt's by any of its names.
    ///
    /// - Throws: ``CommandFailure`` 64 where there is not exactly one.
    func usableModel(_ name: String, in project: Project) throws -> Model {
        let (model, problem) = project.model(calledBy: name)
        if let model { return model }
        guard let problem else { return try named(name, "model", project.models, \.name) }
        throw CommandFailure(
            .usage, code: problem.code, problem.message,
            notes: [problem.suggestion].compactMap { $0 } + problem.notes)
    }
}
