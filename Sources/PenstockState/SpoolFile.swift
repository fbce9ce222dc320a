// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockModel

/// A nameless file for batches that were read and are not yet worked on.
///
/// It belongs to this user alone and vanishes with the process. Every batch has a checksum. Writes may come from one
/// thread and reads from another at the same time.
package final class SpoolFile: Sendable {
    /// Where a batch lies in the file.
    package struct Place: Sendable, Hashable {
        /// The first byte.
        package let offset: Int64
        /// How many bytes.
        package let count: Int

        /// The first byte behind it.
        package var end: Int64 { offset + Int64(count) }
    }

    private let descriptor: Int32
    private let folder: String

    /// Makes an empty file on the disk of `folder`.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)``.
    package init(folder: String) throws(StateError) {
        self.folder = folder
        var name = Array("\(folder)/penstock-spool-XXXXXX".utf8CString)
        descriptor = TemporaryFile.make(&name)
        guard descriptor >= 0 else { throw .system("Making a file in", folder, errno) }
        unlink(name)
    }

    deinit { Glibc.close(descriptor) }

    /// Writes a batch at `offset`, over whatever is there.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)``, for example because the disk is full.
    package func write(_ batch: SourceBatch, at offset: Int64) throws(StateError) -> Place {
        let bytes = RowEncoding.bytes(of: batch, .scratch)
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { room in
                pwrite(descriptor, room.baseAddress?.advanced(by: done), room.count - done, off_t(offset) + done)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .system("Reading ahead to", folder, count == 0 ? ENOSPC : errno) }
            done += count
        }
        return Place(offset: offset, count: bytes.count)
    }

    /// Reads a batch back.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)`` where the file cannot be read; `damaged` where it does not hold what
    ///   was written.
    package func read(_ place: Place, _ schema: Schema) throws(StateError) -> SourceBatch {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: place.count) { room, filled in
            while filled < place.count {
                let count = pread(
                    descriptor, room.baseAddress?.advanced(by: filled), place.count - filled,
                    off_t(place.offset) + filled)
                if count < 0 && errno == EINTR { continue }
                if count < 0 { failure = errno }
                if count <= 0 { return }
                filled += count
            }
        }
        guard failure == 0 else { throw .system("Reading back from", folder, failure) }
        guard bytes.count == place.count, let batch = RowEncoding.batch(bytes, schema, .scratch) else {
            throw .damaged("a batch that was read ahead does not hold what was written")
        }
        return batch
    }

    /// Gives the disk back what the file takes up.
    package func truncate() {
        // What cannot be given back now is given back with the file.
        _ = ftruncate(descriptor, 0)
    }
}

