/*
 * core/shutdown.h - stop all containers in order, for a host that goes down
 *
 * Layer: core. boot.stop.priority: higher first; each gets boot.host_shutdown_timeout seconds, then
 * it is killed. Their wanted state stays "running", so that they come back with the host.
 */
#pragma once

struct core;

/* @done: called once when none runs any more. New operations are refused from now on. */
void shutdown_stop_all(struct core *core, void (*done)(void *data), void *data);
