// SPDX-License-Identifier: Apache-2.0
//
// The floor of a start.

int main(void) { return 0; }
