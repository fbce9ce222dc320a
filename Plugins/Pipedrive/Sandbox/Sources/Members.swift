// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension JSON {
    /// An object written as a literal; `object` alone would leave open whether the case or the function is meant.
    static func members(_ object: JSONObject) -> JSON { .object(object) }
}
