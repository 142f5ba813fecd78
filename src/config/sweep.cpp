#include "config/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <sstream>
#include <string_view>

#include "base/elementary.h"
#include "base/error.h"
#include "base/random.h"
#include "config/reader.h"

namespace lockstep::config {
namespace {

// A TOML string of one line.
std::string quoted(const std::string& text) {
  const auto special = [](char c) { return c == '\'' || static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
  if (std::none_of(text.begin(), text.end(), special)) return fmt::format("'{}'", text);
  std::string line;
  for (const char c : text) {
    if (c == '"' || c == '\\')
      line.append(1, '\\').append(1, c);
    else if (static_cast<unsigned char>(c) < ' ' || c == '\x7f')
      line += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      line += c;
  }
  return fmt::format("\"{}\"", line);
}

std::string key_text(const std::string& key) {
  const auto bare = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
  };
  return !key.empty() && std::all_of(key.begin(), key.end(), bare) ? key : quoted(key);
}

// On one line, numbers as short as they go.
std::string toml_text(const toml::node& node) {
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", **number);
  if (const auto* text = node.as_string()) return quoted(**text);
  std::string list;
  if (const auto* array = node.as_array()) {
    for (const toml::node& element : *array) list += (list.empty() ? "" : ", ") + toml_text(element);
    return "[" + list + "]";
  }
  if (const auto* table = node.as_table()) {
    for (const auto& [key, value] : *table)
      list += fmt::format("{}{} = {}", list.empty() ? "" : ", ", key_text(std::string(key.str())),
                          toml_text(value));
    return "{ " + list + " }";
  }
  std::ostringstream out;
  node.visit([&out](const auto& value) { out << value; });
  return out.str();
}

// { uniform = [LOW, HIGH] } and its like.
Parameter parse_range(const std::string& where, const std::string& key, const std::string& kind,
                      const toml::node& range) {
  Parameter parameter{.kind = {}, .key = key, .where = where, .values = {}};
  const toml::array* ends = range.as_array();
  const auto refuse = [&](const std::string& expected) {
    throw ConfigError(fmt::format("{}: parameters.{} is {{ {} = {} }}, expected {}", where, key, kind,
                                  toml_text(range), expected));
  };
  if (kind == "uniform")
    parameter.kind = Parameter::Kind::kUniform;
  else if (kind == "log_uniform")
    parameter.kind = Parameter::Kind::kLogUniform;
  else if (kind == "integer")
    parameter.kind = Parameter::Kind::kInteger;
  else
    refuse("a list of values, or a range: uniform, log_uniform or integer = [LOW, HIGH]");
  if (ends == nullptr || ends->size() != 2 || !ends->get(0)->is_number() || !ends->get(1)->is_number())
    refuse("a pair of numbers [LOW, HIGH]");
  if (parameter.kind == Parameter::Kind::kInteger) {
    constexpr std::uint64_t kMax = 0xffffffff;  // a draw's
    const auto* low = ends->get(0)->as_integer();
    const auto* high = ends->get(1)->as_integer();
    if (low == nullptr || high == nullptr) refuse("integers");
    if (**low >= **high) refuse("LOW below HIGH");
    const std::uint64_t distance = static_cast<std::uint64_t>(**high) - static_cast<std::uint64_t>(**low);
    if (distance >= kMax) refuse("integers less than 2^32 - 1 apart");
    parameter.first = **low;
    parameter.count = static_cast<std::uint32_t>(distance + 1);
    return parameter;
  }
  const double low = parameter.low = *ends->get(0)->value<double>();
  const double high = parameter.high = *ends->get(1)->value<double>();
  if (!std::isfinite(low) || !std::isfinite(high)) refuse("finite numbers");
  if (!(low < high)) refuse("LOW below HIGH");
  if (!std::isfinite(high - low)) refuse("a finite difference");
  if (parameter.kind == Parameter::Kind::kLogUniform && !(low > 0.0)) refuse("LOW above 0");
  if (parameter.kind == Parameter::Kind::kLogUniform && !(high / low < 1e300))
    refuse("HIGH below 1e300 times LOW");
  return parameter;
}

// Of a parameter without braces the list is a value of the reader; { kind = [...] } comes flattened as
// key.kind.
Parameter parse_parameter(const std::string& where, const std::string& key, const toml::node& node) {
  if (const toml::array* list = node.as_array(); list != nullptr && !list->empty()) {
    Parameter parameter{.kind = Parameter::Kind::kList, .key = key, .where = where, .values = {}};
    for (const toml::node& value : *list) parameter.values.push_back(toml_text(value));
    return parameter;
  }
  throw ConfigError(
      fmt::format("{}: parameters.{} is {}, expected a list of values", where, key, toml_text(node)));
}

bool is_range(const std::string& key) {
  return key.ends_with(".uniform") || key.ends_with(".log_uniform") || key.ends_with(".integer");
}

// Keys that every run decides for itself, or that change no result.
void refuse_key(const std::string& where, const std::string& section, const std::string& key) {
  for (const char* prefix : {"compute.", "log.", "data.fold"})
    if (key.starts_with(prefix))
      throw ConfigError(
          fmt::format("{}: {}.{} cannot be searched, expected a key that is part of the experiment{}", where,
                      section, key, key.starts_with("data.fold") ? " (folds = K cross-validates)" : ""));
}

std::string draw(const Parameter& parameter, const RandomStream& stream, std::uint32_t index) {
  const double u = stream.uniform(index), span = parameter.high - parameter.low;
  switch (parameter.kind) {
    case Parameter::Kind::kList:
      return parameter.values[stream.below(index, static_cast<std::uint32_t>(parameter.values.size()))];
    case Parameter::Kind::kUniform:
      return fmt::format("{:.6g}", parameter.low + span * u);
    case Parameter::Kind::kLogUniform:
      return fmt::format("{:.6g}",
                         parameter.low * stable_exp(u * stable_log(parameter.high / parameter.low)));
    case Parameter::Kind::kInteger:
      return std::to_string(parameter.first + stream.below(index, parameter.count));
  }
  return "";
}

}  // namespace

std::size_t Sweep::size() const {
  if (search == Search::kRandom) return trials;
  std::size_t product = 1;
  for (const Parameter& parameter : parameters) product *= parameter.values.size();
  return product;
}

std::vector<std::string> Sweep::values(std::size_t trial) const {
  std::vector<std::string> values;
  const RandomStream stream(seed, Purpose::kSearch, static_cast<std::uint32_t>(trial));
  std::size_t rest = size();  // combinations of the parameters that follow; the last one changes fastest
  for (const Parameter& parameter : parameters) {
    if (search == Search::kRandom) {
      values.push_back(draw(parameter, stream, static_cast<std::uint32_t>(values.size())));
      continue;
    }
    rest /= parameter.values.size();
    values.push_back(parameter.values[trial / rest % parameter.values.size()]);
  }
  return values;
}

Sweep parse_sweep(const std::string& text, const std::string& name) {
  Reader in(text, name, {});
  Sweep sweep;
  sweep.file = name;
  in.read("config", sweep.config);
  if (sweep.config.empty())
    throw ConfigError(fmt::format("{}: config is not set, expected a configuration's file", name));
  sweep.config = (std::filesystem::path(name).parent_path() / sweep.config).lexically_normal();
  in.read<Sweep::Search>("search", sweep.search,
                         {{"grid", Sweep::Search::kGrid}, {"random", Sweep::Search::kRandom}});
  const bool random = sweep.search == Sweep::Search::kRandom;
  if (random) {
    sweep.trials = 20;
    in.read("trials", sweep.trials, 1);
    in.read("seed", sweep.seed, 0);
  }
  in.read_name("score", sweep.score,
               {"test_accuracy", "test_loss", "test_largest_error", "train_accuracy", "train_loss"});
  in.read("seeds", sweep.seeds, 0);
  in.check("seeds", [&] {
    for (auto seed = sweep.seeds.begin(); seed != sweep.seeds.end(); ++seed)
      if (std::find(sweep.seeds.begin(), seed, *seed) != seed)
        throw ConfigError(fmt::format("seeds has {} twice, expected different ones", *seed));
  });
  in.read("folds", sweep.folds, 0);
  in.check("folds", [&] {
    if (sweep.folds == 1) throw ConfigError("folds is 1, expected at least 2, or 0 for no cross-validation");
  });
  for (const auto& [key, value, where] : in.read_section("set")) {
    refuse_key(where, "set", key);
    sweep.overrides.push_back(key + "=" + toml_text(*value));
    sweep.origins.push_back(where);
  }
  for (const auto& [key, value, where] : in.read_section("parameters")) {
    const bool range = is_range(key);
    const std::string parameter = range ? key.substr(0, key.rfind('.')) : key;
    refuse_key(where, "parameters", parameter);
    if (range && !random)
      throw ConfigError(fmt::format(
          "{}: parameters.{} is a range, expected a list of values in a grid search", where, parameter));
    sweep.parameters.push_back(range ? parse_range(where, parameter, key.substr(parameter.size() + 1), *value)
                                     : parse_parameter(where, key, *value));
  }
  if (sweep.parameters.empty())
    throw ConfigError(fmt::format("{}: [parameters] is empty, expected keys to vary and their values", name));
  in.finish();
  constexpr std::size_t kMax = 100000;
  double combinations = 1.0;
  for (const Parameter& parameter : sweep.parameters)
    combinations *= random ? 1.0 : static_cast<double>(parameter.values.size());
  if (std::max(combinations, static_cast<double>(sweep.trials)) > static_cast<double>(kMax))
    throw ConfigError(fmt::format("{}: there are {:.0f} trials, expected at most {}", name,
                                  std::max(combinations, static_cast<double>(sweep.trials)), kMax));
  return sweep;
}

std::string plain_toml(const std::string& value) {
  const bool quoted =
      value.size() >= 2 && (value.front() == '\'' || value.front() == '"') && value.back() == value.front();
  if (!quoted) return value;
  const std::string content = value.substr(1, value.size() - 2);
  const auto changes = [](char c) { return std::string_view("'\"\\").find(c) != std::string_view::npos; };
  if (content.empty() || std::any_of(content.begin(), content.end(), changes)) return value;
  try {
    (void)toml::parse("value = " + content);
  } catch (const toml::parse_error&) {
    return content;  // which --set takes for a string
  }
  return value;  // "1", say
}

}  // namespace lockstep::config
