/*
 * monitor/supervise.h - what happens to a container while it lives: states, events, moves
 *
 * Layer: monitor. supervise_move() is pure.
 *
 *              exec                freeze
 *   STARTING ───────► RUNNING ◄────────────► FROZEN
 *      │ failed          │  ▲    thaw          │ stop (thaws), kill
 *      │                 │  └───────────────┐  │
 *      │                 ├── stop ──► STOPPING ◄
 *      │          reboot │                 │ init is dead
 *      │     REBOOTING ◄─┴─────────────────┤
 *      │        │ exec ─► RUNNING          │   frozen for a copy: after the thaw
 *      ▼        ▼ failed                   ▼           mounts, groups gone
 *   STOPPED ◄──────────────────────────────┴──────────────► RELEASED ─► exit
 */
#pragma once

#include "spec/msg.h"

enum sup_event {
	SUP_STARTED,	/* init runs */
	SUP_FAILED,	/* its set-up failed */
	SUP_STOP_ASKED, /* the halt signal is to be sent */
	SUP_KILL_ASKED,
	SUP_FREEZE_ASKED,
	SUP_THAW_ASKED,
	SUP_DIED,     /* init ended, and it was no reboot */
	SUP_REBOOTED, /* init ended by reboot(2) */
	SUP_RELEASED,
	SUP_EVENT_MAX
};
const char *sup_event_name(enum sup_event event);

enum sup_action {
	SUP_REFUSE,  /* not in this state; the state stays */
	SUP_NOTHING, /* allowed, nothing to do */
	SUP_ENTER,   /* enter the next state */
	SUP_HALT,    /* send the halt signal, then enter */
	SUP_KILL,    /* kill all, then enter */
	SUP_FREEZE,
	SUP_THAW,
	SUP_RESTART, /* enter, then begin a new life; one that is frozen for a moment waits for the thaw */
	SUP_RESUME,  /* thaw, and begin the life that waited */
	SUP_RELEASE, /* enter, then take everything down */
	SUP_EXIT,    /* enter, then end the loop */
	SUP_ACTION_MAX
};

struct sup_move {
	enum sup_action action;
	enum mon_state next;
};

/* One cell of the matrix. */
struct sup_move supervise_move(enum mon_state state, enum sup_event event);
const char *sup_action_name(enum sup_action action);

struct mon;

/*
 * Something happened: do what the matrix says. @signal: SUP_STOP_ASKED, 0 for the init's own.
 * Errors: ERR_CONFLICT when it is refused in this state; what the action reports.
 */
int supervise_event(struct mon *mon, enum sup_event event, int signal, struct err *err);

/* The first life, then the loop until the container is released. Returns: process exit status. */
int supervise_run(struct mon *mon);
