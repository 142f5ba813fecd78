// Which folders a run may write to, and that a kill leaves the old run or the new one.
#include "run/run_place.h"

#include <gtest/gtest.h>

#include <map>

#include "base/error.h"
#include "support.h"

namespace lockstep::run {
namespace {

namespace fs = std::filesystem;
using test::expect_line_with;
using test::message_of;
using Files = std::map<std::string, std::string>;  // paths within the folder, and contents

struct RunPlaceTest : testing::Test {
  void write(const std::string& name, const std::string& text = "x") const {
    fs::create_directories((out_ / name).parent_path());
    write_file_atomically(out_ / name, text);
  }
  // All that another run, and its user, have left.
  void write_old_run() const {
    write(".lock");
    for (const char* name : {"config.toml", "summary.json", "model.safetensors", "steps.csv", "events.jsonl",
                             "events.out.tfevents.0000000009.lockstep", "predictions.csv",
                             "checkpoints/step-000000009.safetensors", "checkpoints/best.safetensors"})
      write(name, "old");
    write("metrics.csv", "epoch\nold\n");
    write("notes.txt", "mine");
    write("checkpoints/notes.txt", "mine");
  }
  // What a run of ours writes until its first checkpoint.
  static void write_new_run(const RunPlace& place) {
    fs::create_directories(place.files() / "checkpoints");
    for (const auto& [name, text] : kNew) write_file_atomically(place.files() / name, text);
  }
  Files files() const {
    Files found;
    for (const auto& entry : fs::recursive_directory_iterator(out_))
      if (entry.is_regular_file() && entry.path().filename() != ".lock")
        found[fs::relative(entry.path(), out_).string()] = read_file(entry.path());
    return found;
  }
  RunPlace place(std::vector<std::string> resume = {}, bool overwrite = false) const {
    return RunPlace({out_, std::move(resume), overwrite});
  }
  std::string refusal(std::vector<std::string> resume = {}, bool overwrite = false) const {
    return message_of<ConfigError>([&] { place(resume, overwrite); });
  }

  static inline const Files kNew = {{"config.toml", "new"},
                                    {"metrics.csv", "epoch\nnew\n"},
                                    {"checkpoints/step-000000003.safetensors", "new"}};
  static inline const Files kMine = {{"notes.txt", "mine"}, {"checkpoints/notes.txt", "mine"}};
  static Files new_run_and_mine() {
    Files all = kNew;
    all.insert(kMine.begin(), kMine.end());
    return all;
  }

