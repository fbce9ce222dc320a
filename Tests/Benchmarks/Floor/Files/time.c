// SPDX-License-Identifier: Apache-2.0
//
// The stopwatch: wall time, CPU time and peak memory of one command, as the kernel counts them.

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "floor.h"

static double seconds(struct timeval time) { return (double)time.tv_sec + (double)time.tv_usec / 1e6; }

int command_time(const char *out, char **command) {
    struct timespec start, end;
    struct rusage usage;
    int status;
    clock_gettime(CLOCK_MONOTONIC, &start);
    pid_t child = fork();
    if (child < 0) return complain("fork");
    if (child == 0) {
        /* It does not outlive the stopwatch. */
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        execvp(command[0], command);
        _exit(complain(command[0]) + 126);
    }
    while (wait4(child, &status, 0, &usage) < 0) {
        if (errno != EINTR) return complain("wait4");
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    FILE *file = fopen(out, "a");
    if (!file) return complain(out);
    fprintf(file, "{\"wall\": %.6f, \"user\": %.6f, \"system\": %.6f, \"rss_kib\": %ld, \"exit\": %d}\n",
            (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9,
            seconds(usage.ru_utime), seconds(usage.ru_stime), usage.ru_maxrss, code);
    fclose(file);
    return code;
}
