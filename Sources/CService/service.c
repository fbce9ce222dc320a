// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CService.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* Makes the kernel send this process a signal when the thread that started it ends; 0 on success. */
int penstock_die_with_parent(int signal_number) { return prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0); }

/* A descriptor that can be read from when the process ends, or -1 with errno. */
int penstock_process_descriptor(int pid) { return (int)syscall(434 /* pidfd_open */, pid, 0); }

/* A file without a name, in memory, or -1 with errno. */
int penstock_memory_file(void) { return (int)syscall(SYS_memfd_create, "penstock-run", 1u /* MFD_CLOEXEC */); }

/* The address of a socket in the file system; a leading '@' names the abstract space. Its length, or 0 where it is too
   long. */
static socklen_t penstock_unix_address(const char *path, struct sockaddr_un *address) {
    size_t length = strlen(path);
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (length == 0 || length >= sizeof address->sun_path) return 0;
    memcpy(address->sun_path, path, length);
    if (path[0] == '@') address->sun_path[0] = 0;
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (path[0] == '@' ? 0 : 1));
}

/* Sends one datagram to a socket in the file system; 0 on success. */
int penstock_send_datagram(const char *path, const char *text) {
    struct sockaddr_un address;
    socklen_t length = penstock_unix_address(path, &address);
    if (length == 0) return -1;
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    ssize_t sent = sendto(descriptor, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address, length);
    close(descriptor);
    return sent < 0 ? -1 : 0;
}

/* A stream to a socket in the file system, or -1 with errno. */
int penstock_connect(const char *path) {
    struct sockaddr_un address;
    socklen_t length = penstock_unix_address(path, &address);
    if (length == 0) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    if (connect(descriptor, (struct sockaddr *)&address, length) != 0) {
        int code = errno;
        close(descriptor);
        errno = code;
        return -1;
    }
    return descriptor;
}
