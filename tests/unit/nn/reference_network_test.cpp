// The reference network, which other tests rely on, against central differences and worked examples.
#include "reference_network.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "support.h"

namespace lockstep::test {
namespace {

using kernels::Activation;
using kernels::Loss;

std::vector<double> random_doubles(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  std::uniform_real_distribution<double> draw(-1.0, 1.0);
  std::vector<double> x(n);
  for (double& value : x) value = draw(engine);
  return x;
}

ReferenceNetwork network(const std::vector<std::size_t>& widths, Activation activation, Loss loss,
                         double l2) {
  ReferenceNetwork net{widths, activation, loss, l2, {}, 0.0, {.leaky_slope = 0.3, .elu_alpha = 0.7}};
  net.parameters = random_doubles(net.parameter_count(), 5);
  return net;
}

std::vector<Sample> samples(std::size_t rows, std::size_t inputs, std::size_t outputs) {
  std::vector<Sample> batch;
  for (std::size_t i = 0; i < rows; ++i)
    batch.push_back(
        {random_doubles(inputs, 100 + i), static_cast<double>(i % std::max<std::size_t>(outputs, 2))});
  return batch;
}

TEST(ReferenceNetwork, GradientIsTheCentralDifferenceOfTheLoss) {
  for_every<Activation>([](Activation activation) {
    for_every<Loss>([&](Loss loss) {
      for (const std::size_t outputs : {1, 3}) {
        if ((outputs == 1 && loss == Loss::kCrossEntropy) ||
            (outputs == 3 && loss == Loss::kBinaryCrossEntropy))
          continue;
        for (const auto& hidden : {std::vector<std::size_t>{}, {6}, {6, 5}}) {
          std::vector<std::size_t> widths = {4};
          widths.insert(widths.end(), hidden.begin(), hidden.end());
          widths.push_back(outputs);
          const auto net = network(widths, activation, loss, 0.3);
          const auto batch = samples(7, 4, outputs);
          const auto gradient = net.gradient(batch, /*with_l2=*/true);
          double norm = 0.0;
          for (const double g : gradient) norm += g * g;
          for (std::size_t i = 0; i < gradient.size(); ++i) {
            constexpr double kStep = 1e-5;
            auto up = net, down = net;
            up.parameters[i] += kStep;
            down.parameters[i] -= kStep;
            const double quotient = (up.mean_loss(batch) - down.mean_loss(batch)) / (2.0 * kStep);
            EXPECT_NEAR(gradient[i], quotient, 1e-6 * std::sqrt(norm)) << "parameter " << i;
          }
        }
      }
    });
  });
}

TEST(ReferenceNetwork, ActivationSlopeIsTheCentralDifferenceOfTheActivation) {
  for_every<Activation>([](Activation f) {
    for (const kernels::ActivationParameters& p :
         {kernels::ActivationParameters{}, {.leaky_slope = 0.5, .elu_alpha = 2.0}}) {
      for (const double x : {-30.0, -3.0, -0.5, -0.01, 0.01, 0.5, 3.0, 30.0}) {
        const double quotient = (activation(f, x + 1e-5, p) - activation(f, x - 1e-5, p)) / 2e-5;
        EXPECT_NEAR(activation_slope(f, x, p), quotient, 1e-9) << x;
      }
    }
  });
}

TEST(ReferenceNetwork, LossesKeepTheirDigits) {
  const double one[] = {40.0}, two[] = {0.0, 40.0}, far[] = {0.0, 5000.0};
  const double small = std::exp(-40.0);
  EXPECT_DOUBLE_EQ(test::sample_loss(Loss::kBinaryCrossEntropy, one, 1), small);
  EXPECT_DOUBLE_EQ(test::sample_loss(Loss::kBinaryCrossEntropy, one, 0), 40.0);
  EXPECT_DOUBLE_EQ(sample_loss_gradient(Loss::kBinaryCrossEntropy, one, 1)[0], -small);
  EXPECT_DOUBLE_EQ(test::sample_loss(Loss::kCrossEntropy, two, 1), small);
  EXPECT_DOUBLE_EQ(sample_loss_gradient(Loss::kCrossEntropy, two, 1)[0], small);
  EXPECT_DOUBLE_EQ(sample_loss_gradient(Loss::kCrossEntropy, two, 1)[1], -small);
  EXPECT_DOUBLE_EQ(test::sample_loss(Loss::kCrossEntropy, far, 0), 5000.0);
}

TEST(ReferenceNetwork, MakesAWorkedExample) {
  // One hidden unit: z = 2*1 + 1*(-1) + 0.5 = 1.5; relu; outputs 1.5*(2, -1) + (0, 1) = (3, -0.5).
  ReferenceNetwork net{{2, 1, 2}, Activation::kRelu, Loss::kHalfMse, 0.0, {2, 1, 0.5, 2, -1, 0, 1}, {}};
  const Sample sample{{1, -1}, 1};
  EXPECT_EQ(net.outputs(sample), (std::vector<double>{3.0, -0.5}));
  // Errors (3, -1.5): loss (9 + 2.25) / 2.
  EXPECT_DOUBLE_EQ(net.mean_loss({&sample, 1}), 5.625);
  // By z: 3*2 + (-1.5)*(-1) = 7.5; weights of the output layer: errors times 1.5.
  EXPECT_EQ(net.gradient({&sample, 1}, true), (std::vector<double>{7.5, -7.5, 7.5, 4.5, -2.25, 3.0, -1.5}));
  net.l2 = 0.1;
  EXPECT_DOUBLE_EQ(net.l2_loss(), 0.05 * (4 + 1 + 4 + 1));
  EXPECT_EQ(net.count_correct({&sample, 1}), 0U);
}

}  // namespace
}  // namespace lockstep::test
