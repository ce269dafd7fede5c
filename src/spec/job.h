/*
 * spec/job.h - one job of a helper program: what sysctrd hands over and what comes back
 *
 * sysctrd starts the program that the job's row names with these descriptors, all others closed:
 *   0  the job's input stream (an upload's body), else /dev/null
 *   1  the job's output stream (an export), else /dev/null
 *   2  standard error of sysctrd
 *   3  a sealed memfd: the wire encoding of struct job
 *   4  SOCK_SEQPACKET: the helper sends struct job_report datagrams; the last one has done set
 * The helper exits 0 when its last report was done without an error, else 1. With job.stays it does
 * not exit after a success that it says stays of: it waits for another job, a datagram of one byte with
 * a memfd on descriptor 4, until that is closed. A helper that ends
 * without a done report has crashed. SIGTERM cancels: it cleans up what it made and exits. When
 * descriptor 4 is closed by the other side (sysctrd died), it does the same.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "codec/wire.h"

enum {
	JOB_SPEC_FD = 3,
	JOB_REPORT_FD = 4,
	JOB_REPORT_BYTES_MAX = 64 * 1024
};

enum job_kind {
	JOB_POOL_PREPARE, /* worker: make the pool's tree, find the driver, empty trash and .new-* */
	JOB_VOLUME_CREATE, /* worker: an instance's root from an image volume (or empty) */
	JOB_VOLUME_DELETE, /* worker: out of sight now (trash), report, then free the space; stage and
				those of the snapshots' names too */
	JOB_IMAGE_DELETE, /* worker: an image's volume in a pool (image) or its files (src) */
	JOB_IMAGE_STORE, /* unpack: stdin or src to dir as one or two files, hashed and inspected */
	JOB_IMAGE_UNPACK, /* unpack: stored files to an image volume of a pool */
	JOB_IMAGE_BUILD,  /* worker: a template to files in dir, as JOB_IMAGE_STORE leaves them */
	JOB_FETCH, /* fetch: url to the file dst, resumed, checked against sha256 or sha512 */
	JOB_SNAPSHOT_COPY, /* worker: volume or snapshot to stage, in the pass that pass says; with
				from_pool one there, which stands on image, or with neither
				from_volume nor snapshot the stage of that name there */
	JOB_SNAPSHOT_COMMIT, /* worker: stage becomes snapshot, or replaces volume */
	JOB_SNAPSHOT_DELETE, /* worker: stage and snapshots out of sight, report, free the space */
	JOB_SNAPSHOT_DIFF, /* worker: snapshot (on fingerprint) against snapshots or volume (on image);
				to the output: A, C or D, the path, NUL, for each difference */
	JOB_VOLUME_RENAME, /* worker: from_volume becomes volume */
	JOB_NONE_13, /* no more: an older sysctrd that an upgrade left running knows jobs by number */
	JOB_IMAGE_PUBLISH,   /* unpack: volume or snapshot to a file in dir, as JOB_IMAGE_STORE
				leaves them */
	JOB_INSTANCE_EXPORT, /* unpack: volume as a backup to standard output; with custom snapshot as
				that of a custom volume */
	JOB_VOLUME_REPLACE, /* worker: from_volume takes the place of volume, which is deleted */
	JOB_POOL_CREATE,    /* worker: JOB_POOL_PREPARE of a new pool, undone when it fails */
	JOB_POOL_DELETE,    /* worker: images and trash of a pool without volumes, then its tree */
	JOB_BACKUP_STORE,   /* unpack: standard input to standard output, a file, unread */
	JOB_BACKUP_INSPECT, /* unpack: the index of the backup on standard input, as spec/backup.h
				encodes it, to standard output */
	JOB_BACKUP_UNPACK,  /* unpack: the backup on standard input to volume and snapshots */
	JOB_STREAMS_FETCH,  /* fetch: the image alias or fingerprint of the simplestreams server
				url to dir/cache/<fingerprint>[.rootfs], as JOB_FETCH does */
	JOB_SIDE_WRITE, /* worker: side files of the pool, properties: object -> text, "": none */
	JOB_SIDE_READ, /* unpack: all of the pool's to standard output, as spec/recovery.h has it; pool
				may be one that was never prepared here, driver NULL: to be told */
	JOB_STREAMS_LIST,  /* fetch: what the simplestreams server url has for architecture, as
				spec/remote_image.h encodes it, to standard output, a file */
	JOB_CUSTOM_CREATE, /* worker: the custom volume volume: empty, or a copy of from_volume or
				snapshot, with copies of the snapshots in properties */
	JOB_CUSTOM_USAGE,  /* worker: what the custom volume volume takes */
	JOB_INSTANCE_TRANSFER, /* worker: volume in pool becomes a copy of from_volume in from_pool,
				which stands on image, by way of stage; snapshots in properties (->
				what they stand on) come along under their names */
	JOB_VOLUME_LIMIT,      /* worker: volume may take size_bytes from now on; 0: as it likes */
	JOB_POOL_GROW,	       /* worker: the pool's own file, in use, becomes size_bytes long */
	JOB_INSTANCE_USAGE,    /* worker: what the instance's volume takes */
	JOB_KIND_MAX
};

