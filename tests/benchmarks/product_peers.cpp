// Products on one core beside those of the libraries at hand: OpenBLAS and oneDNN, loaded while it runs.
//
// Usage: product_peers [REPEATS]      (default: 15)
// Prints GFLOP/s a shape: each kernel set of this processor, then each library, then the ratio of the best
// set and the fastest library. All take turns; a figure is the median of its repeats, in processor time.
// Shapes are M x N x K as dense layers ask for them: y = x Wᵀ, dx = dy W, dW = dyᵀ x. Unset
// OPENBLAS_CORETYPE, and give libraries one thread:
//   env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 product_peers
#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "kernels/gemm.h"
#include "kernels/kernel_set.h"
#include "numbers.h"

namespace {

using namespace lockstep;
using kernels::ConstMatrix;
using kernels::Matrix;

enum class Kind { kForward, kInput, kWeight };

struct Shape {
  Kind kind;
  std::size_t m, n, k;
  bool a_transposed() const { return kind == Kind::kWeight; }
  bool b_transposed() const { return kind == Kind::kForward; }
  double flops() const { return 2.0 * static_cast<double>(m * n * k); }
};
constexpr Shape kShapes[] = {
    {Kind::kForward, 512, 1024, 3072}, {Kind::kInput, 512, 1024, 1024}, {Kind::kWeight, 1024, 3072, 512},
    {Kind::kForward, 512, 100, 3072},  {Kind::kWeight, 100, 3072, 512}, {Kind::kForward, 64, 1024, 1024},
    {Kind::kInput, 64, 1024, 1024},    {Kind::kForward, 16, 100, 3072}, {Kind::kForward, 512, 10, 100}};

// A product's operands as they lie in memory.
struct Operands {
  explicit Operands(const Shape& s)
      : a(benchmarks::numbers(s.m * s.k)), b(benchmarks::numbers(s.k * s.n)), c(s.m * s.n) {}
  std::vector<float> a, b, c;
};

struct Contender {
  std::string name;
  std::function<void(const Shape&, Operands&)> multiply;
};

Contender of_set(kernels::KernelSet set) {
  return {std::string(name(set)), [set](const Shape& s, Operands& x) {
            const ConstMatrix a = s.a_transposed() ? ConstMatrix(x.a.data(), s.k, s.m).transposed()
                                                   : ConstMatrix(x.a.data(), s.m, s.k);
            const ConstMatrix b = s.b_transposed() ? ConstMatrix(x.b.data(), s.n, s.k).transposed()
                                                   : ConstMatrix(x.b.data(), s.k, s.n);
            kernels::use_kernel_set(set);
            kernels::gemm(a, b, Matrix(x.c.data(), s.m, s.n), kernels::Store::kOverwrite, /*threads=*/1);
          }};
}

// A function of the first of these libraries that there is; symbols of others stay apart.
void* find(const std::vector<std::string>& libraries, const char* function) {
  for (const std::string& library : libraries)
    if (void* const handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL))
      if (void* const found = ::dlsym(handle, function)) return found;
  return nullptr;
}

void add_libraries(std::vector<Contender>& contenders) {
  using Cblas =
      void (*)(int, int, int, int, int, int, float, const float*, int, const float*, int, float, float*, int);
  using Dnnl = int (*)(char, char, long, long, long, float, const float*, long, const float*, long, float,
                       float*, long);
  const auto a_step = [](const Shape& s) { return s.a_transposed() ? s.m : s.k; };
  const auto b_step = [](const Shape& s) { return s.b_transposed() ? s.k : s.n; };
  if (auto* const sgemm =
          reinterpret_cast<Cblas>(find({LOCKSTEP_OPENBLAS, "libopenblas.so.0"}, "cblas_sgemm")))
    contenders.push_back({"OpenBLAS", [=](const Shape& s, Operands& x) {
                            constexpr int kRowMajor = 101, kPlain = 111, kTransposed = 112;
                            const auto i = [](std::size_t n) { return static_cast<int>(n); };
                            sgemm(kRowMajor, s.a_transposed() ? kTransposed : kPlain,
                                  s.b_transposed() ? kTransposed : kPlain, i(s.m), i(s.n), i(s.k), 1.0F,
                                  x.a.data(), i(a_step(s)), x.b.data(), i(b_step(s)), 0.0F, x.c.data(),
                                  i(s.n));
                          }});
  if (auto* const sgemm = reinterpret_cast<Dnnl>(find({"libdnnl.so.2", "libdnnl.so.3"}, "dnnl_sgemm")))
    contenders.push_back({"oneDNN", [=](const Shape& s, Operands& x) {
                            const auto l = [](std::size_t n) { return static_cast<long>(n); };
                            sgemm(s.a_transposed() ? 'T' : 'N', s.b_transposed() ? 'T' : 'N', l(s.m), l(s.n),
                                  l(s.k), 1.0F, x.a.data(), l(a_step(s)), x.b.data(), l(b_step(s)), 0.0F,
                                  x.c.data(), l(s.n));
                          }});
}

double processor_seconds() {
  std::timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return 0.5 * (x[(x.size() - 1) / 2] + x[x.size() / 2]);
}

}  // namespace

int main(int argc, char** argv) {
  const int repeats = argc > 1 ? std::max(1, std::atoi(argv[1])) : 15;
  std::vector<Contender> contenders;
  for (const kernels::KernelSet set : kernels::runnable_kernel_sets())
    if (set != kernels::KernelSet::kPortable) contenders.push_back(of_set(set));
  if (contenders.empty()) contenders.push_back(of_set(kernels::KernelSet::kPortable));
  const std::size_t sets = contenders.size();
  add_libraries(contenders);
  std::printf("%-22s", "GFLOP/s of a core");
  for (const Contender& contender : contenders) std::printf("%10s", contender.name.c_str());
  std::printf("%10s\n", "ratio");
  for (const Shape& shape : kShapes) {
    constexpr double kTurn = 5e7;  // floating-point operations that a turn makes at least
    const int times = std::max(1, static_cast<int>(kTurn / shape.flops()));
    Operands operands(shape);
    std::vector<std::vector<double>> rates(contenders.size());
    for (int repeat = -1; repeat < repeats; ++repeat) {  // the first warms up
      for (std::size_t c = 0; c < contenders.size(); ++c) {
        const double begin = processor_seconds();
        for (int i = 0; i < times; ++i) contenders[c].multiply(shape, operands);
        if (repeat >= 0) rates[c].push_back(1e-9 * shape.flops() * times / (processor_seconds() - begin));
      }
    }
    const char* const names[] = {"y = x Wt", "dx = dy W", "dW = dyt x"};
    std::printf("%-11s%4zux%4zux%4zu", names[static_cast<int>(shape.kind)], shape.m, shape.n, shape.k);
    double fastest = 0.0;
    for (std::size_t c = 0; c < rates.size(); ++c) {
      std::printf("%10.1f", median(rates[c]));
      if (c >= sets) fastest = std::max(fastest, median(rates[c]));
    }
    if (fastest > 0.0) std::printf("%10.2f", median(rates[0]) / fastest);
    std::printf("\n");
    std::fflush(stdout);
  }
  return 0;
}
