// What the unit tests of several floors share.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace lockstep::test {

// Lengths on both sides of every vector width and unrolling.
inline constexpr std::size_t kAwkwardSizes[] = {0, 1, 7, 21, 63, 64, 65};

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline constexpr double kFloatUnit = 0x1p-24;  // half a unit in the last place, relative

// n multiples of 2^-23 * scale on [-scale, scale), the same for the same seed.
inline std::vector<float> random_floats(std::size_t n, std::uint64_t seed, float scale = 1.0F) {
  std::mt19937_64 engine(seed);
  std::vector<float> x(n);
  for (float& value : x) value = (static_cast<float>(engine() >> 40) * 0x1p-23F - 1.0F) * scale;
  return x;
}

// True where both have the same length and the same bits: NaN equals the same NaN, 0 differs from -0.
inline bool same_bits(std::span<const float> a, std::span<const float> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](float x, float y) {
    return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y);
  });
}

inline bool same_bits(std::span<const double> a, std::span<const double> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](double x, double y) {
    return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
  });
}

// The message of the E that `action` throws. Nothing thrown is a failure, and so is an exception that is no
// E.
template <typename E, typename Action>
std::string message_of(Action&& action) {
  try {
    action();
  } catch (const E& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "threw another exception than expected: " << error.what();
    return error.what();
  }
  ADD_FAILURE() << "threw nothing";
  return "";
}

// Fails unless `text` has every part, and is one line.
inline void expect_line_with(const std::string& text, std::initializer_list<std::string> parts) {
  for (const std::string& part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << "\"" << part << "\" is not in: " << text;
  EXPECT_EQ(text.find('\n'), std::string::npos) << "more than a line: " << text;
}

// Calls body(value) for every enumerator from 0 on that has a name: a new one is tested without a new test.
template <typename Enum, typename Body>
void for_every(Body&& body) {
  for (int i = 0; name(static_cast<Enum>(i)) != "?"; ++i) {
    SCOPED_TRACE(std::string(name(static_cast<Enum>(i))));
    body(static_cast<Enum>(i));
  }
}

// A folder that goes with this object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "lockstep-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder: " + pattern);
    path_ = pattern;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }

  // The names of what is in it, in order.
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace lockstep::test
