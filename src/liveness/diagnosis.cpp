#include "liveness/diagnosis.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace lockstep::liveness {
namespace {

using Ranks = std::vector<int>;

const std::optional<Heartbeat>& of(const Heartbeats& all, int rank) {
  return all[static_cast<std::size_t>(rank)];
}

// The one of two ranks that has got less far; one without a heartbeat has got nowhere.
bool is_behind(const Heartbeats& all, int a, int b) {
  const auto place = [&](int rank) {
    const auto& heartbeat = of(all, rank);
    return heartbeat ? std::tuple(true, heartbeat->step, heartbeat->phase)
                     : std::tuple(false, std::size_t{0}, Activity::kSetUp);
  };
  return place(a) < place(b);
}

// "ranks 2, 3 on h1, at step 7 in reduction": the ranks of one host, and how far the last of them is.
std::string describe(const Heartbeats& all, const Ranks& ranks) {
  const int last =
      *std::min_element(ranks.begin(), ranks.end(), [&](int a, int b) { return is_behind(all, a, b); });
  const std::string text = fmt::format("{} {}", ranks.size() == 1 ? "rank" : "ranks", fmt::join(ranks, ", "));
  if (const auto& heartbeat = of(all, last))
    return fmt::format("{} on {}, at step {} in {}", text, heartbeat->host, heartbeat->step,
                       phase_name(heartbeat->phase));
  return fmt::format("{}, never seen", text);
}

// The same, host by host.
std::string describe_by_host(const Heartbeats& all, const Ranks& ranks) {
  std::vector<std::pair<std::string, Ranks>> hosts;  // in the order of their ranks
  for (const int rank : ranks) {
    const std::string host = of(all, rank) ? of(all, rank)->host : "";
    auto found =
        std::find_if(hosts.begin(), hosts.end(), [&](const auto& each) { return each.first == host; });
    if (found == hosts.end()) found = hosts.insert(hosts.end(), {host, {}});
    found->second.push_back(rank);
  }
  std::vector<std::string> texts;
  for (const auto& [host, its_ranks] : hosts) texts.push_back(describe(all, its_ranks));
  return fmt::format("{}", fmt::join(texts, "; "));
}

// The address that most ranks get no answer from, of several the one that the first of the ranks misses; "":
// none.
std::string unanswered_address(const Heartbeats& all) {
  std::map<std::string, int> ranks_without_answer;
  std::string address;
  for (const auto& heartbeat : all)
    if (heartbeat)
      for (const std::string& each : heartbeat->unanswered) {
        if (address.empty()) address = each;
        ++ranks_without_answer[each];
      }
  for (const auto& [each, ranks] : ranks_without_answer)
    if (ranks > ranks_without_answer[address]) address = each;
  return address;
}

// The ranks whose list of addresses, `addresses` or `unanswered`, has this one.
Ranks ranks_with(std::vector<std::string> Heartbeat::*list, const std::string& address,
                 const Heartbeats& all) {
  Ranks ranks;
  for (int rank = 0; rank < static_cast<int>(all.size()); ++rank)
    if (const auto& heartbeat = of(all, rank))
      if (const auto& addresses = (*heartbeat).*list;
          std::find(addresses.begin(), addresses.end(), address) != addresses.end())
        ranks.push_back(rank);
  return ranks;
}

std::string missing(const Heartbeats& after, const Ranks& silent) {
  if (!silent.empty())
    return fmt::format("{}, {} stopped or cannot be reached", describe_by_host(after, silent),
                       silent.size() == 1 ? "has" : "have");
  if (const std::string address = unanswered_address(after); !address.empty()) {
    const Ranks there = ranks_with(&Heartbeat::addresses, address, after);
    if (!there.empty())
      return fmt::format("{}, cannot be reached at {}", describe_by_host(after, there), address);
    const Ranks here = ranks_with(&Heartbeat::unanswered, address, after);
    return fmt::format("{}, {} no answer from {}", describe_by_host(after, here),
                       here.size() == 1 ? "gets" : "get", address);
  }
  int last = 0;
  for (int rank = 1; rank < static_cast<int>(after.size()); ++rank)
    if (is_behind(after, rank, last)) last = rank;
  return fmt::format("{}, hangs", describe(after, {last}));
}

}  // namespace

Diagnosis diagnose(const Heartbeats& before, const Heartbeats& after, int own) {
  Ranks alive, silent;
  for (int rank = 0; rank < static_cast<int>(after.size()); ++rank) {
    const bool beats = of(before, rank) && of(after, rank) && of(before, rank)->beat != of(after, rank)->beat;
    (beats || rank == own ? alive : silent).push_back(rank);
  }
  const bool reached = silent.empty() && unanswered_address(after).empty();
  const bool files = std::any_of(after.begin(), after.end(), [](const auto& heartbeat) {
    return heartbeat && (heartbeat->phase == Activity::kSetUp || heartbeat->phase == Activity::kWriting);
  });
  return {.speaker = alive.front(), .missing = missing(after, silent), .may_be_a_disk = reached && files};
}

}  // namespace lockstep::liveness
