#include "config/reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/nearest.h"
#include "config/synonyms.h"

namespace lockstep::config {
namespace {

// On one line, and not too long.
std::string text_of(const toml::node& node) {
  std::ostringstream out;
  node.visit([&out](const auto& value) { out << value; });
  std::string line;
  for (const char c : out.str())
    if (!std::isspace(static_cast<unsigned char>(c)) || (!line.empty() && line.back() != ' '))
      line += std::isspace(static_cast<unsigned char>(c)) ? ' ' : c;
  constexpr std::size_t kLongest = 100;
  return line.size() <= kLongest ? line : line.substr(0, kLongest) + " ...";
}

constexpr const char* kSet = "--set";
constexpr std::size_t kMaxDots = 24;

[[noreturn]] void refuse_long_key(const std::string& name, std::size_t line) {
  throw ConfigError(
      fmt::format("{}:{}: more than {} dots in a key, expected section.key", name, line, kMaxDots));
}

// Throws ConfigError where a key has very many parts: each is a table within a table, and the parser's stack
// is not endless. Counts dots between separators; two dots in a row are not a key.
void refuse_long_keys(const std::string& text, const std::string& name) {
  std::size_t dots = 0, line = 1;
  char last = '\0';
  for (const char c : text) {
    if (c == '\n') ++line;
    if (std::string_view("\n=,[]{}#").find(c) != std::string_view::npos)
      dots = 0;
    else if (c == '.')
      dots = last == '.' ? 0 : dots + 1;
    if (dots > kMaxDots) refuse_long_key(name, line);
    if (c != ' ' && c != '\t') last = c;
  }
}

// Throws ConfigError unless the text is UTF-8, which the record of a run needs.
void refuse_other_than_utf8(const std::string& text, const std::string& key, const std::string& origin) {
  try {
    (void)nlohmann::json(text).dump();
  } catch (const nlohmann::json::type_error&) {
    throw ConfigError(fmt::format("{} {}: the value is not UTF-8", origin, key));
  }
}

}  // namespace

Reader::Reader(const std::string& text, const std::string& name, const std::vector<std::string>& overrides,
               const std::vector<std::string>& origins, std::span<const Key> keys)
    : keys_(keys) {
  refuse_long_keys(text, name);
  try {
    flatten(documents_.emplace_back(toml::parse(text, name)), "", name, "");
  } catch (const toml::parse_error& error) {
    throw ConfigError(
        fmt::format("{}:{}: not TOML: {}", name, error.source().begin.line, error.description()));
  }
  for (std::size_t i = 0; i < overrides.size(); ++i)
    apply_override(overrides[i], origins.empty() ? kSet : origins[i], origins.empty() ? 1 : i + 1);
}

void Reader::flatten(toml::table& table, const std::string& prefix, const std::string& file,
                     const std::string& origin) {
  if (static_cast<std::size_t>(std::ranges::count(prefix, '.')) > kMaxDots)  // tables in tables add up
    refuse_long_key(file.empty() ? origin : file, table.source().begin.line);
  for (auto&& [key, node] : table) {
    const std::string path = prefix + std::string(key.str());
    const auto overridden = origins_.find(&node);
    const bool of_file = overridden == origins_.end() && !file.empty();
    const std::string& from = overridden == origins_.end() ? origin : overridden->second;
    if (toml::table* section = node.as_table())
      flatten(*section, path + ".", of_file ? file : "", from);
    else
      entries_[path] = {&node, of_file ? fmt::format("{}:{}", file, node.source().begin.line) : from,
                        of_file ? file : "", 0};
  }
}

void Reader::apply_override(const std::string& text, const std::string& origin, std::size_t order) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    throw ConfigError(fmt::format("{} {}: expected section.key=value", origin, text));
  const std::string key = text.substr(0, equals), value = text.substr(equals + 1);
  refuse_long_keys(value, origin);
  refuse_other_than_utf8(value, key, origin);
  toml::table& document = documents_.emplace_back();
  try {
    document = toml::parse("value = " + value);
    if (document.size() != 1) throw ConfigError(fmt::format("{} {}: expected one value", origin, key));
  } catch (const toml::parse_error&) {
    document.insert("value", value);  // a word without quotes is a string
  }
  toml::node& node = *document.get("value");
  if (!override_in_list(key, node, origin)) entries_[key] = {&node, origin, "", order};
}

bool Reader::override_in_list(const std::string& key, const toml::node& value, const std::string& origin) {
  for (auto& [list, entry] : entries_) {
    toml::array* tables = entry.node->as_array();
    if (tables == nullptr || !key.starts_with(list + ".")) continue;
    const std::string place = key.substr(list.size() + 1);
    std::size_t index = 0;
    const auto [stop, error] = std::from_chars(place.data(), place.data() + place.size(), index);
    if (error != std::errc() || *stop != '.') continue;
    toml::table* table = index < tables->size() ? tables->get(index)->as_table() : nullptr;
    if (table == nullptr)
      throw ConfigError(fmt::format("{} {}: {} has {} tables, expected more than {}", origin, key, list,
                                    tables->size(), index));
    const std::string_view name = stop + 1;
    value.visit([&](const auto& typed) { table->insert_or_assign(name, typed); });
    origins_[table->get(name)] = origin;
    return true;
  }
  return false;
}

