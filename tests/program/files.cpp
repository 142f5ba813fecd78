#include "files.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace lockstep::program {

using nlohmann::json;

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("no file " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

void write_small_config(const std::filesystem::path& folder) {
  write_text(folder / "run.toml", R"(seed = 3
[data]
dataset = "synthetic"
train_samples = 403
test_samples = 150
[model]
hidden = [8]
[train]
epochs = 2
batch_size = 64
learning_rate = 0.05
momentum = 0.9
[compute]
threads = 1
)");
}

void write_planar_config(const std::filesystem::path& folder, const std::string& model) {
  write_text(folder / "run.toml", R"(seed = 3
[data]
dataset = "circle"
n = 60
noise = 0.1
test_fraction = 0.4
shards = 4
normalize = "none"
[train]
epochs = 4
batch_size = 8
learning_rate = 0.1
momentum = 0.9
[compute]
threads = 1
[model]
)" + model);
}

void write_black_cifar10(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  for (const char* name : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                           "data_batch_5.bin", "test_batch.bin"}) {
    write_text(folder / name, "");
    std::filesystem::resize_file(folder / name, 30730000);
  }
}

void set_label(const std::filesystem::path& file, std::size_t record, std::uint8_t label) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(static_cast<std::streamoff>(record * 3073));
  stream.put(static_cast<char>(label));
  if (!stream.flush()) throw std::runtime_error("cannot write " + file.string());
}

double Table::number(std::size_t row, const std::string& column) const {
  return std::stod(rows.at(row).at(column));
}

namespace {

// Quotation marks around a field taken away, doubled ones within it halved.
std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (quoted && line[i] == '"' && i + 1 < line.size() && line[i + 1] == '"')
      fields.back() += line[i++];
    else if (line[i] == '"')
      quoted = !quoted;
    else if (line[i] == ',' && !quoted)
      fields.emplace_back();
    else
      fields.back() += line[i];
  }
  return fields;
}

}  // namespace

Table read_csv(const std::filesystem::path& path) {
  Table table;
  std::istringstream text(read_text(path));
  std::getline(text, table.header);
  table.columns = fields_of(table.header);
  for (std::string line; std::getline(text, line);) {
    const std::vector<std::string> values = fields_of(line);
    if (values.size() != table.columns.size())
      throw std::runtime_error(path.string() + " has the row " + line);
    auto& row = table.rows.emplace_back();
    for (std::size_t i = 0; i < values.size(); ++i) row[table.columns[i]] = values[i];
  }
  return table;
}

std::vector<std::map<std::string, std::string>> timeless(Table table) {
  for (auto& row : table.rows)
    for (const char* column :
         {"seconds", "samples_per_second", "compute_seconds", "wait_seconds", "transfer_seconds"})
      row.erase(column);
  return table.rows;
}

json read_json(const std::filesystem::path& path) { return json::parse(read_text(path)); }

std::string weights_hash(const std::filesystem::path& run_folder) {
  return read_json(run_folder / "summary.json").at("weights_hash").get<std::string>();
}

Tensors read_safetensors(const std::filesystem::path& path) {
  const std::string content = read_text(path);
  std::uint64_t length = 0;
  if (content.size() < sizeof length) throw std::runtime_error(path.string() + " has no header");
  std::memcpy(&length, content.data(), sizeof length);
  return {json::parse(content.substr(sizeof length, length)), content.substr(sizeof length + length)};
}

void write_safetensors(const std::filesystem::path& path, const Tensors& tensors) {
  const std::string header = tensors.header.dump();
  const std::uint64_t length = header.size();
  std::string content(sizeof length, '\0');
  std::memcpy(content.data(), &length, sizeof length);
  write_text(path, content + header + tensors.data);
}

Tensors zero_tensors(const std::vector<std::size_t>& widths) {
  Tensors tensors;
  const auto add = [&](const std::string& name, const std::vector<std::size_t>& shape) {
    std::size_t bytes = 4;
    for (const std::size_t n : shape) bytes *= n;
    const std::size_t begin = tensors.data.size();
    tensors.data.append(bytes, '\0');
    tensors.header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {begin, begin + bytes}}};
  };
  for (std::size_t layer = 0; layer + 1 < widths.size(); ++layer) {
    const std::string name = "layers." + std::to_string(layer);
    add(name + ".weight", {widths[layer + 1], widths[layer]});
    add(name + ".bias", {widths[layer + 1]});
  }
  return tensors;
}

std::string xxh3_hex(const std::string& bytes) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx",
                static_cast<unsigned long long>(XXH3_64bits(bytes.data(), bytes.size())));
  return text;
}

}  // namespace lockstep::program
