// SPDX-License-Identifier: Apache-2.0

import CPenstock
import Glibc
import PenstockModel

extension ArrowSchema {
    /// The schema as a struct of Arrow, which whoever takes it gives back through its `release`.
    ///
    /// - Parameters:
    ///   - withRejects: Whether the column for rejects is added at the end.
    ///   - openWriters: What a stream says of its snapshot.
    package init(_ schema: Schema, withRejects: Bool, openWriters: OpenWriters? = nil) {
        var fields = schema.fields
        if withRejects { fields.append(Schema.Field(SourceReject.columnName, .text)) }
        let children = UnsafeMutablePointer<UnsafeMutablePointer<ArrowSchema>?>.allocate(capacity: fields.count)
        for (index, field) in fields.enumerated() {
            let child = UnsafeMutablePointer<ArrowSchema>.allocate(capacity: 1)
            child.initialize(to: ArrowSchema(field))
            children[index] = child
        }
        self.init()
        format = copiedCString("+s")
        name = copiedCString("")
        if let openWriters { metadata = copied(ArrowMetadata.encoded(openWriters.metadata)) }
        n_children = Int64(fields.count)
        self.children = children
        release = releaseSchema
    }

    private init(_ field: Schema.Field) {
        let (format, tag) = ArrowFormat.sent(field.type)
        var pairs: [(String, String)] = []
        if let tag { pairs.append((ArrowFormat.typeKey, tag)) }
        if !field.nativeType.isEmpty { pairs.append((ArrowFormat.nativeTypeKey, field.nativeType)) }
        self.init()
        self.format = copiedCString(format)
        name = copiedCString(field.name)
        if !pairs.isEmpty { metadata = copied(ArrowMetadata.encoded(pairs)) }
        flags = field.isNullable ? Int64(ARROW_FLAG_NULLABLE) : 0
        release = releaseSchema
    }
}

private func copiedCString(_ text: String) -> UnsafePointer<CChar> { copied(Array(text.utf8) + [0]) }

private func copied(_ bytes: [UInt8]) -> UnsafePointer<CChar> {
    let room = UnsafeMutableRawPointer.allocate(byteCount: bytes.count, alignment: 8)
    room.copyMemory(from: bytes, byteCount: bytes.count)
    return UnsafePointer(room.assumingMemoryBound(to: CChar.self))
}

/// Frees what the two initialisers above allocated; children that were moved out free themselves later.
private func releaseSchema(_ schema: UnsafeMutablePointer<ArrowSchema>?) {
    guard let schema else { return }
    schema.pointee.format?.deallocate()
    schema.pointee.name?.deallocate()
    schema.pointee.metadata?.deallocate()
    for index in 0..<Int(schema.pointee.n_children) {
        guard let child = schema.pointee.children[index] else { continue }
        child.pointee.release?(child)
        child.deallocate()
    }
    schema.pointee.children?.deallocate()
    schema.pointee = ArrowSchema()
}
