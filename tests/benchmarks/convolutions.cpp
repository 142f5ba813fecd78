// Convolutions on one core, the 3 x 3 ones of configs/cifar10_fast.toml: y = windows(x) Wᵀ,
// dW = dyᵀ windows(x) rounded to integers, dx = windows(dy) W turned.
//
// Usage: convolutions [REPEATS [IMAGES]]      (default: 9 repeats of 128 images)
// Prints GFLOP/s, with two operations for each term of a window that lies within the image, for each kernel
// set of this processor, and last what all layers take and, with AVX-512, the share of the most that a core's
// fused multiply-adds can do. All take turns; a figure is the median of its repeats, in processor time.
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "kernels/gemm.h"
#include "kernels/kernel_set.h"
#include "kernels/quantized_product.h"
#include "numbers.h"

namespace {

using namespace lockstep;
using kernels::ConstMatrix;
using kernels::Matrix;
using kernels::Store;
using kernels::Windows;

// Filters of 3 x 3 pixels over square images, with one pixel of padding; of the outputs as many rows and
// columns as the next layer reads.
struct Layer {
  std::size_t channels, size, filters, outputs;

  // Multiply-adds for an image, in each of the three products.
  double terms() const {
    double along = 0.0;
    for (std::size_t o = 0; o < outputs; ++o)
      for (std::size_t k = 0; k < 3; ++k)
        if (o + k >= 1 && o + k - 1 < size) ++along;
    return along * along * static_cast<double>(channels * filters);
  }
};
constexpr Layer kLayers[] = {{24, 31, 64, 30}, {64, 15, 64, 15}, {64, 15, 256, 14},
                             {256, 7, 256, 7}, {256, 7, 256, 6}, {256, 3, 256, 3}};
constexpr const char* kProducts[] = {"y", "dW", "dx"};

double processor_seconds() {
  std::timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return 0.5 * (x[(x.size() - 1) / 2] + x[x.size() / 2]);
}

#ifdef __x86_64__
// GFLOP/s of fused multiply-adds that wait for nothing.
__attribute__((target("avx512f"))) double peak_of_avx512() {
  constexpr int kChains = 24, kTimes = 4000000;
  __m512 sums[kChains];
  for (__m512& sum : sums) sum = _mm512_setzero_ps();
  const __m512 x = _mm512_set1_ps(0.5F);
  const double begin = processor_seconds();
  for (int i = 0; i < kTimes; ++i) {
#pragma GCC unroll 24
    for (int c = 0; c < kChains; ++c) sums[c] = _mm512_fmadd_ps(x, sums[c], x);
  }
  const double seconds = processor_seconds() - begin;
  float kept = 0.0F;
  for (const __m512& sum : sums) kept += _mm512_cvtss_f32(sum);
  return kept > 0.0F ? 1e-9 * 2.0 * 16.0 * kChains * kTimes / seconds : 0.0;
}
#endif

// A layer's tensors, and its products.
class Work {
 public:
  Work(const Layer& layer, std::size_t images)
      : layer_(layer),
        images_(images),
        x_(benchmarks::numbers(images * layer.size * layer.size * layer.channels)),
        y_(benchmarks::numbers(images * layer.outputs * layer.outputs * layer.filters)),
        weights_(benchmarks::numbers(9 * layer.channels * layer.filters)),
        scratch_(weights_.size()),
        sums_(weights_.size()) {}

  void run(int product) {
    const auto [channels, size, filters, outputs] = layer_;
    const std::size_t rows[] = {images_ * outputs * outputs};
    const Matrix y(y_.data(), rows[0], filters), x(x_.data(), images_ * size * size, channels);
    const Windows of_x({x.data, images_, size, size, channels}, {3, 1, 1, outputs, outputs, 1}),
        of_dy({y.data, images_, outputs, outputs, filters}, {3, 1, 1, size, size, 1});
    if (product == 0)
      kernels::gemm(of_x, ConstMatrix(weights_.data(), filters, of_x.cols).transposed(), y, Store::kOverwrite,
                    /*threads=*/1);
    else if (product == 1)
      kernels::quantize_products(y, of_x, rows, 1.0F, 0x1p24F, Store::kOverwrite, sums_.data(), scratch_,
                                 /*threads=*/1);
    else
      kernels::gemm(of_dy, ConstMatrix(weights_.data(), of_dy.cols, channels), x, Store::kOverwrite,
                    /*threads=*/1);
  }

 private:
  Layer layer_;
  std::size_t images_;
  std::vector<float> x_, y_, weights_, scratch_;
  std::vector<std::int32_t> sums_;
};

}  // namespace

int main(int argc, char** argv) {
  const int repeats = argc > 1 ? std::max(1, std::atoi(argv[1])) : 9;
  const std::size_t images = argc > 2 ? static_cast<std::size_t>(std::max(1, std::atoi(argv[2]))) : 128;
  std::vector<kernels::KernelSet> sets;
  for (const kernels::KernelSet set : kernels::runnable_kernel_sets())
    if (set != kernels::KernelSet::kPortable) sets.push_back(set);
  if (sets.empty()) sets.push_back(kernels::KernelSet::kPortable);

  std::printf("%-24s", "GFLOP/s of a core");
  for (const kernels::KernelSet set : sets) std::printf("%10s", std::string(name(set)).c_str());
  std::printf("\n");
  std::vector<double> seconds(sets.size());  // for an image
  double terms = 0.0;
  for (const Layer& layer : kLayers)
    for (int product = 0; product < 3; ++product) {
      Work work(layer, images);
      std::vector<std::vector<double>> times(sets.size());
      for (int repeat = -1; repeat < repeats; ++repeat)  // the first warms up
        for (std::size_t s = 0; s < sets.size(); ++s) {
          kernels::use_kernel_set(sets[s]);
          const double begin = processor_seconds();
          work.run(product);
          if (repeat >= 0) times[s].push_back((processor_seconds() - begin) / static_cast<double>(images));
        }
      std::printf("%3zu -> %3zu, %2zu x %2zu, %-4s", layer.channels, layer.filters, layer.outputs,
                  layer.outputs, kProducts[product]);
      for (std::size_t s = 0; s < sets.size(); ++s) {
        std::printf("%10.1f", 2e-9 * layer.terms() / median(times[s]));
        seconds[s] += median(times[s]);
      }
      std::printf("\n");
      std::fflush(stdout);
      terms += layer.terms();
    }
  std::printf("%-24s", "all, ms per image");
  for (const double of_set : seconds) std::printf("%10.3f", 1e3 * of_set);
#ifdef __x86_64__
  if (sets.front() == kernels::KernelSet::kAvx512)
    std::printf("\nshare of the peak       %9.0f%%", 100.0 * 2e-9 * terms / seconds[0] / peak_of_avx512());
#endif
  std::printf("\n");
  return 0;
}
