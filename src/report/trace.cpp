#include "report/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

namespace lockstep::report {

std::string trace_json(std::span<const RankTimeline> ranks) {
  std::int64_t start = std::numeric_limits<std::int64_t>::max();
  for (const RankTimeline& rank : ranks)
    for (const liveness::TimelineEvent& event : rank.events)
      start = std::min(start, event.begin - rank.clock_ahead);

  std::string text = "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n";
  const auto out = std::back_inserter(text);
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    const nlohmann::json label = fmt::format("rank {} on {}", r, ranks[r].host);
    fmt::format_to(out, R"({{"ph": "M", "pid": {}, "name": "process_name", "args": {{"name": {}}}}})", r,
                   label.dump());
    text += ",\n";
    fmt::format_to(
        out, R"({{"ph": "M", "pid": {}, "name": "process_sort_index", "args": {{"sort_index": {}}}}})", r, r);
    std::size_t sums = 0;
    for (const liveness::TimelineEvent& event : ranks[r].events) {
      const auto microseconds = [](std::int64_t nanoseconds) {
        return 1e-3 * static_cast<double>(nanoseconds);
      };
      const double begin = microseconds(event.begin - ranks[r].clock_ahead - start);
      const double duration = microseconds(event.end - event.begin);
      text += ",\n";
      if (event.activity == liveness::Activity::kBucket) {
        const std::string common =
            fmt::format(R"("pid": {0}, "tid": 0, "cat": "sum", "id": "{0}.{1}", "name": "bucket {2}")", r,
                        sums++, event.number);
        fmt::format_to(out, "{{\"ph\": \"b\", {}, \"ts\": {:.3f}}},\n", common, begin);
        fmt::format_to(out, "{{\"ph\": \"e\", {}, \"ts\": {:.3f}}}", common, begin + duration);
      } else {
        fmt::format_to(out,
                       R"({{"ph": "X", "pid": {}, "tid": 0, "name": "{}", "ts": {:.3f}, "dur": {:.3f}, )", r,
                       name(event.activity), begin, duration);
        fmt::format_to(out, "\"args\": {{\"step\": {}}}}}", event.number);
      }
    }
    text += r + 1 < ranks.size() ? ",\n" : "\n";
  }
  return text + "]}\n";
}

}  // namespace lockstep::report
