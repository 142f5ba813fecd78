#include "nn/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"

namespace lockstep::nn {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

static_assert(std::endian::native == std::endian::little, "files hold little-endian values");

constexpr std::size_t kLengthField = 8;

// Bytes per value, or 0 for a type that the format does not have.
std::size_t type_size(const std::string& dtype) {
  static const std::map<std::string, std::size_t> kSizes = {
      {"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"I64", 8}, {"I32", 4}, {"I16", 2},
      {"I8", 1},  {"U64", 8}, {"U32", 4}, {"U16", 2},  {"U8", 1},  {"BOOL", 1}};
  const auto entry = kSizes.find(dtype);
  return entry == kSizes.end() ? 0 : entry->second;
}

// Parses the header; a key given twice in one object is an error, which JSON itself leaves open.
json parse_header(std::string_view text) {
  std::vector<std::set<std::string>> keys;
  const auto watch = [&keys](int, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second)
      throw ModelError(fmt::format("the header names \"{}\" twice", parsed.get<std::string>()));
    return true;
  };
  json header = json::parse(text, watch);
  if (!header.is_object()) throw ModelError("the header is not a JSON object");
  return header;
}

// Shape and place of one tensor; `data` are the bytes after the header.
TensorView parse_tensor(const std::string& name, const json& entry, std::span<const std::byte> data) {
  TensorView tensor{.name = name, .dtype = entry.at("dtype").get<std::string>(), .shape = {}, .bytes = {}};
  std::size_t bytes = type_size(tensor.dtype);
  if (bytes == 0)
    throw ModelError(fmt::format("tensor \"{}\" has the unknown type \"{}\"", name, tensor.dtype));
  const auto size = [](const json& number) {
    if (!number.is_number_unsigned())  // lists may be nested too deeply to be quoted
      throw ModelError(
          fmt::format("{} is not a size", number.is_structured() ? number.type_name() : number.dump()));
    return number.get<std::size_t>();
  };
  if (!entry.at("shape").is_array())
    throw ModelError(fmt::format("tensor \"{}\" has no list as shape", name));
  for (const json& length : entry.at("shape")) {
    const std::size_t n = size(length);
    if (n != 0 && bytes > std::numeric_limits<std::size_t>::max() / n)
      throw ModelError(fmt::format("tensor \"{}\" has a shape that overflows", name));
    bytes *= n;
    tensor.shape.push_back(n);
  }
  const json& offsets = entry.at("data_offsets");
  if (!offsets.is_array() || offsets.size() != 2)
    throw ModelError(fmt::format("tensor \"{}\" has no pair of data_offsets", name));
  const std::size_t begin = size(offsets[0]), end = size(offsets[1]);
  if (begin > end || end > data.size())
    throw ModelError(
        fmt::format("tensor \"{}\" lies at bytes {}..{}, expected a range within the {} bytes of data", name,
                    begin, end, data.size()));
  if (end - begin != bytes)
    throw ModelError(
        fmt::format("tensor \"{}\" has {} bytes, expected {} for its shape", name, end - begin, bytes));
  tensor.bytes = data.subspan(begin, bytes);
  return tensor;
}

void parse(SafetensorsFile& file) {
  const auto bytes = std::as_bytes(std::span(file.content));
  std::uint64_t header_length = 0;
  if (bytes.size() < kLengthField)
    throw ModelError(fmt::format("has {} bytes, expected a header length of 8", bytes.size()));
  std::memcpy(&header_length, bytes.data(), kLengthField);
  if (header_length > bytes.size() - kLengthField)
    throw ModelError(fmt::format("claims a header of {} bytes, but only {} follow", header_length,
                                 bytes.size() - kLengthField));
  const json header = parse_header(std::string_view(file.content).substr(kLengthField, header_length));
  const auto data = bytes.subspan(kLengthField + header_length);
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__")
      file.metadata = entry.get<TensorMetadata>();
    else
      file.tensors.push_back(parse_tensor(name, entry, data));
  }
  std::sort(file.tensors.begin(), file.tensors.end(), [](const TensorView& a, const TensorView& b) {
    return std::pair(a.bytes.data(), a.bytes.size()) < std::pair(b.bytes.data(), b.bytes.size());
  });
  const std::byte* next = data.data();
  for (const TensorView& tensor : file.tensors) {
    if (tensor.bytes.data() != next)
      throw ModelError(
          fmt::format("tensor \"{}\" {}", tensor.name,
                      tensor.bytes.data() < next ? "overlaps another" : "leaves a gap before it"));
    next += tensor.bytes.size();
  }
  if (next != data.data() + data.size())
    throw ModelError(fmt::format("has {} bytes after the last tensor", data.data() + data.size() - next));
}

}  // namespace