const Reader::Entry* Reader::find(const std::string& key) {
  known_.push_back(key);
  const auto entry = entries_.find(key);
  return entry == entries_.end() ? nullptr : &entry->second;
}

void Reader::record(const std::string& key, const nlohmann::ordered_json& value) {
  std::string pointer = "/" + key;
  std::replace(pointer.begin(), pointer.end(), '.', '/');
  resolved_[nlohmann::ordered_json::json_pointer(pointer)] = value;
}

std::size_t Reader::order_of(const std::string& key) const {
  const auto entry = entries_.find(key);
  return entry == entries_.end() ? 0 : entry->second.order;
}

bool Reader::has_effect(const std::string& key, bool changes) const {
  if (keys_.empty()) return true;
  const Key* known = find_key(keys_, key);
  if (known == nullptr) throw std::logic_error(fmt::format("config/keys.cpp does not have {}", key));
  const std::string why_not = known->why_not ? known->why_not(resolved_) : "";
  if (why_not.empty()) return true;
  const bool replaced = std::ranges::any_of(
      known->decided_by, [&](const std::string& other) { return order_of(other) > order_of(key); });
  if (changes && !replaced) throw ConfigError(fmt::format("{}: {} {}", entries_.at(key).where, key, why_not));
  return false;
}

template <typename T>
void Reader::settle(const std::string& key, T& value, T given) {
  if (!has_effect(key, given != value)) return;
  value = std::move(given);
  record(key, value);
}

void Reader::refuse(const std::string& key, const Entry& entry, const std::string& expected) const {
  throw ConfigError(
      fmt::format("{}: {}{} is {}, expected {}", entry.where, prefix_, key, text_of(*entry.node), expected));
}

void Reader::read(const std::string& key, bool& value) {
  bool given = value;
  if (const Entry* entry = find(key)) {
    if (!entry->node->is_boolean()) refuse(key, *entry, "true or false");
    given = **entry->node->as_boolean();
  }
  settle(key, value, given);
}

void Reader::read(const std::string& key, std::string& value) {
  std::string given = value;
  if (const Entry* entry = find(key)) {
    if (!entry->node->is_string()) refuse(key, *entry, "a string");
    given = **entry->node->as_string();
  }
  settle(key, value, std::move(given));
}

void Reader::read_where_set(const std::string& key, std::string& value) {
  if (has(key)) return read(key, value);
  known_.push_back(key);
}

void Reader::read_text(const std::string& key, std::string& value, const std::string& expected) {
  std::string given = value;
  if (const Entry* entry = find(key)) {
    if (const auto* integer = entry->node->as_integer())
      given = std::to_string(**integer);
    else if (const auto* text = entry->node->as_string())
      given = **text;
    else
      refuse(key, *entry, expected);
  }
  settle(key, value, std::move(given));
}

void Reader::read_texts(const std::string& key, std::vector<std::string>& list) {
  std::vector<std::string> given = list;
  if (const Entry* entry = find(key)) {
    const auto add = [&](const toml::node& node) {
      if (node.is_string())
        given.push_back(**node.as_string());
      else if (node.is_integer())
        given.push_back(std::to_string(**node.as_integer()));
      else
        refuse(key, *entry, "a list of strings or integers");
    };
    given.clear();
    if (const toml::array* found = entry->node->as_array())
      for (const toml::node& node : *found) add(node);
    else
      add(*entry->node);
  }
  settle(key, list, std::move(given));
}

void Reader::read(const std::string& key, std::filesystem::path& value) {
  std::string text = value.string();
  read(key, text);
  value = text;
}

void Reader::read(const std::string& key, std::uint64_t& value, std::uint64_t least) {
  std::uint64_t given = value;
  if (const Entry* entry = find(key)) {
    const auto* integer = entry->node->as_integer();
    if (integer == nullptr || **integer < 0 || static_cast<std::uint64_t>(**integer) < least)
      refuse(key, *entry, fmt::format("an integer of at least {}", least));
    given = static_cast<std::uint64_t>(**integer);
  }
  settle(key, value, given);
}

void Reader::read(const std::string& key, int& value, int least) {
  auto wide = static_cast<std::uint64_t>(value);
  read(key, wide, static_cast<std::uint64_t>(least));
  if (wide > static_cast<std::uint64_t>(std::numeric_limits<int>::max()))
    refuse(key, entries_.at(key), "a smaller integer");
  value = static_cast<int>(wide);
}

