// SPDX-License-Identifier: Apache-2.0
// What Swift's module of the C library lacks for a service: parents, ends of processes, sockets in the file system.
#ifndef PENSTOCK_SERVICE_H
#define PENSTOCK_SERVICE_H

int penstock_die_with_parent(int signal_number);
int penstock_process_descriptor(int pid);
int penstock_memory_file(void);
int penstock_send_datagram(const char *path, const char *text);
int penstock_connect(const char *path);

#endif
