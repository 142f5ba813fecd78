// Reads typed values out of a TOML document; reading a key is what allows it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#define TOML_HEADER_ONLY 0
#include <toml++/toml.h>

#include "config/keys.h"

namespace lockstep::config {

// Each read(key, value) leaves value as it is, its default, where the document has no such key. A wrong type
// or a value that the check refuses throws ConfigError: "FILE:LINE: KEY is FOUND, expected EXPECTED".
//
// Where a key has no effect (keys.h), value stays its default, too: a document that has another one throws
// ConfigError, unless an override has changed the keys that decide: "--set data.dataset=synthetic" leaves out
// a file's data.dir.
class Reader {
 public:
  // origins: where each override is from, for messages; empty: all from --set. keys: of all that will be
  // read; empty: every one that is has an effect. Throws ConfigError where the text is no TOML or an override
  // is no "section.key=value".
  Reader(const std::string& text, const std::string& name, const std::vector<std::string>& overrides,
         const std::vector<std::string>& origins = {}, std::span<const Key> keys = {});
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void read(const std::string& key, bool& value);
  void read(const std::string& key, std::string& value);
  void read(const std::string& key, std::filesystem::path& value);
  // Not among the resolved keys where the document does not have it.
  void read_where_set(const std::string& key, std::string& value);
  // A string, or an integer that becomes one; `expected` describes it.
  void read_text(const std::string& key, std::string& value, const std::string& expected = "a string");
  // A list of these, or one alone.
  void read_texts(const std::string& key, std::vector<std::string>& list);
  void read(const std::string& key, std::uint64_t& value, std::uint64_t least);
  void read(const std::string& key, int& value, int least);
  // in_range(x) decides; `expected` describes what it accepts, such as "a number above 0".
  void read(const std::string& key, double& value, const std::string& expected,
            const std::function<bool(double)>& in_range);
  // A list of integers of at least `least`.
  void read(const std::string& key, std::vector<std::size_t>& list, std::size_t least);

  template <typename Choice>
  void read(const std::string& key, Choice& value,
            const std::vector<std::pair<std::string, Choice>>& choices) {
    std::vector<std::string> names;
    std::string name;
    for (const auto& [text, choice] : choices) {
      names.push_back(text);
      if (choice == value) name = text;
    }
    read_name(key, name, names);
    for (const auto& [text, choice] : choices)
      if (text == name) value = choice;
  }

  // A string that must be one of `names`.
  void read_name(const std::string& key, std::string& name, const std::vector<std::string>& names);

  // A key of an earlier version that decides nothing any more: it may be there.
  void ignore(const std::string& key);

  // Calls read_one with a reader of each table of an array of tables; the reader's keys are those of the
  // table. Throws ConfigError where a table has a key that read_one did not read.
  void read_tables(const std::string& key, const std::function<void(Reader& table)>& read_one);

  // The keys that begin with "section.", without that. They count as read.
  struct Setting {
    std::string key;
    const toml::node* value;  // which the reader owns
    std::string where;        // "file.toml:12"
  };
  std::vector<Setting> read_section(const std::string& section);

  bool has(const std::string& key) const { return entries_.contains(key); }
  // The key as messages name it: within a table of model.layers "init" is "model.layers[0].init".
  std::string full_name(const std::string& key) const { return prefix_ + key; }

  // Runs a check that throws ConfigError; puts the key's place before its message.
  void check(const std::string& key, const std::function<void()>& validate) const;

  // Throws ConfigError if the document has a key that nobody read.
  void finish() const;

  // Every key that was read, with its value.
  const nlohmann::ordered_json& resolved() const { return resolved_; }

 private:
  struct Entry {
    toml::node* node;       // of a document: a copy would not know its line
    std::string where;      // "file.toml:12", or an override's origin, such as "--set"
    std::string file;       // "file.toml"; empty for an override
    std::size_t order = 0;  // 0 for the file; overrides of one origin replace those of the origins before
  };

  Reader() = default;
  // A table of a file, or, with an empty file name, of an override from `origin`.
  void flatten(toml::table& table, const std::string& prefix, const std::string& file,
               const std::string& origin);
  void apply_override(const std::string& text, const std::string& origin, std::size_t order);
  // Sets "list.N.key" in the N-th table of a list, from 0 on. False where the key is not such a place.
  bool override_in_list(const std::string& key, const toml::node& value, const std::string& origin);
  const Entry* find(const std::string& key);
  void record(const std::string& key, const nlohmann::ordered_json& value);
  // value <- given, and records it, where the key has an effect.
  template <typename T>
  void settle(const std::string& key, T& value, T given);
  // Whether the key has an effect. Throws ConfigError where it has not and was to change something.
  bool has_effect(const std::string& key, bool changes) const;
  std::size_t order_of(const std::string& key) const;
  [[noreturn]] void refuse(const std::string& key, const Entry& entry, const std::string& expected) const;

  std::span<const Key> keys_;
  std::list<toml::table> documents_;                  // the file, then each override
  std::map<const toml::node*, std::string> origins_;  // of the overrides in lists
  std::string prefix_;                                // of all keys, in messages
  std::map<std::string, Entry> entries_;
  std::vector<std::string> known_;  // keys that were read
  nlohmann::ordered_json resolved_;
};

}  // namespace lockstep::config