/* Objects of JOB_SIDE_WRITE: an instance's name, JOB_SIDE_CUSTOM with a custom volume's uuid, or */
#define JOB_SIDE_CUSTOM "custom/"
#define JOB_SIDE_POOL	"." /* the pool itself */

/* Where volumes are. */
struct job_pool {
	char *name;
	char *driver; /* "overlay"; JOB_POOL_PREPARE, _CREATE: "auto" too */
	char *dir;    /* absolute */
	bool own_dir; /* JOB_POOL_DELETE: the directory goes with the pool */
	char *disk;   /* block device or file with the btrfs to be mounted at dir; NULL: none */
	char *uuid;   /* of that btrfs */
	bool own_disk; /* it is a file: made by JOB_POOL_CREATE, size_bytes long; goes with the pool */
	bool wipe;     /* JOB_POOL_CREATE: whatever is on the device */
	bool full_quotas; /* for tests: its btrfs gets the quotas that older kernels have */
	bool made; /* JOB_POOL_PREPARE: there is a pool in dir, or what it is on is not there */
};
extern const struct wire_schema job_pool_schema;

struct job {
	uint32_t kind; /* enum job_kind */
	struct job_pool pool;
	char *volume;		  /* instance's volume name */
	char *image;		  /* fingerprint; NULL: none */
	uint64_t size_bytes;	  /* quota, 0: none; JOB_FETCH, JOB_IMAGE_STORE: most bytes to take;
			      JOB_IMAGE_UNPACK: most bytes unpacked; 0: no bound */
	char *dir;		  /* JOB_IMAGE_STORE and _BUILD: images directory of the daemon */
	char *src;		  /* a file to read, absolute; NULL: standard input */
	char *src_rootfs;	  /* JOB_IMAGE_UNPACK, _STORE: second file of a split image */
	char *dst;		  /* JOB_FETCH: file to write; "<dst>.part" until it is whole */
	char *boundary;		  /* JOB_IMAGE_STORE: the stream is multipart/form-data */
	char *fingerprint;	  /* expected; NULL: any */
	char *url;		  /* JOB_FETCH */
	char *checksum;		  /* JOB_FETCH: "sha256:<hex>" or "sha512:<hex>"; NULL: unchecked */
	char *template_text;	  /* JOB_IMAGE_BUILD: the YAML */
	char *template_dir;	  /* where it came from, for files: it refers to; NULL: none */
	struct strmap variables;  /* JOB_IMAGE_BUILD: name, release, variant, architecture, mirror;
			      JOB_IMAGE_PUBLISH: architecture, compression;
			      JOB_INSTANCE_EXPORT: index, backup (YAML), compression,
			      image.<snapshot> (what it stands on);
			      JOB_FETCH: index_url, flavor, checksum_url (spec/template.h);
			      JOB_STREAMS_LIST: architecture;
			      JOB_STREAMS_FETCH: alias, architecture,
			      have.<fingerprint> (not fetched again) */
	struct strmap properties; /* JOB_IMAGE_STORE: for an image without metadata.yaml;
			      JOB_BACKUP_UNPACK, JOB_INSTANCE_EXPORT: snapshots -> their
			      volumes, uuids; JOB_CUSTOM_CREATE: volumes of snapshots -> those
			      of their copies */
	uint32_t id_base;	  /* host ids that the sandbox of the job may use */
	uint32_t id_count;
	uint64_t reserve_bytes; /* stop with -ENOSPC before less than this is free */
	char *snapshot;		/* a snapshot's volume, a uuid */
	char *stage;		/* uuid of a copy in the making */
	uint32_t pass;		/* enum copy_pass of storage/policy.h */
	int64_t since_wall_ns;	/* before the live pass began */
	char **snapshots;	/* of _DELETE and VOLUME_DELETE: volumes that go */
	char *from_volume;	/* JOB_VOLUME_RENAME, _REPLACE: the volume that is there;
			      JOB_SNAPSHOT_COPY: what is copied, else volume or snapshot */
	bool refresh; /* JOB_SNAPSHOT_COPY: the copy will replace volume, whose files it takes
			      where they are the same */
	bool custom;  /* VOLUME_DELETE, _LIMIT, SNAPSHOT_COPY, _COMMIT, INSTANCE_EXPORT,
			BACKUP_INSPECT, _UNPACK: volume is, or becomes, a custom one */
	struct job_pool
		from_pool; /* JOB_CUSTOM_CREATE, SNAPSHOT_COPY, INSTANCE_TRANSFER: where that is
			which is copied; dir NULL: pool */
	bool keep_layer;   /* from_pool: the image is in pool too: copy what lies on it */
	bool forget;	   /* JOB_SNAPSHOT_COPY: it is to be another machine */
	bool stays;	   /* another job may follow */
};
extern const struct wire_schema job_schema;

