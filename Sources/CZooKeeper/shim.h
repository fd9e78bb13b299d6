#ifndef KITEQ_CZOOKEEPER_SHIM_H
#define KITEQ_CZOOKEEPER_SHIM_H

// The multi-threaded client: declares the calls that libzookeeper_mt has and libzookeeper_st has not.
#ifndef THREADED
#define THREADED 1
#endif
#include <zookeeper/zookeeper.h>

// These two are mutable globals in C, which Swift 6 does not let through; nobody writes to them.
static inline const struct ACL_vector *kiteq_zoo_open_acl(void) { return &ZOO_OPEN_ACL_UNSAFE; }
static inline const struct ACL_vector *kiteq_zoo_creator_all_acl(void) { return &ZOO_CREATOR_ALL_ACL; }

// Who made a node may do all with it, everybody may read it: none of the vectors that the C client has.
static inline const struct ACL_vector *kiteq_zoo_creator_all_world_read_acl(void) {
    static struct ACL entries[] = {
        {0x1f, {(char *)"auth", (char *)""}},
        {0x01, {(char *)"world", (char *)"anyone"}},
    };
    static const struct ACL_vector vector = {2, entries};
    return &vector;
}

#endif
