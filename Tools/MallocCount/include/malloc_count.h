#ifndef MALLOC_COUNT_H
#define MALLOC_COUNT_H

/// Calls of malloc, calloc, realloc and aligned_alloc by this thread since its start, of a program that links this.
unsigned long malloc_count(void);

#endif
