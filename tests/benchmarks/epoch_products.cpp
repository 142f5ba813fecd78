// How long an epoch's matrix products take by themselves: what an epoch of training is measured against.
//
// Usage: [mpirun -np P] epoch_products WIDTHS BATCH SAMPLES [EPOCHS]
//   WIDTHS   of all layers: 3072,100,10
// For each epoch prints the seconds that the products of one rank's part of every batch take: each layer's
// output, weight gradient and, but for the first layer, input gradient, each as one product, as reduce.mode =
// "float" has them. Threads: OMP_NUM_THREADS. Ranks run side by side, and do not communicate; the slowest
// counts.
#include <omp.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "comm/session.h"
#include "data/shard_plan.h"
#include "kernels/gemm.h"
#include "numbers.h"
#include "run/compute.h"

namespace {

using namespace lockstep;
using benchmarks::numbers;
using kernels::Matrix;
using kernels::Store;

struct Layer {
  std::size_t in, out;
  std::vector<float> weight = numbers(in * out), gradient = numbers(in * out);
};

struct Products {
  Products(const std::vector<std::size_t>& widths, std::size_t rows) {
    for (const std::size_t width : widths) {
      activations.push_back(numbers(rows * width));
      slopes.push_back(numbers(rows * width));
    }
    for (std::size_t l = 0; l + 1 < widths.size(); ++l) layers.push_back({widths[l], widths[l + 1]});
  }

  void step(std::size_t rows, int threads) {
    for (std::size_t l = 0; l < layers.size(); ++l)
      kernels::gemm(Matrix(activations[l].data(), rows, layers[l].in),
                    Matrix(layers[l].weight.data(), layers[l].out, layers[l].in).transposed(),
                    Matrix(activations[l + 1].data(), rows, layers[l].out), Store::kOverwrite, threads);
    for (std::size_t l = layers.size(); l-- > 0;) {
      const Matrix dy(slopes[l + 1].data(), rows, layers[l].out);
      kernels::gemm(dy.transposed(), Matrix(activations[l].data(), rows, layers[l].in),
                    Matrix(layers[l].gradient.data(), layers[l].out, layers[l].in), Store::kOverwrite,
                    threads);
      if (l > 0)
        kernels::gemm(dy, Matrix(layers[l].weight.data(), layers[l].out, layers[l].in),
                      Matrix(slopes[l].data(), rows, layers[l].in), Store::kOverwrite, threads);
    }
  }

  std::vector<std::vector<float>> activations, slopes;  // per layer's input, and of the outputs
  std::vector<Layer> layers;
};

}  // namespace

int main(int argc, char** argv) {
  comm::Session session(argc, argv);
  const comm::Communicator& world = session.world();
  if (argc < 4) {
    if (world.rank() == 0) std::fprintf(stderr, "usage: epoch_products WIDTHS BATCH SAMPLES [EPOCHS]\n");
    session.finalize();
    return 2;
  }
  std::vector<std::size_t> widths;
  std::istringstream list(argv[1]);
  for (std::string width; std::getline(list, width, ',');) widths.push_back(std::stoul(width));
  const std::size_t batch = std::stoul(argv[2]), samples = std::stoul(argv[3]);
  const int epochs = argc > 4 ? std::atoi(argv[4]) : 3;
  const auto rows_of = [&](std::size_t size) {
    return data::even_part(size, static_cast<std::size_t>(world.rank()),
                           static_cast<std::size_t>(world.size()))
        .size();
  };

  const int threads = run::agree_on_compute({}, world).threads;
  Products products(widths, rows_of(batch));
  for (int epoch = 0; epoch < epochs; ++epoch) {
    std::int64_t ready = 1;
    world.allreduce_sum(std::span(&ready, 1));
    const std::int64_t start = nanoseconds_now();
    for (std::size_t begin = 0; begin < samples; begin += batch)
      products.step(rows_of(std::min(batch, samples - begin)), threads);
    std::int64_t time[] = {nanoseconds_now() - start};
    world.allreduce_max(time);
    if (world.rank() == 0) std::printf("%.4f\n", 1e-9 * static_cast<double>(time[0]));
  }
  session.finalize();
  return 0;
}
