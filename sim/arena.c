#include "sim/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The head of each block; what it hands out begins at the next multiple of 64. */
struct arena_block {
	struct arena_block *next;
	size_t size;
};

#define ARENA_BLOCK_MIN ((size_t)64 << 10)
#define ARENA_BLOCK_MAX ((size_t)8 << 20)
#define ARENA_HEAD 64
#define ARENA_PAGE 4096

static_assert(sizeof(struct arena_block) <= ARENA_HEAD, "the head fits before the first piece");

/* `exit` would run handlers beside other threads' runs; what they wrote so far must stay. */
_Noreturn static void arena_out_of_memory(const struct arena *arena, size_t size)
{
	fprintf(stderr, "error: out of memory: the system refused %zu bytes to a run that has %zu\n",
		size, arena->bytes);
	_Exit(3);
}

/* The smallest block that this thread gave back last, zeroed: what needs an arena for a moment, again and again, does
 * not ask the system each time. Nothing is in it, so nothing can be told by it. */
static _Thread_local struct arena_block *spare;

/* Pages come straight from the system, which zeroes each when it is first touched: calloc would
 * hand out memory of a run that has ended and clear all of it, used or not. */
static struct arena_block *arena_block_add(struct arena *arena, size_t size)
{
	if (size == ARENA_BLOCK_MIN && spare != NULL) {
		struct arena_block *block = spare;
		spare = NULL;
		block->next = arena->blocks;
		arena->blocks = block;
		arena->bytes += size;
		return block;
	}
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	struct arena_block *block = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (block == MAP_FAILED) {
		arena_out_of_memory(arena, size);
	}
	block->next = arena->blocks;
	block->size = size;
	arena->blocks = block;
	arena->bytes += size;
	return block;
}

void arena_finish(struct arena *arena)
{
	struct arena_block *block = arena->blocks;
	while (block) {
		struct arena_block *next = block->next;
		char *start = (char *)block;
		bool filling = arena->next >= start && arena->next <= start + block->size;
		if (filling && block->size == ARENA_BLOCK_MIN && spare == NULL) {
			memset(start + ARENA_HEAD, 0, (size_t)(arena->next - start) - ARENA_HEAD);
			spare = block;
		} else {
			munmap(block, block->size);
		}
		block = next;
	}
	*arena = (struct arena){0};
}

static char *arena_align(char *p, size_t alignment)
{
	return p + (-(uintptr_t)p & (alignment - 1));
}

/* The piece that doesn't fit the present block. Each block is as large as all before it, within
 * limits, so that small runs stay small; what would waste much of one gets a block of its own, and
 * the present one goes on being filled. */
static void *arena_alloc_block(struct arena *arena, size_t size)
{
	if (size > PTRDIFF_MAX - ARENA_HEAD - ARENA_PAGE) {
		arena_out_of_memory(arena, size);
	}
	size_t block_size = ARENA_BLOCK_MIN;
	while (block_size < arena->bytes && block_size < ARENA_BLOCK_MAX) {
		block_size *= 2;
	}
	if (size > block_size / 4) {
		size_t own_size = (ARENA_HEAD + size + ARENA_PAGE - 1) & ~(size_t)(ARENA_PAGE - 1);
		return (char *)arena_block_add(arena, own_size) + ARENA_HEAD;
	}
	char *start = (char *)arena_block_add(arena, block_size);
	arena->next = start + ARENA_HEAD + size;
	arena->end = start + block_size;
	return start + ARENA_HEAD;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	if (size == 0) {
		size = 1; /* a place of its own, so that pieces differ */
	}
	if (arena->next) {
		/* Blocks begin and end on pages, so that aligning never leaves one. */
		char *piece = arena_align(arena->next, size >= 64 ? 64 : 16);
		if (size <= (size_t)(arena->end - piece)) {
			arena->next = piece + size;
			return piece;
		}
	}
	return arena_alloc_block(arena, size);
}

char *arena_strdup(struct arena *arena, const char *text)
{
	size_t size = strlen(text) + 1;
	return memcpy(arena_alloc(arena, size), text, size);
}

void *arena_grow(struct arena *arena, void *old, size_t element_size, size_t n_used,
	size_t n_wanted, size_t *capacity)
{
	assert(element_size > 0);
	assert(n_used <= *capacity);
	if (n_wanted <= *capacity && old) {
		return old;
	}
	size_t n = *capacity < 8 ? 8 : *capacity;
	while (n < n_wanted) {
		n = n > SIZE_MAX / 2 ? n_wanted : n * 2;
	}
	size_t size;
	if (__builtin_mul_overflow(n, element_size, &size)) {
		arena_out_of_memory(arena, SIZE_MAX);
	}
	void *grown = arena_alloc(arena, size);
	if (n_used > 0) {
		memcpy(grown, old, n_used * element_size);
	}
	*capacity = n;
	return grown;
}
