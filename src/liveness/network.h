// What this process can tell of the network: addresses of its host, and those that do not answer it. On a
// network that is cut nothing fails: what was sent is sent again, for a quarter of an hour.
#pragma once

#include <string>
#include <vector>

namespace lockstep::liveness {

// The host's addresses, without those that only the host itself reaches.
std::vector<std::string> own_addresses();

// The addresses at the other ends of this process's TCP connections that have not acknowledged what was sent
// to them, so that it was sent again; each once. Linux only: nothing elsewhere.
std::vector<std::string> unanswered_addresses();

}  // namespace lockstep::liveness
