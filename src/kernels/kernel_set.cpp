#include "kernels/kernel_set.h"

#include <algorithm>
#include <ctime>

#include "kernels/products.h"

namespace lockstep::kernels {
namespace {

const Products& products_of(KernelSet set) {
  switch (set) {
#ifdef __x86_64__
    case KernelSet::kAvx512:
      return kAvx512Products;
    case KernelSet::kAvx2:
      return kAvx2Products;
#endif
    case KernelSet::kNeon:
      return kBlisProducts;
    default:
      return kPortableProducts;
  }
}

struct InUse {
  KernelSet set;
  const Products* products;
};
InUse& in_use() {
  static InUse chosen = [] {
    const KernelSet best = runnable_kernel_sets().front();
    return InUse{best, &products_of(best)};
  }();
  return chosen;
}

#ifdef __aarch64__
// Whether BLIS keeps the rule with the kernels that it has chosen: those for SVE, or that BLIS_ARCH_TYPE
// names, need not.
bool blis_keeps_the_rule() {
  constexpr std::size_t kRows = 13, kCols = 21, kInner = kChunk + 44;
  std::vector<float> a(kRows * kInner), b(kInner * kCols), c(kRows * kCols), expected(kRows * kCols);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = 1.0F / static_cast<float>(i % 89 + 3);
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = 1.0F / (static_cast<float>(i % 97) - 48.5F);
  const auto multiply = [&](const Products& products, std::vector<float>& result) {
    products.multiply(ConstMatrix(a.data(), kRows, kInner), ConstMatrix(b.data(), kInner, kCols),
                      Matrix(result.data(), kRows, kCols), Store::kOverwrite, /*threads=*/1);
  };
  multiply(kBlisProducts, c);
  multiply(kPortableProducts, expected);
  return c == expected;
}
#endif

double processor_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

std::string_view name(KernelSet set) {
  switch (set) {
    case KernelSet::kAvx512:
      return "avx512";
    case KernelSet::kAvx2:
      return "avx2";
    case KernelSet::kNeon:
      return "neon";
    case KernelSet::kPortable:
      return "portable";
  }
  return "?";
}

std::vector<KernelSet> runnable_kernel_sets() {
  std::vector<KernelSet> sets;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    sets.push_back(KernelSet::kAvx512);
  if (avx2) sets.push_back(KernelSet::kAvx2);
#elif defined(__aarch64__)
  static const bool blis_serves = blis_keeps_the_rule();
  if (blis_serves) sets.push_back(KernelSet::kNeon);
#endif
  sets.push_back(KernelSet::kPortable);
  return sets;
}

void use_kernel_set(KernelSet set) { in_use() = {set, &products_of(set)}; }

KernelSet kernel_set_in_use() { return in_use().set; }

const Products& products_in_use() { return *in_use().products; }

double measure_kernel_set(KernelSet set) {
  constexpr std::size_t kRows = 64, kInputs = 1024, kOutputs = 256;
  constexpr int kTries = 6;
  const Products& products = products_of(set);
  const std::vector<float> x(kRows * kInputs, 0.5F), weight(kOutputs * kInputs, 0.25F),
      dy(kRows * kOutputs, 0.125F);
  std::vector<float> y(kRows * kOutputs), gradient(kOutputs * kInputs);
  const ConstMatrix inputs(x.data(), kRows, kInputs), slopes(dy.data(), kRows, kOutputs);
  double fastest = 0.0;
  for (int i = 0; i < kTries; ++i) {
    const double begin = processor_seconds();
    products.multiply(inputs, ConstMatrix(weight.data(), kOutputs, kInputs).transposed(),
                      Matrix(y.data(), kRows, kOutputs), Store::kOverwrite, /*threads=*/1);
    products.multiply(slopes.transposed(), inputs, Matrix(gradient.data(), kOutputs, kInputs),
                      Store::kOverwrite, /*threads=*/1);
    const double seconds = processor_seconds() - begin;
    if (i > 0)
      fastest = std::max(fastest, 4e-9 * kRows * kInputs * kOutputs / seconds);  // the first warms up
  }
  return fastest;
}

}  // namespace lockstep::kernels
