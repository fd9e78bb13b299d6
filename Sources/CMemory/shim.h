#pragma once
#include <malloc.h>

// Gives back what is free.
static inline void kiteq_give_back_memory(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
