// A sum of real numbers that does not depend on their order: fixed point, two 64-bit integers.
#pragma once

#include <cmath>
#include <cstdint>

namespace lockstep {

// Holds whole + fraction * 2^-40. Each added value is rounded to a multiple of 2^-40 (9e-13) and must lie
// within +-2^40 (1.1e12); anything else, NaN included, makes the sum invalid for good. 2^22 values cannot
// overflow it. The integers of several sums may be added separately, by an allreduce say.
struct FixedSum {
  static constexpr double kLimit = 0x1p40;  // of a value's magnitude

  std::int64_t whole = 0;
  std::int64_t fraction = 0;  // 0 <= fraction < 2^40 after add()
  std::int64_t invalid = 0;   // how many values were out of range

  void add(double value) {
    if (!(std::fabs(value) < kLimit)) {
      ++invalid;
      return;
    }
    const double floor = std::floor(value);
    whole += static_cast<std::int64_t>(floor);
    fraction += std::llrint((value - floor) * 0x1p40);
    carry();
  }

  void add(const FixedSum& other) {
    whole += other.whole;
    fraction += other.fraction;
    invalid += other.invalid;
    carry();
  }

  // NaN if a value was out of range.
  double value() const {
    if (invalid != 0) return std::nan("");
    return static_cast<double>(whole) + static_cast<double>(fraction) * 0x1p-40;
  }

 private:
  void carry() {
    whole += fraction >> 40;
    fraction &= (std::int64_t{1} << 40) - 1;
  }
};

}  // namespace lockstep