void Reader::read(const std::string& key, double& value, const std::string& expected,
                  const std::function<bool(double)>& in_range) {
  double given = value;
  if (const Entry* entry = find(key)) {
    const auto number = entry->node->value<double>();
    if (!entry->node->is_number() || !number || !in_range(*number)) refuse(key, *entry, expected);
    given = *number;
  }
  settle(key, value, given);
}

void Reader::read(const std::string& key, std::vector<std::size_t>& list, std::size_t least) {
  std::vector<std::size_t> given = list;
  if (const Entry* entry = find(key)) {
    const auto* single = entry->node->as_integer();
    const std::string expected =
        fmt::format("a list of integers of at least {}{}", least,
                    single == nullptr ? "" : fmt::format(", such as [{}]", **single));
    const toml::array* found = entry->node->as_array();
    if (found == nullptr) refuse(key, *entry, expected);
    given.clear();
    for (const toml::node& node : *found) {
      const auto* integer = node.as_integer();
      if (integer == nullptr || **integer < 0 || static_cast<std::size_t>(**integer) < least)
        refuse(key, *entry, expected);
      given.push_back(static_cast<std::size_t>(**integer));
    }
  }
  settle(key, list, std::move(given));
}

namespace {

// "; did you mean conv?", or nothing.
std::string suggestion(const std::string& word, const std::vector<std::string>& names) {
  std::optional<std::string> name = synonym(word, names);
  if (!name) name = nearest(word, names);
  return name ? fmt::format("; did you mean {}?", *name) : "";
}

}  // namespace

void Reader::read_name(const std::string& key, std::string& name, const std::vector<std::string>& names) {
  std::string given = name;
  if (const Entry* entry = find(key)) {
    const auto* text = entry->node->as_string();
    if (text == nullptr || std::find(names.begin(), names.end(), **text) == names.end())
      refuse(key, *entry,
             fmt::format("one of {}{}", fmt::join(names, ", "),
                         text == nullptr ? "" : suggestion(**text, names)));
    given = **text;
  }
  settle(key, name, std::move(given));
}

void Reader::ignore(const std::string& key) { find(key); }

void Reader::read_tables(const std::string& key, const std::function<void(Reader& table)>& read_one) {
  auto resolved = nlohmann::ordered_json::array();
  if (const Entry* entry = find(key)) {
    toml::array* list = entry->node->as_array();
    const auto is_table = [](const toml::node& node) { return node.is_table(); };
    if (list == nullptr || !std::all_of(list->begin(), list->end(), is_table))
      refuse(key, *entry, "a list of tables");
    for (std::size_t i = 0; i < list->size(); ++i) {
      Reader table;
      table.prefix_ = fmt::format("{}{}[{}].", prefix_, key, i);
      table.origins_ = origins_;
      table.flatten(*list->get(i)->as_table(), "", entry->file, entry->where);
      read_one(table);
      table.finish();
      resolved.push_back(table.resolved());
    }
  }
  if (has_effect(key, !resolved.empty()) && !resolved.empty()) record(key, resolved);
}

std::vector<Reader::Setting> Reader::read_section(const std::string& section) {
  std::vector<Setting> values;
  for (const auto& [key, entry] : entries_) {
    if (!key.starts_with(section + ".")) continue;
    known_.push_back(key);
    values.push_back({key.substr(section.size() + 1), entry.node, entry.where});
  }
  return values;
}

void Reader::check(const std::string& key, const std::function<void()>& validate) const {
  try {
    validate();
  } catch (const ConfigError& error) {
    const auto entry = entries_.find(key);
    if (entry == entries_.end()) throw;
    throw ConfigError(fmt::format("{}: {}", entry->second.where, error.what()));
  }
}

void Reader::finish() const {
  for (const auto& [key, entry] : entries_) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    std::optional<std::string> meant = synonym(key, known_);
    if (const std::string instead = instead_of(key); !meant && !instead.empty())
      throw ConfigError(fmt::format("{}: unknown key {}{}: {}", entry.where, prefix_, key, instead));
    if (!meant) meant = nearest(key, known_);
    if (meant)
      throw ConfigError(
          fmt::format("{}: unknown key {}{}, did you mean {}?", entry.where, prefix_, key, *meant));
    std::vector<std::string> allowed, sections;  // the keys of its section, or what there is instead of that
    const std::string section = key.substr(0, key.find('.') + 1);
    for (const std::string& candidate : known_) {
      if (!section.empty() && candidate.starts_with(section)) allowed.push_back(candidate);
      const std::size_t dot = candidate.find('.');
      const std::string of = dot == std::string::npos ? candidate : candidate.substr(0, dot) + ".*";
      if (std::find(sections.begin(), sections.end(), of) == sections.end()) sections.push_back(of);
    }
    throw ConfigError(fmt::format("{}: unknown key {}{}, expected one of {}", entry.where, prefix_, key,
                                  fmt::join(allowed.empty() ? sections : allowed, ", ")));
  }
}

}  // namespace lockstep::config
