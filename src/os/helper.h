/* os/helper.h - where our own helper programs are: beside the running binary, else installed */
#pragma once

/*
 * Absolute path of the helper @program ("sysctr-exec").
 *
 * When /proc/self/exe lies in a build tree (the program stands beside it there), that one counts,
 * else SYSCTR_LIBEXECDIR. Returns: new string; the file need not exist.
 */
char *helper_path(const char *program);
