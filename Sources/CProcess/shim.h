// SPDX-License-Identifier: Apache-2.0
#include <sys/prctl.h>

/* Swift's module of the C library has no prctl. Keeps core files and looks of the same user out of this process; 0 on
   success. */
static inline int penstock_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

/* glibc's mallopt; its own header, included here, would take types away from Glibc. */
int penstock_mallopt(int option, int value) __asm__("mallopt");

/* Lets the allocator keep so many freed bytes: M_TRIM_THRESHOLD and M_MMAP_THRESHOLD. Where it refuses, only speed is
   lost. */
static inline void penstock_keep_freed(int bytes) {
    penstock_mallopt(-1, bytes);
    penstock_mallopt(-3, bytes);
}

/* Closes every descriptor from `from` on in the program that is started with these file actions; 0 on success. glibc
   declares the function only for GNU sources; its own header, included here, would take types away from Glibc. */
int penstock_close_from(void *actions, int from) __asm__("posix_spawn_file_actions_addclosefrom_np");

/* What starts a program. The headers that declare these would take types away from Glibc, as above. */
int penstock_fork(void) __asm__("fork");
int penstock_set_group(int process, int group) __asm__("setpgid");
int penstock_duplicate(int descriptor, int as) __asm__("dup2");
int penstock_close(int descriptor) __asm__("close");
int penstock_change_folder(const char *path) __asm__("chdir");
int penstock_execute(const char *path, char *const *arguments, char *const *environment) __asm__("execve");
void penstock_leave(int code) __asm__("_exit");
void *penstock_handle_signal(int number, void *handler) __asm__("signal");
int penstock_mask_signals(int how, const void *set, void *before) __asm__("sigprocmask");

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
    int child = penstock_fork();
    if (child != 0) return child;
    /* An empty set, as large as glibc's; 2 is SIG_SETMASK, and a null handler is SIG_DFL. */
    unsigned long none[16] = {0};
    penstock_set_group(0, 0);
    for (int number = 1; number < 32; number++) penstock_handle_signal(number, 0);
    penstock_mask_signals(2, none, 0);
    penstock_duplicate(input, 0);
    penstock_duplicate(2, 1);
    for (int descriptor = 3; descriptor < 1024; descriptor++) penstock_close(descriptor);
    if (penstock_change_folder(folder) == 0) penstock_execute(arguments[0], arguments, environment);
    penstock_leave(127);
    return -1;
}
