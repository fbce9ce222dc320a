// SPDX-License-Identifier: Apache-2.0
//
// The commands of `floor` that are no floors. Each returns an exit code.
#ifndef FILES_H
#define FILES_H

/* Writes companies as CSV to standard output; every nth is changed. */
int command_companies(char **words);
/* Puts such a file into a table of a new SQLite file. */
int command_load_sqlite(const char *csv, const char *database);
/* Runs a command, and appends wall time, CPU time and peak memory to a file. */
int command_time(const char *out, char **command);

#endif
