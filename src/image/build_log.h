/* image/build_log.h - what the output of a build says about its progress and its end (pure) */
#pragma once

/* The stage that the newest line of @text with a meaning announces, or NULL. A static word. */
const char *build_log_stage(const char *text);

/*
 * The lines of @text that tell why it failed, else its last ones; at most three, joined by "; ",
 * without control characters, at most 300 bytes. New string.
 */
char *build_log_reason(const char *text);
