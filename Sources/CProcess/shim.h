// SPDX-License-Identifier: Apache-2.0
#include <sys/prctl.h>

/* Swift's module of the C library has no prctl. Keeps core files and looks of the same user out of this process; 0 on
   success. */
static inline int penstock_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

/* Closes every descriptor from `from` on in the program that is started with these file actions; 0 on success. glibc
   declares the function only for GNU sources; its own header, included here, would take types away from Glibc. */
int penstock_close_from(void *actions, int from) __asm__("posix_spawn_file_actions_addclosefrom_np");

#include <signal.h>
#include <unistd.h>

/* The texts of a block: each ends with a 0, the block with another one. */
static inline int penstock_texts(char *block, char **out_texts, int room) {
    int count = 0;
    while (*block && count < room - 1) {
        out_texts[count++] = block;
        while (*block) block++;
        block++;
    }
    out_texts[count] = 0;
    return count;
}

/* Starts the program at the absolute path `words` begins with, in a process group of its own, with signals as a shell
   has them. `words` and `variables` are blocks of texts. It reads `input`, and its outputs go to standard error. Returns
   its id, or -1 with errno. Between fork and exec only calls are made that are allowed there. */
static inline int penstock_start_program(char *words, char *variables, const char *folder, int input) {
    char *arguments[256], *environment[256];
    if (penstock_texts(words, arguments, 256) == 0) return -1;
    penstock_texts(variables, environment, 256);
    int child = fork();
    if (child != 0) return child;
    sigset_t none;
    sigemptyset(&none);
    setpgid(0, 0);
    for (int number = 1; number < 32; number++) signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, 0);
    dup2(input, 0);
    dup2(2, 1);
    for (int descriptor = 3; descriptor < 1024; descriptor++) close(descriptor);
    if (chdir(folder) == 0) execve(arguments[0], arguments, environment);
    _exit(127);
}
