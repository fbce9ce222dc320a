// SPDX-License-Identifier: Apache-2.0

// A connector imports this module and nothing else of Penstock; its entry also imports the header, CPenstock.
@_exported import PenstockABI
@_exported import PenstockModel
