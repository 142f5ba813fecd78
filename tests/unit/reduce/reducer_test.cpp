// Sums of gradients over blocks, passes and ranks: against the reference network, and against the sum of one
// rank.
#include "reduce/reducer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "base/error.h"
#include "hosts.h"
#include "modes.h"
#include "mpi_main.h"
#include "reference_model.h"

namespace lockstep::reduce {
namespace {

using kernels::Activation;
using kernels::Loss;
using test::ModeCase;
using test::Sample;

using test::self;
using test::world;

// A network, and a step's batch in blocks of several sizes. `factor` multiplies the gradient.
struct Problem {
  std::vector<std::size_t> hidden = {9, 5};
  Activation activation = Activation::kSigmoid;
  Loss loss = Loss::kCrossEntropy;
  std::vector<std::size_t> block_rows = {5, 1, 8, 7, 3, 8, 1, 2, 6};
  double factor = 1.0;
  std::size_t inputs = 7, outputs = 4;
  std::vector<std::size_t> frozen = {};  // layers, as nn::layers_of has them

  nn::Model model() const {
    nn::ModelOptions options;
    options.hidden = hidden;
    options.activation = activation;
    options.layers = nn::layers_of(options);
    for (const std::size_t layer : frozen) options.layers[layer].frozen = true;
    return {options, inputs, outputs};
  }
  std::size_t first_row(std::size_t block) const {
    std::size_t rows = 0;
    for (std::size_t b = 0; b < block; ++b) rows += block_rows[b];
    return rows;
  }
  std::vector<Sample> batch() const {
    return test::random_batch(first_row(block_rows.size()), inputs, outputs, 11);
  }
};

// The first block of a rank; the rank after the last has the number of blocks.
std::size_t first_block(const Problem& problem, const comm::Communicator& communicator, int rank) {
  return problem.block_rows.size() * static_cast<std::size_t>(rank) /
         static_cast<std::size_t>(communicator.size());
}

// Adds this rank's blocks, `blocks_a_pass` at a time; a rank without any makes a pass of none. Returns how
// finish() ended.
Reducer::Outcome add_once(Reducer& reducer, const Problem& problem, const nn::Model& model,
                          std::span<const float> arena, const comm::Communicator& communicator,
                          std::size_t blocks_a_pass, int threads,
                          const std::function<void()>& before_finish) {
  const auto batch = problem.batch();
  const std::size_t end = first_block(problem, communicator, communicator.rank() + 1);
  nn::Workspace workspace(model, batch.size(), nn::Workspace::Use::kForwardAndBackward);
  std::size_t b = first_block(problem, communicator, communicator.rank());
  do {
    const std::size_t last = std::min(end, b + blocks_a_pass);
    const std::size_t first = problem.first_row(b), rows = problem.first_row(last) - first;
    const auto targets = test::fill_input(std::span(batch).subspan(first, rows), workspace.input(rows));
    const nn::PassContext pass{.threads = threads};
    const auto outputs = model.forward(arena, workspace, rows, pass);
    kernels::evaluate_loss(problem.loss, outputs, targets, problem.factor / static_cast<double>(batch.size()),
                           workspace.output_gradient(rows), threads);
    reducer.begin_pass(std::span(problem.block_rows).subspan(b, last - b), last == end);
    model.backward(arena, workspace, rows, reducer, pass);
    b = last;
  } while (b < end);
  if (before_finish) before_finish();
  return reducer.finish();
}

// The same, repeated while the reducer asks for it: a few times at most.
Reducer::Outcome add(Reducer& reducer, const Problem& problem, const nn::Model& model,
                     std::span<const float> arena, const comm::Communicator& communicator,
                     std::size_t blocks_a_pass = 2, int threads = 1,
                     const std::function<void()>& before_finish = nullptr) {
  for (int tries = 0; tries < 10; ++tries) {
    const auto outcome =
        add_once(reducer, problem, model, arena, communicator, blocks_a_pass, threads, before_finish);
    if (outcome != Reducer::Outcome::kRepeat) return outcome;
  }
  return Reducer::Outcome::kRepeat;
}

std::vector<float> arena_of(const nn::Model& model) {
  return test::random_floats(model.parameters(), 3, 0.7F);
}

std::vector<float> reduced(const ModeCase& mode, const Problem& problem,
                           const comm::Communicator& communicator, std::size_t blocks_a_pass = 2,
                           int threads = 1) {
  const nn::Model model = problem.model();
  const auto reducer = make_reducer(mode.options, model, problem.block_rows.size(), communicator, threads);
  EXPECT_EQ(add(*reducer, problem, model, arena_of(model), communicator, blocks_a_pass, threads),
            Reducer::Outcome::kSummed);
  return reducer->gradient();
}

std::vector<double> reference(const Problem& problem) {
  const nn::Model model = problem.model();
  auto gradient = test::reference_of(model, problem.activation, problem.loss, arena_of(model))
                      .gradient(problem.batch(), /*with_l2=*/false);
  for (double& g : gradient) g *= problem.factor;
  return gradient;
}

// Bit for bit where the mode promises it, else to rounding.
void expect_same(const ModeCase& mode, const Problem& problem, const std::vector<float>& a,
                 const std::vector<float>& b) {
  if (mode.exact)
    EXPECT_TRUE(test::same_bits(a, b));
  else
    test::expect_close_tensors(problem.model(), a, {b.begin(), b.end()}, mode.rounding);
}

template <typename Body>
void for_every_mode(Body&& body, std::span<const ModeCase> modes = test::kModes) {
  for (const ModeCase& mode : modes) {
    SCOPED_TRACE(mode.name);
    body(mode);
  }
}

// The sums of two steps against the reference. The first may be coarser: its scales are a guess.
void expect_reference(const ModeCase& mode, const Problem& problem) {
  const nn::Model model = problem.model();
  const auto reducer = make_reducer(mode.options, model, problem.block_rows.size(), world(), 1);
  for (const double tolerance : {std::max(mode.exact ? 1e-4 : 1e-5, mode.rounding), mode.rounding}) {
    EXPECT_EQ(add(*reducer, problem, model, arena_of(model), world()), Reducer::Outcome::kSummed);
    test::expect_close_tensors(model, reducer->gradient(), reference(problem), tolerance);
  }
}

TEST(Reducer, SumIsTheReferencesGradientForEveryActivationAndLoss) {
  for_every_mode(
      [](const ModeCase& mode) {
        test::for_every<Activation>([&](Activation activation) {
          test::for_every<Loss>([&](Loss loss) {
            for (const std::vector<std::size_t>& hidden : {std::vector<std::size_t>{}, {6}, {9, 5}}) {
              Problem problem;
              problem.hidden = hidden;
              problem.activation = activation;
              problem.loss = loss;
              problem.outputs = test::outputs_with(loss, problem.outputs);
              expect_reference(mode, problem);
            }
          });
        });
      },
      test::kDividedModes);
}

TEST(Reducer, SumIsThatOfOneRank) {
  for_every_mode([](const ModeCase& mode) {
    for (const std::vector<std::size_t>& block_rows : {Problem().block_rows,
                                                       {1},
                                                       {3, 3},
                                                       std::vector<std::size_t>(17, 1),
                                                       std::vector<std::size_t>(16, 4)}) {
      Problem problem;
      problem.block_rows = block_rows;
      expect_same(mode, problem, reduced(mode, problem, world()), reduced(mode, problem, self()));
    }
  });
}

TEST(Reducer, SumDoesNotDependOnThreadsOrPasses) {
  for_every_mode([](const ModeCase& mode) {
    const Problem problem;
    const auto first = reduced(mode, problem, self(), 1, 1);
    for (const std::size_t blocks_a_pass : {1, 2, 4, 9})
      for (const int threads : {1, 2, 3})
        expect_same(mode, problem, reduced(mode, problem, world(), blocks_a_pass, threads), first);
  });
}

// Weights larger than the parts that threads take.
TEST(Reducer, LargeTensorsAreSummedAlikeByAnyNumberOfThreads) {
  for_every_mode([](ModeCase mode) {
    mode.options.bucket_bytes *= 1024;
    Problem problem;
    problem.inputs = 1100;
    problem.hidden = {300};
    problem.block_rows = {3, 2, 4, 1, 3};
    expect_reference(mode, problem);
    const auto first = reduced(mode, problem, self(), 5, 1);
    for (const int threads : {1, 3})
      expect_same(mode, problem, reduced(mode, problem, world(), 2, threads), first);
  });
}

TEST(Reducer, EveryRankGetsTheSameBits) {
  for_every_mode([](const ModeCase& mode) {
    const auto gradient = reduced(mode, {}, world());
    std::string of_first(reinterpret_cast<const char*>(gradient.data()), gradient.size() * sizeof(float));
    const std::string own = of_first;
    world().broadcast(of_first, 0);
    EXPECT_TRUE(own == of_first);
  });
}

TEST(Reducer, ASumBeginsAnew) {
  for_every_mode([](const ModeCase& mode) {
    const Problem problem;
    const nn::Model model = problem.model();
    const auto reducer = make_reducer(mode.options, model, problem.block_rows.size(), world(), 1);
    for (int step = 0; step < 3; ++step) {
      EXPECT_EQ(add(*reducer, problem, model, arena_of(model), world()), Reducer::Outcome::kSummed);
      test::expect_close_tensors(model, reducer->gradient(), reference(problem),
                                 std::max(1e-4, mode.rounding));
    }
    Problem nothing;
    nothing.block_rows = {};
    EXPECT_EQ(add(*reducer, nothing, model, arena_of(model), world()), Reducer::Outcome::kSummed);
    for (const float g : reducer->gradient()) EXPECT_EQ(g, 0.0F);
  });
}

// From the second step on, when all scales have been found.
TEST(Reducer, FrozenTensorsReadAsZeroAndChangeNoBitOfTheOthers) {
  for_every_mode([](const ModeCase& mode) {
    const auto of_second_step = [&](const Problem& problem) {
      const nn::Model model = problem.model();
      const auto reducer = make_reducer(mode.options, model, problem.block_rows.size(), world(), 2);
      for (int step = 0; step < 2; ++step)
        EXPECT_EQ(add(*reducer, problem, model, arena_of(model), world()), Reducer::Outcome::kSummed);
      return reducer->gradient();
    };
    const auto whole = of_second_step({});
    for (const std::vector<std::size_t>& frozen :
         {std::vector<std::size_t>{0}, {2}, {4}, {0, 2}, {0, 4}, {0, 2, 4}}) {
      Problem problem;
      problem.frozen = frozen;
      const auto part = of_second_step(problem);
      const nn::Model model = problem.model();
      for (const nn::Tensor& tensor : model.tensors()) {
        const auto values = tensor.slice(std::span(part));
        if (tensor.learns())
          EXPECT_TRUE(test::same_bits(values, tensor.slice(std::span(whole)))) << tensor.name;
        else
          for (const float g : values) EXPECT_EQ(g, 0.0F) << tensor.name;
      }
    }
  });
}

// Between hosts the sum is there bucket by bucket, and what a rank may read is that of one rank.
TEST(Reducer, ChunksCanBeReadAsTheyCome) {
  Problem problem;
  problem.hidden = {200, 150};
  const nn::Model model = problem.model();
  const ReduceOptions options{.update = Update::kDivided, .levels = Levels::kOne, .bucket_bytes = 40000};
  const std::vector<float> one = reduced({options, "exact", true}, problem, self());
  for (const auto& hosts : test::layouts_of_hosts(world().size())) {
    const comm::Communicator ranks = world().taken_to_be_on(hosts);
    const auto reducer = make_reducer(options, model, problem.block_rows.size(), ranks, 1);
    const std::span own = reducer->division().own();
    for (int step = 0; step < 3; ++step) {
      ASSERT_EQ(add(*reducer, problem, model, arena_of(model), ranks), Reducer::Outcome::kSummed);
      for (std::size_t begin = 0, end = 0; begin < own.size(); begin = end) {
        end = reducer->wait_for_sum(begin + 1);
        ASSERT_GT(end, begin);
        ASSERT_LE(end, own.size());
        for (const Division::OwnChunk& chunk : own.subspan(begin, end - begin)) {
          std::vector<float> scratch(chunk.size);
          const auto sum = reducer->read(chunk.tensor, chunk.begin, scratch);
          EXPECT_TRUE(
              test::same_bits({sum.begin(), sum.end()}, std::span(one).subspan(chunk.begin, chunk.size)));
        }
      }
      reducer->wait_for_whole_sum();  // of a rank that has no part, too
      EXPECT_EQ(reducer->wait_for_sum(0), own.size()) << "all of it stays";
    }
  }
}

// Between the last pass and finish() the caller may communicate, whatever travels already: as the trainer
// does to sum the losses. Ranks without blocks do so too.
TEST(Reducer, OtherSumsMayComeBetweenTheLastPassAndFinish) {
  for_every_mode([](const ModeCase& mode) {
    for (const std::size_t blocks : {std::size_t{9}, std::size_t{1}}) {
      Problem problem;
      problem.block_rows.resize(blocks);
      const nn::Model model = problem.model();
      const auto reducer = make_reducer(mode.options, model, blocks, world(), 1);
      for (int step = 0; step < 3; ++step) {
        const auto other_sum = [] {
          std::int64_t one = 1;
          world().allreduce_sum(std::span(&one, 1));
          EXPECT_EQ(one, world().size());
        };
        EXPECT_EQ(add(*reducer, problem, model, arena_of(model), world(), 2, 1, other_sum),
                  Reducer::Outcome::kSummed);
        test::expect_close_tensors(model, reducer->gradient(), reference(problem),
                                   std::max(1e-4, mode.rounding));
      }
    }
  });
}

TEST(Reducer, RefusesToFinishBeforeTheLastPass) {
  for_every_mode([](const ModeCase& mode) {
    const Problem problem;
    const nn::Model model = problem.model();
    const auto reducer = make_reducer(mode.options, model, problem.block_rows.size(), world(), 1);
    EXPECT_THROW(reducer->finish(), ShapeError);
    reducer->begin_pass(problem.block_rows, /*last=*/false);
    EXPECT_THROW(reducer->finish(), ShapeError);
  });
}

// A gradient that jumps by orders of magnitude from step to step keeps its relative accuracy.
TEST(Reducer, FollowsGradientsOfAnySize) {
  for_every_mode([](const ModeCase& mode) {
    Problem problem;
    const nn::Model model = problem.model();
    const auto reducer = make_reducer(mode.options, model, problem.block_rows.size(), world(), 1);
    const auto alone = make_reducer(mode.options, model, problem.block_rows.size(), self(), 1);
    for (const double factor : {1.0, 1e3, 15.0, 1e-6, 3e-4, 1e12, 1e-15, 1e-30, 1e25, 1.0}) {
      SCOPED_TRACE(factor);
      problem.factor = factor;
      EXPECT_EQ(add(*reducer, problem, model, arena_of(model), world()), Reducer::Outcome::kSummed);
      EXPECT_EQ(add(*alone, problem, model, arena_of(model), self()), Reducer::Outcome::kSummed);
      test::expect_close_tensors(model, reducer->gradient(), reference(problem),
                                 std::max(1e-4, mode.rounding));
      expect_same(mode, problem, reducer->gradient(), alone->gradient());
    }
  });
}

TEST(Reducer, ANumberThatIsNotFiniteOnOneRankEndsTheSumOnAll) {
  for_every_mode([](const ModeCase& mode) {
    const Problem problem;
    const nn::Model model = problem.model();
    for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
      for (int rank = 0; rank < world().size(); ++rank) {
        const auto reducer = make_reducer(mode.options, model, problem.block_rows.size(), world(), 1);
        auto arena = arena_of(model);
        // An output's bias: no activation stands between it and the gradient.
        if (world().rank() == rank) arena[model.tensors().back().offset] = bad;
        EXPECT_EQ(add(*reducer, problem, model, arena, world()), Reducer::Outcome::kNotFinite) << bad;
      }
    }
  });
}

TEST(Reducer, ExactSumsRefuseMoreBlocksThanTheyHaveBitsFor) {
  const nn::Model model = Problem().model();
  EXPECT_NO_THROW(make_reducer({.mode = Mode::kExact}, model, 32767, world(), 1));
  test::expect_line_with(
      test::message_of<ConfigError>([&] { make_reducer({.mode = Mode::kExact}, model, 32768, world(), 1); }),
      {"32768", "32767", "data.shards", "reduce.mode"});
  const ReduceOptions narrow = {.mode = Mode::kExact, .wire = Wire::kInt16};
  EXPECT_NO_THROW(make_reducer(narrow, model, 127, world(), 1));
  test::expect_line_with(test::message_of<ConfigError>([&] { make_reducer(narrow, model, 128, world(), 1); }),
                         {"128", "127", "data.shards", "reduce.wire"});
}

}  // namespace
}  // namespace lockstep::reduce
