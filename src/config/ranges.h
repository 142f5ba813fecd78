// The ranges that values of keys lie in, and how messages call them.
#pragma once

namespace lockstep::config {

inline constexpr auto kAtLeastZero = [](double x) { return x >= 0.0 && x < 1e30; };
inline constexpr auto kAboveZero = [](double x) { return x > 0.0 && x < 1e30; };
inline constexpr const char* kAtLeastZeroText = "a number of at least 0, below 1e30";
inline constexpr const char* kAboveZeroText = "a number above 0, below 1e30";
inline constexpr auto kRate = [](double x) { return x >= 0.0 && x < 1.0; };
inline constexpr const char* kRateText = "a number from 0 up to, not including, 1";

}  // namespace lockstep::config
