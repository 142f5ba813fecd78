#include "scaling/network.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <system_error>

#include "base/error.h"

namespace lockstep::scaling {

// Rates that TCP, and verbs at 100 Gbit/s, give of a link's; latencies of a small message as users report
// them.
Network network_of(const std::string& name) {
  struct Preset {
    const char* name;
    double gbit, microseconds;
  };
  constexpr Preset kPresets[] = {
      {"1gbit", 0.94, 50}, {"10gbit", 9.4, 20}, {"25gbit", 23.5, 8}, {"100gbit", 96, 2}};
  for (const Preset& preset : kPresets)
    if (name == preset.name) return {name, 1e-6 * preset.microseconds, 8e-9 / preset.gbit, 0.0};
  double gbit = 0.0, microseconds = 0.0;
  const char *begin = name.data(), *end = begin + name.size();
  const auto rate = std::from_chars(begin, end, gbit);
  if (rate.ec == std::errc() && rate.ptr != end && *rate.ptr == ':') {
    const auto latency = std::from_chars(rate.ptr + 1, end, microseconds);
    if (latency.ec == std::errc() && latency.ptr == end && gbit > 0.0 && microseconds >= 0.0 &&
        std::isfinite(gbit) && std::isfinite(microseconds))
      return {name, 1e-6 * microseconds, 8e-9 / gbit, 0.0};
  }
  throw ConfigError(fmt::format("the network is \"{}\", expected {}", name, kNetworkNames));
}

}  // namespace lockstep::scaling
