/* tests/fuzz/fuzz_backup.c - backup/index.yaml of strangers (spec/backup.h) */
#include <stdint.h>
#include <stdlib.h>

#include "spec/backup.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

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
	return 0;
}
