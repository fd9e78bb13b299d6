#ifndef SHIFTED_CLOCK_H
#define SHIFTED_CLOCK_H

/// The environment variable that names the file with the clock's lead: eight bytes, seconds, in this machine's order.
#define SHIFTED_CLOCK_FILE "SHIFTED_CLOCK_FILE"

#endif
