/* monitor/ring.c - see ring.h */
#include "monitor/ring.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

int ring_init(struct ring *ring, size_t size)
{
	void *bytes;

	assert((size & (size - 1)) == 0);
	bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bytes == MAP_FAILED)
		return -errno;
	*ring = (struct ring){ .bytes = bytes, .size = size };
	return 0;
}

void ring_done(struct ring *ring)
{
	if (ring->bytes)
		(void)munmap(ring->bytes, ring->size);
	*ring = (struct ring){ 0 };
}

void ring_put(struct ring *ring, const char *bytes, size_t len)
{
	if (len > ring->size) {
		ring->end += len - ring->size;
		bytes += len - ring->size;
		len = ring->size;
	}
	while (len > 0) {
		size_t at = (size_t)(ring->end & (ring->size - 1));
		size_t n = MIN(len, ring->size - at);

		memcpy(ring->bytes + at, bytes, n);
		ring->end += n;
		bytes += n;
		len -= n;
	}
}

void ring_clear(struct ring *ring)
{
	ring->cleared = ring->end;
}

uint64_t ring_oldest(const struct ring *ring)
{
	uint64_t oldest = ring->end > ring->size ? ring->end - ring->size : 0;

	return MAX(oldest, ring->cleared);
}

size_t ring_peek(const struct ring *ring, uint64_t *from, const char **ret_bytes)
{
	size_t at;

	*from = MAX(*from, ring_oldest(ring));
	if (*from >= ring->end)
		return 0;
	at = (size_t)(*from & (ring->size - 1));
	*ret_bytes = ring->bytes + at;
	return (size_t)MIN((uint64_t)(ring->size - at), ring->end - *from);
}

uint64_t ring_tail(const struct ring *ring, uint32_t lines, size_t max_bytes)
{
	uint64_t oldest = ring_oldest(ring);
	uint64_t from = ring->end;

	if (ring->end - oldest > max_bytes)
		oldest = ring->end - max_bytes;
	for (; from > oldest; from--) {
		/* A newline at the very end finishes the last line, it does not begin one. */
		if (ring->bytes[(from - 1) & (ring->size - 1)] != '\n' || from == ring->end)
			continue;
		if (--lines == 0)
			break;
	}
	return from;
}
