// What a checkpoint keeps of a run beside the trainer's state.
#include "run/run_record.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "support.h"

namespace lockstep::run {
namespace {

SavedRun example() {
  SavedRun run;
  run.record.last = {.epoch = 7,
                     .train_loss = 1.0 / 3.0,
                     .train_accuracy = 0.1,
                     .test_loss = 1e-300,
                     .test_accuracy = 1.0,
                     .learning_rate = 0.3,
                     .seconds = 12.5,
                     .samples_per_second = 1e6,
                     .rescaled_steps = 3,
                     .compute_seconds = 7.5,
                     .wait_seconds = 0.25,
                     .transfer_seconds = 0.125,
                     .test_top5_accuracy = 0.875};
  run.record.rescaled_steps = 2;
  run.record.seconds = 0.1;
  run.record.compute_seconds = 0.5;
  run.record.wait_seconds = 0.0625;
  run.record.transfer_seconds = 0.03125;
  run.record.gradient_norms = {1.0 / 7.0, 0.0, 1e300};
  run.record.gradient_steps = 5;
  run.record.total_seconds = 100.25;
  run.record.best = 2.0 / 3.0;
  run.record.best_epoch = 6;
  run.record.best_row.epoch = 6;
  run.record.began_from = "a file";
  run.metrics = "7,\"x\"\n";
  run.config = {{"b", 1}, {"a", {{"z", 0.1}, {"y", "text"}}}};
  return run;
}

TEST(RunRecord, IsReadAsItWasWritten) {
  const SavedRun run = example(), read = from_metadata(to_metadata(run), "file");
  EXPECT_EQ(to_metadata(read), to_metadata(run));
  const RunRecord &a = read.record, &b = run.record;
  EXPECT_EQ(a.last.epoch, b.last.epoch);
  EXPECT_EQ(a.last.train_loss, b.last.train_loss);
  EXPECT_EQ(a.last.train_accuracy, b.last.train_accuracy);
  EXPECT_EQ(a.last.test_loss, b.last.test_loss);
  EXPECT_EQ(a.last.test_accuracy, b.last.test_accuracy);
  EXPECT_EQ(a.last.learning_rate, b.last.learning_rate);
  EXPECT_EQ(a.last.seconds, b.last.seconds);
  EXPECT_EQ(a.last.samples_per_second, b.last.samples_per_second);
  EXPECT_EQ(a.last.rescaled_steps, b.last.rescaled_steps);
  EXPECT_EQ(a.last.compute_seconds, b.last.compute_seconds);
  EXPECT_EQ(a.last.wait_seconds, b.last.wait_seconds);
  EXPECT_EQ(a.last.transfer_seconds, b.last.transfer_seconds);
  EXPECT_EQ(a.last.test_top5_accuracy, b.last.test_top5_accuracy);
  EXPECT_TRUE(std::isnan(a.best_row.test_top5_accuracy));
  EXPECT_EQ(a.rescaled_steps, b.rescaled_steps);
  EXPECT_EQ(a.compute_seconds, b.compute_seconds);
  EXPECT_EQ(a.wait_seconds, b.wait_seconds);
  EXPECT_EQ(a.transfer_seconds, b.transfer_seconds);
  EXPECT_EQ(a.seconds, b.seconds);
  EXPECT_EQ(a.gradient_norms, b.gradient_norms);
  EXPECT_EQ(a.gradient_steps, b.gradient_steps);
  EXPECT_EQ(a.total_seconds, b.total_seconds);
  EXPECT_EQ(a.best, b.best);
  EXPECT_EQ(a.best_epoch, b.best_epoch);
  EXPECT_EQ(read.metrics, run.metrics);
  EXPECT_EQ(read.config.dump(), run.config.dump());  // in the same order
  EXPECT_EQ(read.blis_family, "");
}

TEST(RunRecord, KeepsThatThereIsNoTestSetAndNoBest) {
  SavedRun run = example();
  run.record.last.test_loss = run.record.last.test_accuracy = std::nan("");
  run.record.best.reset();
  const SavedRun read = from_metadata(to_metadata(run), "file");
  EXPECT_TRUE(std::isnan(read.record.last.test_loss));
  EXPECT_TRUE(std::isnan(read.record.last.test_accuracy));
  EXPECT_FALSE(read.record.best.has_value());
}

TEST(RunRecord, ThatIsNotReadableIsRefusedWithTheFilesName) {
  const auto refused = [](const nn::TensorMetadata& metadata) {
    test::expect_line_with(test::message_of<ModelError>([&] { from_metadata(metadata, "a/file"); }),
                           {"a/file: ", "not readable"});
  };
  for (const char* key : {"config", "metrics", "run"}) {
    nn::TensorMetadata metadata = to_metadata(example());
    metadata.erase(key);
    refused(metadata);
  }
  for (const char* text : {"", "{", "[]", "{}", "7"}) {
    nn::TensorMetadata metadata = to_metadata(example());
    metadata["run"] = text;
    refused(metadata);
  }
}

}  // namespace
}  // namespace lockstep::run
