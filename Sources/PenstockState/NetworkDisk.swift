// SPDX-License-Identifier: Apache-2.0

import CLinux

/// The disks on which locks and a write-ahead log cannot be relied on.
package enum NetworkDisk {
    /// The name of the kind of network disk that a folder lies on, or nil where it lies on none, or is not there.
    package static func ofFolder(_ path: String) -> String? { name(penstock_file_system(path)) }

    /// The name of a kind of network disk, or nil for any other disk.
    package static func name(_ kind: UInt64) -> String? {
        switch kind {
        case 0x6969: "NFS"
        case 0x517B, 0xFF53_4D42, 0xFE53_4D42: "CIFS"
        case 0x5346_414F, 0x6B41_4653: "AFS"
        case 0x00C3_6400: "Ceph"
        case 0x0102_1997: "9P"
        case 0x0BD0_0BD0: "Lustre"
        default: nil
        }
    }
}
