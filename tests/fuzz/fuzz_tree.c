/*
 * fuzz target: a tree stream to its receiver, on the host's side and inside; the first byte says which
 *
 * Whatever is in it: nothing is made or changed outside of the target, and on the host no set-id bit
 * comes out of it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/macro.h"
#include "files/tree.h"
#include "fuzz_root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(fuzz_root_done) struct fuzz_root root = { 0 };
	bool confined = size > 0 && data[0] & 1;
	struct tree_receive_plan plan = {
		/* else a directory without modes could not be removed again */
		.archive = size > 0 && data[0] & 2 && geteuid() == 0,
		.fixed_modes = geteuid() != 0,
		.confined = confined,
		.uid = FILES_NO_ID,
		.gid = FILES_NO_ID,
		.mode = FILES_NO_MODE,
	};
	struct tree_result theirs = { 0 };
	struct tree_count count = { 0 };
	struct stream_in in;
	struct err err = { 0 };

	fuzz_root_init(&root, data + (size > 0), size - (size > 0));
	plan.dir_fd = root.dir_fd;
	stream_in_init(&in, root.in_fd);
	(void)tree_receive(&in, &plan, &count, &theirs, &err);
	stream_in_done(&in);
	wire_free(&tree_result_schema, &theirs);
	if (confined)
		fuzz_root_check_modes(&root);
	return 0;
}
