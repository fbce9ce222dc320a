// SPDX-License-Identifier: Apache-2.0
// A source that dies in its first batch while the registers and the stack hold the token of its connection.
static void die(const char *token);
#define ON_NEXT die(source_of_read->token)
#define ON_OPEN source_of_read = source
static const struct penstock_source *source_of_read;
#include "../BrokenConnectors/table_source.h"

/* What a handler that prints memory would print; SPILL makes the connector itself print it, for the proof of the scan. */
static void die(const char *token) {
    volatile char stack[256];
    unsigned long words[2];
    memcpy((void *)stack, token, sizeof stack);
    memcpy(words, token, sizeof words);
#ifdef SPILL
    for (const char *byte = token; *byte; byte++) fprintf(stderr, "%02x", (unsigned char)*byte);
#endif
#ifdef __x86_64__
    register unsigned long first __asm__("rsi") = words[0];
    register unsigned long second __asm__("rdx") = words[1];
    __asm__ volatile("movl $1, 0" : : "r"(first), "r"(second), "r"(stack) : "memory");
#else
    *(volatile int *)0 = 1;
#endif
    abort();
}
