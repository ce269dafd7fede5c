/* tests/fuzz/fuzz_backup.c - backup/index.yaml, side files and pool.yaml of strangers (spec/backup.h) */
#include <stdint.h>
#include <stdlib.h>

#include "spec/backup.h"
#include "spec/recovery.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void fuzz_pool(const uint8_t *bytes, size_t len)
{
	struct recovery recovery = { 0 }, copy = { 0 };
	struct buf encoded = { 0 };
	struct err err = { 0 };

	if (pool_record_parse(bytes, len, &recovery.pool, &err) < 0 && err.msg[0] == '\0')
		abort();
	wire_encode(&recovery_schema, &recovery, &encoded);
	if (wire_decode(&recovery_schema, encoded.data, encoded.len, &copy, &err) < 0 ||
	    copy.pool.config.len != recovery.pool.config.len)
		abort();
	wire_free(&recovery_schema, &copy);
	wire_free(&recovery_schema, &recovery);
	(void)wire_decode(&recovery_schema, bytes, len, &copy, &err);
	wire_free(&recovery_schema, &copy);
	buf_done(&encoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct backup_index index = { 0 }, copy = { 0 };
	struct buf encoded = { 0 };
	struct err err = { 0 };
	int r = backup_parse_index(bytes, len, &index, &err);

	if (r < 0 && err.msg[0] == '\0')
		abort();
	if (r == 0) {
		wire_encode(&backup_index_schema, &index, &encoded);
		if (wire_decode(&backup_index_schema, encoded.data, encoded.len, &copy, &err) < 0 ||
		    copy.snapshots.len != index.snapshots.len)
			abort();
	}
	wire_free(&backup_index_schema, &copy);
	wire_free(&backup_index_schema, &index);
	err = (struct err){ 0 };
	if (backup_parse_volume_index(bytes, len, &index, &err) < 0 && err.msg[0] == '\0')
		abort();
	/* what a sandbox that was taken over might say */
	(void)wire_decode(&backup_index_schema, bytes, len, &copy, &err);
	wire_free(&backup_index_schema, &copy);
	wire_free(&backup_index_schema, &index);
	buf_done(&encoded);
	fuzz_pool(bytes, len);
	return 0;
}
