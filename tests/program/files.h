// The files that the program reads and writes, as a test makes and reads them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace lockstep::program {

std::string read_text(const std::filesystem::path& path);
void write_text(const std::filesystem::path& path, const std::string& text);

// Writes run.toml: a run of a second or less on 403 samples of the synthetic set, one thread a rank.
void write_small_config(const std::filesystem::path& folder);

// Writes run.toml: a run of a tenth of a second on 60 points of the plane, 24 of them to test on, in 4
// shards.
void write_planar_config(const std::filesystem::path& folder,
                         const std::string& model = "hidden = [5]\nactivation = \"tanh\"\n");

// Writes six files of CIFAR-10's size, all labels and pixels 0, that take no room on disk.
void write_black_cifar10(const std::filesystem::path& folder);
// Replaces the label byte of one record.
void set_label(const std::filesystem::path& file, std::size_t record, std::uint8_t label);

// A CSV file: fields as text, by column.
struct Table {
  std::string header;  // the first line
  std::vector<std::string> columns;
  std::vector<std::map<std::string, std::string>> rows;
  double number(std::size_t row, const std::string& column) const;
};
Table read_csv(const std::filesystem::path& path);

// The rows without the columns of times, which no two runs share.
std::vector<std::map<std::string, std::string>> timeless(Table table);

nlohmann::json read_json(const std::filesystem::path& path);
std::string weights_hash(const std::filesystem::path& run_folder);  // of its summary.json

// A safetensors file: the JSON header and the bytes after it.
struct Tensors {
  nlohmann::json header;
  std::string data;
};
Tensors read_safetensors(const std::filesystem::path& path);
void write_safetensors(const std::filesystem::path& path, const Tensors& tensors);

// Tensors of zeros for a network of these widths, inputs first, named as the program names them.
Tensors zero_tensors(const std::vector<std::size_t>& widths);

std::string xxh3_hex(const std::string& bytes);

}  // namespace lockstep::program
