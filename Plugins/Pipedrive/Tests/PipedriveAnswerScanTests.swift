// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import PipedriveConnector
import Testing

/// What is read from an answer without parsing it is what the parser finds, or nothing.
@Suite struct PipedriveAnswerScanTests {
    private func scan(_ text: String) -> PipedriveAnswerScan? { PipedriveAnswerScan(Array(text.utf8)) }

    @Test(arguments: [
        #"{"success":true,"data":{"id":9007199254740993,"name":"Zoë \"x\" \\","custom_fields":{"id":1,"a":[{},[]]}}}"#,
        #" { "data" : { "label_ids" : [ 1 , 2 ] , "id" : 9007199254740993 } , "success" : true , "x" : -1.5e+3 } "#,
    ])
    func theIdOfTheRecordIsFound(text: String) {
        #expect(scan(text)?.id == "9007199254740993")
        #expect(scan(text)?.isDeleted == false)
    }

    @Test func aDeletedRecordIsToldFromOthers() {
        #expect(scan(#"{"success":true,"data":{"is_deleted":true,"id":7}}"#)?.isDeleted == true)
        #expect(scan(#"{"success":true,"data":{"is_deleted":false,"id":7}}"#)?.isDeleted == false)
        #expect(scan(#"{"success":true,"data":{"id":7,"owner":{"is_deleted":true}}}"#)?.isDeleted == false)
    }

    @Test(arguments: [
        "", "<html>", "{}", "[]", "null", #"{"success":true}"#, #"{"success":false,"data":{"id":1}}"#,
        #"{"data":{"id":1}}"#, #"{"success":true,"data":{"id":1}"#, #"{"success":true,"data":{"id":1}}}"#,
        #"{"success":true,"data":[{"id":1}]}"#, #"{"success":true,"data":{"id":"1"}}"#,
        #"{"success":true,"data":{"id":01}}"#, #"{"success":true,"data":{"id":1,"id":2}}"#,
        #"{"success":true,"data":{"id":1},"data":{"id":2}}"#, #"{"success":true,"data":{"id":1,}}"#,
        #"{"success":true,"data":{"x":{"id":1}}}"#, "{\"success\":true,\"data\":{\"id\":1,\"n\":\"a\nb\"}}",
    ])
    func whatIsNotOfTheUsualShapeIsLeftToTheParser(text: String) { #expect(scan(text) == nil) }

    @Test func badTextIsLeftToTheParser() {
        let head = Array(#"{"success":true,"data":{"id":1,"name":""#.utf8)
        #expect(PipedriveAnswerScan(head + [0xC3, 0xA9] + Array("\"}}".utf8)) != nil)
        for bytes: [UInt8] in [[0xC3], [0xFF], [0xED, 0xA0, 0x80], [0xC0, 0x80]] {
            #expect(PipedriveAnswerScan(head + bytes + Array("\"}}".utf8)) == nil)
        }
    }

    @Test func whateverTheTextItSaysWhatTheParserSays() {
        let seed = PropertySeed.value
        var random = Numbers(seed)
        var found = 0
        for _ in 0..<20_000 {
            var text = Self.answer(&random)
            if random.below(3) == 0, !text.isEmpty { Self.spoil(&text, &random) }
            guard let scan = PipedriveAnswerScan(text) else { continue }
            found += 1
            // A key that occurs twice is an error to the parser, and of no interest here beside those that matter.
            guard let json = try? JSON(parsing: text) else { continue }
            let shown = String(decoding: text, as: UTF8.self)
            #expect(json["success"]?.boolValue == true, "PENSTOCK_SEED=\(seed): \(shown)")
            #expect(json["data"]?["id"]?.numberText == scan.id, "PENSTOCK_SEED=\(seed): \(shown)")
            let isDeleted = json["data"]?["is_deleted"]?.boolValue == true
            #expect(isDeleted == scan.isDeleted, "PENSTOCK_SEED=\(seed): \(shown)")
        }
        #expect(found > 2_000, "PENSTOCK_SEED=\(seed)")
    }

    private static let keys = ["success", "data", "id", "is_deleted", "name", "Zoë", "a\"b", "x"]

    private static func answer(_ random: inout Numbers) -> [UInt8] {
        var data = JSONObject()
        for _ in 0..<random.below(6) { data[keys[random.below(keys.count)]] = value(&random, 3) }
        if random.below(8) > 0 { data["id"] = .integer(random.below(1_000_000)) }
        var object = JSONObject()
        object["success"] = .bool(random.below(8) > 0)
        for _ in 0..<random.below(3) { object[keys[random.below(keys.count)]] = value(&random, 2) }
        object["data"] = random.below(8) > 0 ? .object(data) : value(&random, 2)
        return random.below(2) == 0 ? JSON.object(object).utf8 : Array(JSON.object(object).prettyText.utf8)
    }

    private static func value(_ random: inout Numbers, _ depth: Int) -> JSON {
        switch random.below(depth > 0 ? 8 : 6) {
        case 0: return .null
        case 1: return .bool(random.below(2) == 0)
        case 2: return .integer(random.below(10_000) - 5_000)
        case 3: return .double(Double(random.below(1_000_000)) / 128)
        case 4: return .string(keys[random.below(keys.count)])
        case 5: return .string("\u{1}tab\tline\n\"quote\" \\ ü 漢")
        case 6: return .array((0..<random.below(4)).map { _ in value(&random, depth - 1) })
        default:
            var object = JSONObject()
            for _ in 0..<random.below(4) { object[keys[random.below(keys.count)]] = value(&random, depth - 1) }
            return .object(object)
        }
    }

    private static func spoil(_ text: inout [UInt8], _ random: inout Numbers) {
        let place = random.below(text.count)
        switch random.below(3) {
        case 0: text[place] = UInt8(random.below(256))
        case 1: text.remove(at: place)
        default: text.insert(Array("{}[]\",:0tf\\".utf8)[random.below(11)], at: place)
        }
    }
}

/// Numbers that look random and are the same for the same seed.
struct Numbers {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }
}
