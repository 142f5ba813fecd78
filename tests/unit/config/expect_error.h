// What the tests of the configuration share.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/run_config.h"
#include "support.h"

namespace lockstep::test {

using Overrides = std::vector<std::string>;

inline nlohmann::ordered_json resolved(const std::string& text, const Overrides& overrides = {}) {
  nlohmann::ordered_json values;
  config::parse(text, "run.toml", overrides, &values);
  return values;
}

// Fails unless the configuration is refused with a line that has these parts.
inline void expect_error(const std::string& text, const Overrides& overrides,
                         std::initializer_list<std::string> parts) {
  SCOPED_TRACE(text);
  expect_line_with(message_of<ConfigError>([&] { config::parse(text, "run.toml", overrides); }), parts);
}

}  // namespace lockstep::test
