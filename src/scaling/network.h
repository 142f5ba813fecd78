// What messages cost, between hosts or within one.
#pragma once

#include <string>

namespace lockstep::scaling {

struct Network {
  std::string name;
  double latency = 0.0;           // seconds of a message
  double seconds_per_byte = 0.0;  // of a host's link in each direction, or of a host's ranks in its memory
  double stolen_per_byte = 0.0;   // seconds that a rank's backward loses to bytes that it moves meanwhile
};

// "1gbit", "10gbit", "25gbit", "100gbit", or GBIT:MICROSECONDS, a rate and a latency. Throws ConfigError.
Network network_of(const std::string& name);
inline constexpr const char* kNetworkNames = "1gbit, 10gbit, 25gbit, 100gbit or GBIT:MICROSECONDS";

// Where a job runs.
struct Cluster {
  int cores_per_host = 1;
  Network between_hosts, within_host;
};

}  // namespace lockstep::scaling
