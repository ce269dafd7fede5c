/* monitor/request.h - what each request of spec/msg.h does; one row per message */
#pragma once

#include "monitor/ctl.h"
#include "monitor/session.h"

/* For struct ctl; @data: struct mon. */
void request_handle(void *data, const struct ctl_request *request);
void request_alone(void *data);
void request_make_event(void *data, struct ctl_conn *conn, enum msg_type type);

/* For struct sessions_callbacks; @data: struct mon. */
void request_session_started(void *data, struct session_started *started);
void request_session_exited(void *data, uint64_t id, int wait_status);
void request_session_listener(void *data, int listener_fd);
