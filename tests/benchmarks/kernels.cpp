// The kernels one by one, with Google Benchmark: products in GFLOP/s, passes over arrays in bytes a second.
//
// Usage: kernels_benchmark [--benchmark_filter=REGEX]      of the best kernel set; product_peers compares
#include <benchmark/benchmark.h>

#include <vector>

#include "data/bytes.h"
#include "kernels/activation.h"
#include "kernels/arrays.h"
#include "kernels/fixed_point.h"
#include "kernels/gemm.h"
#include "kernels/quantized_product.h"
#include "numbers.h"
#include "optim/optimizer.h"

namespace {

using namespace lockstep;
using benchmarks::numbers;
using kernels::ConstMatrix;
using kernels::Matrix;
using kernels::Store;

std::size_t argument(const benchmark::State& state, std::size_t i) {
  return static_cast<std::size_t>(state.range(i));
}

void flops(benchmark::State& state, double each) {
  state.counters["FLOP/s"] = benchmark::Counter(each, benchmark::Counter::kIsIterationInvariantRate);
}
void bytes(benchmark::State& state, std::size_t each) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(each));
}

// Arguments: rows, inputs, outputs of a dense layer.
void forward(benchmark::State& state) {
  const std::size_t rows = argument(state, 0), in = argument(state, 1), out = argument(state, 2);
  const auto x = numbers(rows * in), w = numbers(out * in);
  std::vector<float> y(rows * out);
  for (auto _ : state)
    kernels::gemm(ConstMatrix(x.data(), rows, in), ConstMatrix(w.data(), out, in).transposed(),
                  Matrix(y.data(), rows, out), Store::kOverwrite, 1);
  flops(state, 2.0 * static_cast<double>(rows * in * out));
}
void weight_gradient(benchmark::State& state) {
  const std::size_t rows = argument(state, 0), in = argument(state, 1), out = argument(state, 2);
  const auto x = numbers(rows * in), dy = numbers(rows * out);
  std::vector<float> dw(out * in);
  for (auto _ : state)
    kernels::gemm(ConstMatrix(dy.data(), rows, out).transposed(), ConstMatrix(x.data(), rows, in),
                  Matrix(dw.data(), out, in), Store::kOverwrite, 1);
  flops(state, 2.0 * static_cast<double>(rows * in * out));
}
void layers(benchmark::internal::Benchmark* benchmark) {
  for (const int rows : {64, 256, 512})
    benchmark->Args({rows, 3072, 100})->Args({rows, 1024, 1024})->Args({rows, 100, 10});
}
BENCHMARK(forward)->Apply(layers);
BENCHMARK(weight_gradient)->Apply(layers);

// The exact mode's gradient of a panel of a weight. Arguments: blocks, rows of each, outputs, inputs.
struct Panel {
  explicit Panel(const benchmark::State& state)
      : block_rows(argument(state, 0), argument(state, 1)),
        outputs(argument(state, 2)),
        inputs(argument(state, 3)),
        dy_numbers(numbers(rows() * outputs)),
        x_numbers(numbers(rows() * inputs)),
        sums(outputs * inputs) {}
  std::size_t rows() const { return block_rows.size() * block_rows.front(); }
  ConstMatrix dy() const { return {dy_numbers.data(), rows(), outputs}; }
  ConstMatrix x() const { return {x_numbers.data(), rows(), inputs}; }
  double flops() const { return 2.0 * static_cast<double>(rows() * outputs * inputs); }

  std::vector<std::size_t> block_rows;
  std::size_t outputs, inputs;
  std::vector<float> dy_numbers, x_numbers;
  std::vector<std::int32_t> sums;
};
constexpr float kScale = 0x1p10F, kLimit = 0x1p24F;
void quantize_products(benchmark::State& state) {
  Panel panel(state);
  std::vector<float> scratch(
      kernels::quantize_products_scratch(panel.block_rows, panel.outputs, panel.inputs));
  for (auto _ : state)
    kernels::quantize_products(panel.dy(), panel.x(), panel.block_rows, kScale, kLimit, Store::kOverwrite,
                               panel.sums.data(), panel.inputs, scratch);
  flops(state, panel.flops());
}
void multiply_then_quantize(benchmark::State& state) {
  Panel panel(state);
  std::vector<float> product(panel.sums.size());
  const Matrix dw(product.data(), panel.outputs, panel.inputs);
  for (auto _ : state) {
    for (std::size_t block = 0; block < panel.block_rows.size(); ++block) {
      const std::size_t rows = panel.block_rows[block];
      kernels::gemm(panel.dy().row_range(block * rows, rows).transposed(),
                    panel.x().row_range(block * rows, rows), dw, Store::kOverwrite, 1);
      kernels::quantize(dw, kScale, kLimit, block == 0 ? Store::kOverwrite : Store::kAccumulate,
                        panel.sums.data(), panel.inputs);
    }
  }
  flops(state, panel.flops());
}
void panels(benchmark::internal::Benchmark* benchmark) {
  benchmark->Args({8, 64, 100, 1024})
      ->Args({8, 64, 256, 1024})
      ->Args({8, 16, 256, 1024})
      ->Args({8, 64, 10, 100});
}
BENCHMARK(quantize_products)->Apply(panels);
BENCHMARK(multiply_then_quantize)->Apply(panels);

void quantize_add(benchmark::State& state) {
  const std::size_t n = argument(state, 0);
  const auto x = numbers(n);
  std::vector<std::int32_t> sums(n);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        kernels::quantize(ConstMatrix(x.data(), 1, n), 0x1p10F, 0x1p20F, Store::kAccumulate, sums.data(), n));
  bytes(state, 12 * n);
}
void dequantize(benchmark::State& state) {
  const std::size_t n = argument(state, 0);
  const std::vector<std::int32_t> sums(n, 77);
  std::vector<float> x(n);
  for (auto _ : state) {
    kernels::dequantize(sums, 0x1p-10F, x);
    benchmark::ClobberMemory();
  }
  bytes(state, 8 * n);
}
void sgd_with_momentum(benchmark::State& state) {
  const std::size_t n = argument(state, 0);
  auto w = numbers(n);
  const auto g = numbers(n);
  optim::Optimizer sgd({.momentum = 0.9}, n);
  for (auto _ : state) sgd.update(w, g, 0, {.rate = 1e-6, .decay_factor = 1.0});
  bytes(state, 20 * n);
}
void pixels_to_floats(benchmark::State& state) {
  const std::size_t n = argument(state, 0);
  const std::vector<std::uint8_t> pixels(n, 100);
  const auto scale = numbers(n), shift = numbers(n);
  std::vector<float> x(n);
  for (auto _ : state) {
    data::scale_bytes(pixels, scale, shift, x);
    benchmark::ClobberMemory();
  }
  bytes(state, 13 * n);
}
void sigmoid(benchmark::State& state) {
  const std::size_t n = argument(state, 0);
  auto x = numbers(n);
  for (auto _ : state) kernels::activate(kernels::Activation::kSigmoid, x, 1, {});
  bytes(state, 8 * n);
}
BENCHMARK(quantize_add)->Arg(1 << 12)->Arg(1 << 22);
BENCHMARK(dequantize)->Arg(1 << 12)->Arg(1 << 22);
BENCHMARK(sgd_with_momentum)->Arg(1 << 12)->Arg(1 << 22);
BENCHMARK(pixels_to_floats)->Arg(3072);
BENCHMARK(sigmoid)->Arg(1 << 16);

}  // namespace

BENCHMARK_MAIN();
