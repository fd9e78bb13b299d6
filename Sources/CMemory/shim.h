#pragma once
#include <malloc.h>

// Blocks of so many bytes, and larger ones, come from the system each, and go back to it as soon as they are free. By itself glibc raises
// that bound with each such block, and keeps the next ones.
static inline void kiteq_keep_no_blocks_from(int bytes) {
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, bytes);
#else
    (void)bytes;
#endif
}

// Gives back what is free.
static inline void kiteq_give_back_memory(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
