// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel

extension JSONObject {
    /// Appends the members `counts` and `rejects`, which the documents of a plan and of a run have in common.
    mutating func append(_ counts: RunCounts, rejectsByCode: [(code: String, count: Int64)]) {
        var numbers = JSONObject()
        for (name, value) in counts.named { numbers[name] = .integer(value) }
        append("counts", .object(numbers))
        append(
            "rejects",
            .array(rejectsByCode.map { .object(["code": .string($0.code), "count": .integer($0.count)]) }))
    }
}
