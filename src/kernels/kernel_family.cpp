#include "kernels/kernel_family.h"

#include <blis.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "base/error.h"
#include "kernels/gemm.h"

namespace lockstep::kernels {
namespace {

#ifdef __x86_64__
const std::array<std::string, 5> kFamilies = {"generic", "penryn", "sandybridge", "haswell", "skx"};
#else
const std::array<std::string, 1> kFamilies = {"auto"};
#endif

double processor_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// GFLOP/s of the family that BLIS has been told to use: a forward and a weight gradient's product.
double measure_products() {
  constexpr std::size_t kRows = 64, kInputs = 1024, kOutputs = 256;
  constexpr int kTries = 6;
  const std::vector<float> x(kRows * kInputs, 0.5F), weight(kOutputs * kInputs, 0.25F),
      dy(kRows * kOutputs, 0.125F);
  std::vector<float> y(kRows * kOutputs), gradient(kOutputs * kInputs);
  const ConstMatrix inputs(x.data(), kRows, kInputs), slopes(dy.data(), kRows, kOutputs);
  double fastest = 0.0;
  for (int i = 0; i < kTries; ++i) {
    const double start = processor_seconds();
    gemm(inputs, ConstMatrix(weight.data(), kOutputs, kInputs).transposed(),
         Matrix(y.data(), kRows, kOutputs), Store::kOverwrite, /*threads=*/1);
    gemm(slopes.transposed(), inputs, Matrix(gradient.data(), kOutputs, kInputs), Store::kOverwrite,
         /*threads=*/1);
    const double seconds = processor_seconds() - start;
    if (i > 0)
      fastest = std::max(fastest, 4e-9 * kRows * kInputs * kOutputs / seconds);  // the first warms up
  }
  return fastest;
}

// The same with a family of one's own, from a child process.
double measure_family(const std::string& family) {
  int ends[2];
  if (::pipe(ends) != 0) return 0.0;
  const pid_t child = ::fork();
  if (child == 0) {
    use_kernel_family(family);
    const double rate = measure_products();
    const bool written = ::write(ends[1], &rate, sizeof rate) == static_cast<ssize_t>(sizeof rate);
    ::_exit(written ? 0 : 1);
  }
  ::close(ends[1]);
  double rate = 0.0;
  pollfd answer{ends[0], POLLIN, 0};
  constexpr int kLongest = 10000;  // milliseconds
  if (child > 0 && (::poll(&answer, 1, kLongest) != 1 ||
                    ::read(ends[0], &rate, sizeof rate) != static_cast<ssize_t>(sizeof rate))) {
    rate = 0.0;
    ::kill(child, SIGKILL);
  }
  ::close(ends[0]);
  if (child > 0) ::waitpid(child, nullptr, 0);
  return rate;
}

}  // namespace

std::string blis_version() { return bli_info_get_version_str(); }

std::string processor_type() {
#ifdef __x86_64__
  unsigned leaf = 0, b = 0, c = 0, d = 0;
  __get_cpuid(0, &leaf, &b, &c, &d);
  std::array<unsigned, 3> words = {b, d, c};
  std::string vendor(reinterpret_cast<const char*>(words.data()), sizeof words);
  unsigned signature = 0;
  __get_cpuid(1, &signature, &b, &c, &d);
  std::erase_if(vendor, [](char letter) { return !(letter >= 'A' && letter <= 'z'); });
  return fmt::format("{}-{:08x}", vendor, signature);
#else
  return "any";
#endif
}

std::span<const std::string> kernel_families() { return kFamilies; }

int best_kernel_family() {
#ifdef __x86_64__
  __builtin_cpu_init();
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  if (avx512) return 4;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 3;
  if (__builtin_cpu_supports("avx")) return 2;
  if (__builtin_cpu_supports("sse3")) return 1;
#endif
  return 0;
}

std::string kernel_family_of_environment() {
  const char* const text = std::getenv("BLIS_ARCH_TYPE");
  if (text == nullptr) return "";
  const auto runnable = kernel_families().first(static_cast<std::size_t>(best_kernel_family()) + 1);
  int id = -1;
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), id);
  if (error == std::errc() && *end == '\0' && id >= 0 && id < BLIS_NUM_ARCHS)
    for (const std::string& family : runnable)
      if (bli_arch_string(static_cast<arch_t>(id)) == family) return family;
  throw ConfigError(fmt::format(
      "BLIS_ARCH_TYPE is \"{}\", expected BLIS's number of one of {}, which this processor can run", text,
      fmt::join(runnable, ", ")));
}

std::vector<double> measure_kernel_families(std::span<const std::string> families) {
  constexpr int kTurns = 8;
  std::vector<double> rates(families.size());
  for (int turn = 0; turn < kTurns; ++turn)
    for (std::size_t f = 0; f < families.size(); ++f)
      rates[f] = std::max(rates[f], measure_family(families[f]));
  return rates;
}

std::size_t choose_kernel_family(std::span<const double> rates) {
  constexpr double kAdvantage = 1.1;
  std::size_t choice = 0;
  for (std::size_t f = 1; f < rates.size(); ++f)
    if (rates[f] > kAdvantage * rates[choice]) choice = f;
  return choice;
}

void use_kernel_family(const std::string& name) {
  for (int id = 0; id < BLIS_NUM_ARCHS; ++id)
    if (bli_arch_string(static_cast<arch_t>(id)) == name)
      ::setenv("BLIS_ARCH_TYPE", std::to_string(id).c_str(), /*overwrite=*/1);
}

std::string kernel_family() {
  bli_init();
  return bli_arch_string(bli_arch_query_id());
}

}  // namespace lockstep::kernels