/*
 * A message of a helper. Results by job:
 *   POOL_PREPARE  driver, quotas ("yes: how", "no: why")
 *   POOL_CREATE   the same
 *   VOLUME_LIMIT  size as it was asked for
 *   VOLUME_DELETE hidden=true as soon as the name is free, before the space is
 *   IMAGE_STORE   fingerprint, size, format (unified|split), and the image's metadata as
 *   IMAGE_PUBLISH   the same
 *   IMAGE_BUILD     "property.<key>", architecture, created (unix s), expiry, file, rootfs_file
 *   CUSTOM_USAGE  size
 *   SNAPSHOT_COMMIT size of a snapshot; replaced=true as soon as a volume is
 *   SNAPSHOT_DELETE hidden=true, as VOLUME_DELETE
 *   STREAMS_FETCH fingerprint, version, format (unified|split)
 *   FETCH         size, url (after redirects), version (when an index named one)
 */
struct job_report {
	bool done;
	char *stage; /* "download", "unpack", ...: a word for progress */
	uint64_t now_bytes;
	uint64_t total_bytes; /* 0: unknown */
	struct strmap result;
	int32_t code;  /* -errno; 0: fine */
	uint32_t kind; /* enum err_kind */
	char *text;    /* of the error; shown to the user as it is */
	bool stays;    /* done, and waits for another job */
};
extern const struct wire_schema job_report_schema;

/* What an archive may be compressed with; NULL-terminated. */
extern const char *const job_compressions[];

/* Errors: ERR_INVALID that names them. */
int job_check_compression(const char *compression, struct err *err);

/* One row per job: its name in events and traces, and the helper that does it. */
struct job_row {
	const char *name;
	const char *program; /* in the helper directory */
};
const struct job_row *job_row(enum job_kind kind);
