// Products with windows of images are the products of what the windows hold, by the rule, bit for bit.
#include "kernels/windows.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "kernel_sets.h"
#include "kernels/products.h"
#include "kernels/quantized_product.h"
#include "support.h"
#include "windows_in_memory.h"

namespace lockstep::kernels::windows {
namespace {

using test::random_floats;
using Floats = std::vector<float>;

struct Drawn {
  explicit Drawn(std::uint64_t seed) : engine(seed) {
    const bool many = seed % 4 == 0;  // more images than a tile has rows
    images.count = many ? between(15, 40) : between(1, 4);
    images.height = between(1, many ? 4 : 9);
    images.width = between(1, many ? 4 : 9);
    images.channels = between(1, 40);
    pixels = random_floats(images.count * images.height * images.width * images.channels, seed);
    images.data = pixels.data();
    grid.stride = between(1, 3);
    grid.spacing = between(1, 3);
    grid.padding = static_cast<std::ptrdiff_t>(between(0, 4)) - 1;
    grid.size = between(1, 4);
    grid.rows = along(images.height);
    grid.cols = along(images.width);
    filters = between(1, 70);
  }
  std::size_t between(std::size_t least, std::size_t most) { return least + engine() % (most - least + 1); }
  // As many windows as begin inside the padded image; the last ones may reach beyond it.
  std::size_t along(std::size_t length) {
    return between(1, ((length - 1) * grid.spacing + 2) / grid.stride + 1);
  }
  Windows windows() const { return {images, grid}; }

  std::mt19937_64 engine;
  Images images;
  Floats pixels;
  WindowGrid grid;
  std::size_t filters = 0;
};

using WindowProducts = WithEachKernelSet;
LOCKSTEP_EACH_KERNEL_SET(WindowProducts);

TEST_P(WindowProducts, KeepTheRuleForEveryGrid) {
  for (std::uint64_t seed = 0; seed < 120; ++seed) {
    const Drawn drawn(seed);
    const Windows windows = drawn.windows();
    const Floats matrix = test::in_memory(windows),
                 weights = random_floats(drawn.filters * windows.cols, seed + 1),
                 dy = random_floats(windows.rows * drawn.filters, seed + 2);
    const ConstMatrix x(matrix.data(), windows.rows, windows.cols),
        w(weights.data(), drawn.filters, windows.cols), gradient(dy.data(), windows.rows, drawn.filters);
    for (const Store store : {Store::kOverwrite, Store::kAccumulate}) {
      const float before = store == Store::kOverwrite ? std::numeric_limits<float>::quiet_NaN() : 0.25F;
      Floats y(dy.size(), before), dw(weights.size(), before), y_wanted = y, dw_wanted = dw;
      multiply_by_rule(x, w.transposed(), Matrix(y_wanted.data(), windows.rows, drawn.filters), store);
      multiply_by_rule(gradient.transposed(), x, Matrix(dw_wanted.data(), drawn.filters, windows.cols),
                       store);
      const Products& products = products_in_use();  // gemm would give so little work one thread
      const int threads = 1 + static_cast<int>(seed % 3);
      products.multiply_windows(windows, w.transposed(), Matrix(y.data(), windows.rows, drawn.filters), store,
                                threads);
      products.multiply_by_windows(gradient.transposed(), windows,
                                   Matrix(dw.data(), drawn.filters, windows.cols), store, threads);
      ASSERT_TRUE(test::same_bits(y, y_wanted)) << seed;
      ASSERT_TRUE(test::same_bits(dw, dw_wanted)) << seed;
    }
  }
}

// Those of a long chain: chunks that begin within a pixel's channels, and blocks of more rows than a chunk.
TEST_P(WindowProducts, RoundEachBlockByItself) {
  const Floats pixels = random_floats(5 * 12 * 11 * 24, 3);
  const Windows windows({pixels.data(), 5, 12, 11, 24}, {3, 1, 1, 12, 11, 1});
  constexpr std::size_t kFilters = 20;
  const Floats matrix = test::in_memory(windows), dy = random_floats(windows.rows * kFilters, 4);
  const ConstMatrix x(matrix.data(), windows.rows, windows.cols), gradient(dy.data(), windows.rows, kFilters);
  const std::vector<std::size_t> blocks = {2 * 132, 132, 0, 2 * 132};
  Floats scratch(quantize_products_scratch(blocks, kFilters, windows.cols));
  std::vector<std::int32_t> wanted(kFilters * windows.cols, 7);
  const Magnitude largest = quantize_products(gradient, x, blocks, 0x1p12F, 0x1p24F, Store::kAccumulate,
                                              wanted.data(), windows.cols, scratch);
  for (const int threads : {1, 3}) {
    std::vector<std::int32_t> sums(wanted.size(), 7);
    const Magnitude magnitude = quantize_products(gradient, windows, blocks, 0x1p12F, 0x1p24F,
                                                  Store::kAccumulate, sums.data(), scratch, threads);
    EXPECT_EQ(sums, wanted);
    EXPECT_EQ(magnitude.largest_bits, largest.largest_bits);
  }
}

}  // namespace
}  // namespace lockstep::kernels::windows
