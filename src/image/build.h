/*
 * image/build.h - from a template to an image file in the store
 *
 * Layer: image. Process: sysctr-worker, root; blocks for up to minutes. Three sandboxes, one after
 * the other, in <dir>/.new-build-<uuid>:
 *
 *   tools   the host's tree read-only: mmdebstrap, debootstrap or tar fill rootfs/
 *   inside  rootfs is all there is: packages, files and actions of the template
 *   pack    the tools again, without network: metadata.yaml and rootfs to one file, and its hash
 *
 *   D1  <dir>/<fingerprint> appears by rename when it is complete and synced; nothing else stays,
 *       but the log of a build that failed, in logs/ beside <dir>.
 *   D2  The directory of a build is locked while it is worked on; what was left behind by one that
 *       was killed is removed by the next.
 */
#pragma once

#include "base/err.h"
#include "image/report.h"
#include "spec/job.h"

/* JOB_IMAGE_BUILD as in spec/job.h. Errors name the template, the step and the log's path. */
int build_run(const struct job *job, struct report *report, struct err *err);