namespace {

constexpr const char* kChecksum = "checksum";
const std::string kNoChecksum(16, '0');

// The header with its length field, the data starting aligned.
std::string header_of(std::span<const TensorView> tensors, const TensorMetadata& metadata) {
  ordered_json header = ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t offset = 0;
  for (const TensorView& tensor : tensors) {
    header[tensor.name] = {{"dtype", tensor.dtype},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, offset + tensor.bytes.size()}}};
    offset += tensor.bytes.size();
  }
  std::string text = header.dump();
  text.append((kLengthField - text.size() % kLengthField) % kLengthField, ' ');
  const std::uint64_t length = text.size();
  std::string header_bytes(kLengthField, '\0');
  std::memcpy(header_bytes.data(), &length, kLengthField);
  return header_bytes.append(text);
}

std::vector<std::span<const std::byte>> parts_of(const std::string& header,
                                                 std::span<const TensorView> tensors) {
  std::vector<std::span<const std::byte>> parts = {std::as_bytes(std::span(header))};
  for (const TensorView& tensor : tensors) parts.push_back(tensor.bytes);
  return parts;
}

// Where the checksum's digits stand in a text that has `digits` for them, or npos.
std::size_t place_of_checksum(const std::string& text, const std::string& digits) {
  const std::string entry = fmt::format("\"{}\":\"", kChecksum);
  const std::size_t place = text.find(entry + digits + '"');
  return place == std::string::npos ? place : place + entry.size();
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const TensorMetadata& metadata) {
  const std::string header = header_of(tensors, metadata);
  write_file_atomically(path, parts_of(header, tensors));
}

void write_safetensors_with_checksum(const std::filesystem::path& path, std::span<const TensorView> tensors,
                                     TensorMetadata metadata) {
  metadata[kChecksum] = kNoChecksum;
  std::string header = header_of(tensors, metadata);
  const std::string checksum = hash_hex(parts_of(header, tensors));
  header.replace(place_of_checksum(header, kNoChecksum), checksum.size(), checksum);
  write_file_atomically(path, parts_of(header, tensors));
}

SafetensorsFile SafetensorsFile::parse(std::string content, const std::string& name) {
  SafetensorsFile file;
  file.content = std::move(content);
  try {
    nn::parse(file);
  } catch (const ModelError& error) {
    throw ModelError(fmt::format("{}: not a good safetensors file: {}", name, error.what()));
  } catch (const json::exception& error) {
    throw ModelError(fmt::format("{}: not a good safetensors file: {}", name, error.what()));
  }
  const auto checksum = file.metadata.find(kChecksum);
  if (checksum != file.metadata.end() && checksum->second.size() == kNoChecksum.size())
    file.check_checksum(name);
  return file;
}

SafetensorsFile SafetensorsFile::read(const std::filesystem::path& path) {
  try {
    return parse(read_file(path), path.string());
  } catch (const std::system_error& error) {
    throw ModelError(fmt::format("{}: cannot be read: {}", path.string(), error.code().message()));
  }
}

void SafetensorsFile::check_checksum(const std::string& name) const {
  const auto entry = metadata.find(kChecksum);
  const std::size_t place =
      entry == metadata.end() ? std::string::npos : place_of_checksum(content, entry->second);
  if (place == std::string::npos || entry->second.size() != kNoChecksum.size())
    throw ModelError(fmt::format("{}: has no checksum, expected one of 16 hex digits", name));
  const auto all = std::as_bytes(std::span(content));
  const std::span<const std::byte> parts[] = {all.first(place), std::as_bytes(std::span(kNoChecksum)),
                                              all.subspan(place + kNoChecksum.size())};
  const std::string found = hash_hex(parts);
  if (found != entry->second)
    throw ModelError(
        fmt::format("{}: its bytes have the checksum {}, expected {}", name, found, entry->second));
}

}  // namespace lockstep::nn
