#ifndef REROUTED_CONNECTIONS_H
#define REROUTED_CONNECTIONS_H

/// The environment variable that says where connections to ports of this machine go instead: "3001=4001,3002=4002".
#define REROUTED_CONNECTIONS "REROUTED_CONNECTIONS"

#endif
