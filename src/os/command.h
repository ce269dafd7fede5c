/*
 * os/command.h - run a program of the host and wait for it
 *
 * Layer: os. Worker processes; blocks.
 */
#pragma once

/*
 * Run @argv, looked for in the usual directories, with an empty standard input and a plain environment;
 * what it says goes to standard error. Returns: its exit status, 128 + the signal that ended it, or
 * -errno: -ENOENT when there is no such program. Plain.
 */
int command_run(const char *const *argv);
