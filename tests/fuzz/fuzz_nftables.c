/* fuzz target: a chain as nfnetlink describes it */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "os/nftables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nftables_chain chain;

	/* Messages are aligned; the copies that the fuzzers hand in are, too. */
	if (nftables_parse_chain(data, size, &chain) < 0)
		return 0;
	if (memchr(chain.name, '\0', sizeof(chain.name)) == NULL ||
	    memchr(chain.table, '\0', sizeof(chain.table)) == NULL)
		abort();
	return 0;
}