/// How rows lie in a ``SpoolFile``, and in the intent to send one.
///
/// The checksum of the rest comes first, then the numbers of rows and rejects, the columns, and the rejects. Numbers
/// are in the machine's own order: they are read where they were written.
package enum RowEncoding {
    /// What the checksum is for.
    package enum Purpose {
        /// The bytes may be read by another process, and by a later version: the function is that of ``Fingerprint``.
        case keeping
        /// The bytes are read back by this process: the function is as fast as memory.
        case scratch
    }

    /// The bytes of a batch.
    package static func bytes(of source: SourceBatch, _ purpose: Purpose = .keeping) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: checksumSize)
        bytes.reserveCapacity(size(of: source.batch))
        append([UInt32(source.batch.rowCount), UInt32(source.rejects.count)], to: &bytes)
        for column in source.batch.columns {
            append([UInt32(column.nullCount)], to: &bytes)
            append(column.validity, to: &bytes)
            switch column.type.layout {
            case .int64: append(column.int64s, to: &bytes)
            case .uint64: append(column.uint64s, to: &bytes)
            case .float64: append(column.float64s, to: &bytes)
            case .bytes:
                append(column.offsets, to: &bytes)
                append(column.bytes, to: &bytes)
            }
        }
        for reject in source.rejects {
            append([UInt32(reject.row)], to: &bytes)
            for text in [reject.column, reject.value, reject.message] {
                append([UInt32(text.utf8.count)], to: &bytes)
                bytes.append(contentsOf: text.utf8)
            }
        }
        let sum = checksum(of: bytes, purpose).bytes
        for index in 0..<checksumSize { bytes[index] = sum[index] }
        return bytes
    }

    /// The bytes of one row for ``Purpose/keeping``, behind `head`: those of ``bytes(of:_:)`` of a batch of this row.
    ///
    /// This is done for every row that is created, so no batch is made of it, and no column is copied.
    package static func bytes(of batch: RecordBatch, row: Int, after head: [UInt8] = []) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(head.count + checksumSize + 8 + 48 * batch.columns.count)
        bytes += head
        for _ in 0..<checksumSize { bytes.append(0) }
        append(UInt32(1), to: &bytes)
        append(UInt32(0), to: &bytes)
        batch.columns.withUnsafeBufferPointer { columns in
            for index in columns.indices { append(columns[index], row, to: &bytes) }
        }
        let sum = checksum(of: bytes, from: head.count)
        for place in 0..<8 {
            bytes[head.count + place] = UInt8(truncatingIfNeeded: sum.low >> (8 * place))
            bytes[head.count + 8 + place] = UInt8(truncatingIfNeeded: sum.high >> (8 * place))
        }
        return bytes
    }

    private static func append(_ column: borrowing Column, _ row: Int, to bytes: inout [UInt8]) {
        let isNull = column.isNull(row)
        append(UInt32(isNull ? 1 : 0), to: &bytes)
        if isNull { bytes.append(0) }
        switch column.type.layout {
        case .int64: append(isNull ? 0 : column.int64s[row], to: &bytes)
        case .uint64: append(isNull ? 0 : column.uint64s[row], to: &bytes)
        case .float64: append(isNull ? 0 : column.float64s[row], to: &bytes)
        case .bytes:
            let range = isNull ? 0..<0 : column.byteRange(row)
            append(Int32(0), to: &bytes)
            append(Int32(range.count), to: &bytes)
            column.bytes.withUnsafeBufferPointer { bytes.append(contentsOf: UnsafeBufferPointer(rebasing: $0[range])) }
        }
    }

    private static func append<Number: BitwiseCopyable>(_ number: Number, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) }
    }

    /// The batch, or nil where the bytes are not what ``bytes(of:)`` made.
    ///
    /// - Parameter schema: The batch's columns, as they were.
    package static func batch(
        _ bytes: [UInt8], _ schema: Schema, _ purpose: Purpose = .keeping
    ) -> SourceBatch? {
        guard bytes.count >= checksumSize, Array(bytes.prefix(checksumSize)) == checksum(of: bytes, purpose).bytes
        else { return nil }
        var reader = Reader(bytes: bytes, position: checksumSize)
        let rows = reader.number()
        let rejectCount = reader.number()
        let columns = schema.fields.map { field -> Column in
            let nullCount = reader.number()
            let validity: [UInt8] = nullCount == 0 ? [] : reader.array((rows + 7) >> 3)
            switch field.type.layout {
            case .int64:
                return Column(
                    field.type, count: rows, validity: validity, nullCount: nullCount, int64s: reader.array(rows))
            case .uint64:
                return Column(
                    field.type, count: rows, validity: validity, nullCount: nullCount, uint64s: reader.array(rows))
            case .float64:
                return Column(
                    field.type, count: rows, validity: validity, nullCount: nullCount, float64s: reader.array(rows))
            case .bytes:
                let offsets: [Int32] = reader.array(rows + 1)
                return Column(
                    field.type, count: rows, validity: validity, nullCount: nullCount, offsets: offsets,
                    bytes: reader.array(Int(offsets[rows])))
            }
        }
        let rejects = (0..<rejectCount).map { _ in
            SourceReject(row: reader.number(), column: reader.text(), value: reader.text(), message: reader.text())
        }
        return SourceBatch(RecordBatch(schema, columns), rejects: rejects)
    }

    private static let checksumSize = 16

    /// About how many bytes a batch takes, without its rejects.
    private static func size(of batch: RecordBatch) -> Int {
        batch.columns.reduce(64) { sum, column in
            let values = column.type.layout == .bytes ? column.bytes.count + 4 * (column.count + 1) : 8 * column.count
            return sum + values + column.validity.count + 4
        }
    }

    private static func checksum(of bytes: [UInt8], _ purpose: Purpose) -> Fingerprint {
        if purpose == .scratch { return bytes.withUnsafeBytes { fastChecksum(of: $0) } }
        return checksum(of: bytes, from: 0)
    }

    /// The checksum of what begins at `start`, the checksum's own place left out.
    private static func checksum(of bytes: [UInt8], from start: Int) -> Fingerprint {
        FingerprintHasher.digest(raw: bytes.span.extracting((start + checksumSize)..<bytes.count))
    }

    /// Four sums side by side, each of every fourth word: any change of one word changes one of them.
    private static func fastChecksum(of bytes: UnsafeRawBufferPointer) -> Fingerprint {
        var sums: (UInt64, UInt64, UInt64, UInt64) = (1, 2, 3, UInt64(bytes.count))
        func add(_ word: UInt64, to sum: inout UInt64) {
            let mixed = (sum ^ word) &* 0x9E37_79B9_7F4A_7C15
            sum = mixed << 29 | mixed >> 35
        }
        var place = checksumSize
        while place + 32 <= bytes.count {
            add(bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self), to: &sums.0)
            add(bytes.loadUnaligned(fromByteOffset: place + 8, as: UInt64.self), to: &sums.1)
            add(bytes.loadUnaligned(fromByteOffset: place + 16, as: UInt64.self), to: &sums.2)
            add(bytes.loadUnaligned(fromByteOffset: place + 24, as: UInt64.self), to: &sums.3)
            place += 32
        }
        while place < bytes.count {
            add(UInt64(bytes[place]), to: &sums.0)
            place += 1
        }
        return Fingerprint(low: sums.0 ^ sums.2 &* 3, high: sums.1 ^ sums.3 &* 3)
    }

    private static func append<Number: BitwiseCopyable>(_ numbers: [Number], to bytes: inout [UInt8]) {
        numbers.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    /// Takes apart bytes whose checksum is right, which therefore are what was written.
    private struct Reader {
        let bytes: [UInt8]
        var position: Int

        mutating func array<Number: BitwiseCopyable>(_ count: Int) -> [Number] {
            let size = count * MemoryLayout<Number>.stride
            defer { position += size }
            return [Number](unsafeUninitializedCapacity: count) { room, filled in
                bytes.withUnsafeBytes { all in
                    UnsafeMutableRawBufferPointer(room).copyMemory(
                        from: UnsafeRawBufferPointer(rebasing: all[position..<position + size]))
                }
                filled = count
            }
        }

        mutating func number() -> Int {
            let word: [UInt32] = array(1)
            return Int(word[0])
        }

        mutating func text() -> String {
            let count = number()
            defer { position += count }
            return String(decoding: bytes[position..<position + count], as: UTF8.self)
        }
    }
}