  const test::TemporaryFolder folder_;
  const fs::path out_ = folder_.path() / "run";
};

TEST_F(RunPlaceTest, AFolderWithARunIsRefusedAndUntouched) {
  write_old_run();
  const Files before = files();
  expect_line_with(refusal(),
                   {"run: holds a run (summary.json)", "--resume latest", "another --out", "--overwrite"});
  EXPECT_EQ(files(), before);
}

TEST_F(RunPlaceTest, AnyOfItsResultsMakesARun) {
  for (const char* name :
       {"summary.json", "model.safetensors", "checkpoints/step-000000009.safetensors", "metrics.csv"}) {
    write(".lock");
    write(name, "header\na row\n");
    expect_line_with(refusal(), {name});
    EXPECT_EQ(found_run(out_), name);
    fs::remove_all(out_);
  }
  write(".lock");
  write("metrics.csv", "header\n");  // of a run that was killed in its first epoch
  write("config.toml");
  write("steps.csv");
  EXPECT_EQ(found_run(out_), std::nullopt);
  RunPlace taken = place();
  taken.begin();
  EXPECT_EQ(files(), Files{});
  EXPECT_EQ(taken.files(), out_);
}

TEST_F(RunPlaceTest, FilesThatNoRunHasWrittenAreNeverTouched) {
  for (const char* name : {"config.toml", "metrics.csv", "model.safetensors", "predictions.csv",
                           "events.jsonl", "events.out.tfevents.0000000000.lockstep"})
    for (const bool overwrite : {false, true}) {
      write(name, "mine");
      expect_line_with(refusal({}, overwrite), {name, "is in the way", "expected another --out"});
      EXPECT_EQ(files(), (Files{{name, "mine"}}));
      EXPECT_FALSE(fs::exists(out_ / ".lock"));
      fs::remove_all(out_);
    }
  write("train.py", "mine");
  place().begin();
  EXPECT_EQ(files(), (Files{{"train.py", "mine"}}));
}

TEST_F(RunPlaceTest, WithOverwriteTheOldRunStaysUntilTheNewOneIsReady) {
  write_old_run();
  const Files before = files();
  RunPlace next = place({}, true);
  next.begin();
  ASSERT_TRUE(next.beside_another());
  EXPECT_EQ(files(), before);
  write_new_run(next);
  for (const auto& [name, text] : before) EXPECT_EQ(files().at(name), text) << name;
  next.replace();
  EXPECT_FALSE(next.beside_another());
  EXPECT_EQ(files(), new_run_and_mine());
}

TEST_F(RunPlaceTest, WhatARunThatCameToNothingLeftBesideGoesWithTheNext) {
  write_old_run();
  const Files before = files();
  {
    RunPlace next = place({}, true);
    next.begin();
    write_new_run(next);
  }
  RunPlace again = place({"latest"});
  again.begin();
  EXPECT_EQ(files(), before);
}

// A kill anywhere in between: some of the old run's files are deleted, or some of the new one's have moved.
TEST_F(RunPlaceTest, AReplacementThatWasKilledIsFinishedByTheNextRun) {
  for (std::size_t deleted = 0; deleted < 9; ++deleted) {
    fs::remove_all(out_);
    write_old_run();
    for (const auto& [name, text] : kNew) write(".replacing/" + name, text);
    std::size_t left = deleted;
    for (const auto& [name, text] : files())
      if (!name.starts_with(".") && text != "mine" && left > 0 && left--) fs::remove(out_ / name);
    EXPECT_EQ(place({"latest"}).resume(), "latest");
    EXPECT_EQ(files(), new_run_and_mine()) << deleted;
    EXPECT_FALSE(fs::exists(out_ / ".replacing") || fs::exists(out_ / ".moving"));
  }
  for (std::size_t moved = 0; moved <= kNew.size(); ++moved) {
    fs::remove_all(out_);
    for (const auto& [name, text] : kMine) write(name, text);
    write(".lock");
    fs::create_directories(out_ / ".moving/checkpoints");
    std::size_t left = moved;
    for (const auto& [name, text] : kNew) write((left > 0 && left-- ? "" : ".moving/") + name, text);
    expect_line_with(refusal(), {"holds a run (checkpoints/step-000000003.safetensors)"});
    EXPECT_EQ(files(), new_run_and_mine()) << moved;
    EXPECT_FALSE(fs::exists(out_ / ".moving"));
  }
}

TEST_F(RunPlaceTest, AutoGoesOnWhereThereIsACheckpointElseItIsAsIfItWereNotThere) {
  EXPECT_EQ(place({"auto"}).resume(), "");
  EXPECT_EQ(place({"elsewhere/step-000000001.safetensors", "auto"}).resume(),
            "elsewhere/step-000000001.safetensors");
  write(".lock");
  write("metrics.csv", "header\na row\n");  // of an attempt that had no checkpoint yet
  RunPlace again = place({"auto"});
  EXPECT_EQ(again.resume(), "");
  write("checkpoints/step-000000009.safetensors");
  { const RunPlace released = std::move(again); }
  EXPECT_EQ(place({"auto"}).resume(), "latest");
  EXPECT_EQ(place({"auto"}, true).resume(), "latest");  // the run that has taken the other's place
  write(".next/config.toml");                           // it has not yet
  EXPECT_EQ(place({"auto"}, true).resume(), "");
}

TEST_F(RunPlaceTest, AnothersCheckpointMayNotGoOnInAFolderWithARun) {
  write_old_run();
  expect_line_with(refusal({"elsewhere/checkpoints/step-000000009.safetensors"}), {"holds a run"});
  EXPECT_EQ(place({(out_ / "checkpoints/step-000000009.safetensors").string()}).files(), out_);
}

}  // namespace
}  // namespace lockstep::run
