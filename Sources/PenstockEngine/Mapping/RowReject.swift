// SPDX-License-Identifier: Apache-2.0

/// Why a row cannot be sent, found while mapping it.
///
/// The source's value stands in ``value`` only, never in ``message``, so that it can be masked.
package struct RowReject: Error, Sendable, Hashable {
    /// The kinds of faults of a cell.
    ///
    /// The raw values are stable: they are stored with rejects.
    package enum Code: String, Sendable, Hashable, CaseIterable {
        /// Not a plain decimal number.
        case notANumber = "not-a-number"
        /// A number with a fraction where an integer belongs.
        case notAnInteger = "not-an-integer"
        /// A number, date or time outside what the field holds.
        case outOfRange = "out-of-range"
        /// Not a date.
        case notADate = "not-a-date"
        /// A time of day where a date belongs.
        case hasTime = "has-time"
        /// Not a time of day, or one with a fraction of a second.
        case notATime = "not-a-time"
        /// Not a date and time.
        case notAnInstant = "not-an-instant"
        /// A time without a zone where an instant belongs.
        case zoneMissing = "zone-missing"
        /// Neither true nor false.
        case notABoolean = "not-a-boolean"
        /// Not one of the field's options.
        case optionUnknown = "option-unknown"
        /// Several options are called so.
        case optionAmbiguous = "option-ambiguous"
        /// Not an active user.
        case ownerInvalid = "owner-invalid"
        /// Several active users have this e-mail address.
        case ownerAmbiguous = "owner-ambiguous"
        /// More characters than the field holds.
        case tooLong = "too-long"
        /// The character U+0000.
        case nulCharacter = "nul-character"
        /// Not the id of a record.
        case notAnID = "not-an-id"
        /// Not a list of what the field holds.
        case listInvalid = "list-invalid"
        /// Not an address.
        case addressInvalid = "address-invalid"
        /// Not two dates or two times.
        case rangeInvalid = "range-invalid"
        /// Not an amount.
        case moneyInvalid = "money-invalid"
        /// Not a currency code.
        case currencyInvalid = "currency-invalid"
        /// Not JSON.
        case jsonInvalid = "json-invalid"
        /// An empty text where the field is no text; an empty text is not NULL.
        case emptyValue = "empty-value"
        /// A field that a record must have is NULL, empty or blank.
        case requiredEmpty = "required-empty"
        /// The row that the field links to was refused, or its fate is not known.
        case linkBlocked = "link-blocked"
        /// The sync that the field links to has no row with this key.
        case linkMissing = "link-missing"
        /// NULL with `on_null: clear`, and the field cannot be cleared.
        case cannotClear = "cannot-clear"
        /// A value for a field that may have one only with some values of another field.
        case conditionUnmet = "condition-unmet"
    }

    /// How much of a value is kept, in characters.
    package static let valueMax = 80

    /// What is wrong.
    package let code: Code
    /// The target field, as the map spells it.
    package let field: String
    /// The value as text, cut to ``valueMax`` characters; empty for NULL.
    package let value: String
    /// One sentence for people, without the value.
    package let message: String

    /// A reject of `value` for `field`.
    package init(code: Code, field: String, value: String, message: String) {
        self.code = code
        self.field = field
        self.value = value.count > RowReject.valueMax ? value.prefix(RowReject.valueMax - 1) + "…" : value
        self.message = message
    }
}

/// A fault of a cell, before it is known whose cell it is.
struct CellFault: Error {
    let code: RowReject.Code
    let message: String
    /// The element at fault, where it is not the whole cell.
    let element: String?

    init(_ code: RowReject.Code, _ message: String, element: String? = nil) {
        self.code = code
        self.message = message
        self.element = element
    }
}
