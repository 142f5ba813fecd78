// main of the tests that run under mpirun: every rank runs every test, and a failure on any rank fails the
// job.
//
// Rank 0 prints GoogleTest's report, the other ranks only their failures. A test may go on after a failed
// EXPECT, in step with the other ranks. After a failed ASSERT or an exception it does not, and the others
// might wait for it forever: such a failure ends the job at once.
#include "mpi_main.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace lockstep::test {
namespace {

const comm::Session* the_session = nullptr;

class FailurePrinter final : public testing::EmptyTestEventListener {
 public:
  explicit FailurePrinter(const comm::Session& session) : session_(session) {}

  void OnTestStart(const testing::TestInfo& test) override {
    test_ = std::string(test.test_suite_name()) + "." + test.name();
  }

  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    const char* file = result.file_name() != nullptr ? result.file_name() : "?";
    const int rank = session_.world().rank();
    if (rank != 0)  // whose own report has it
      std::fprintf(stderr, "rank %d: %s: %s:%d: %s\n", rank, test_.c_str(), file, result.line_number(),
                   result.message());
    if (result.fatally_failed()) {
      std::fflush(nullptr);
      session_.abort(1);
    }
  }

 private:
  const comm::Session& session_;
  std::string test_;
};

}  // namespace

const comm::Session& session() { return *the_session; }

}  // namespace lockstep::test

int main(int argc, char** argv) {
  lockstep::comm::Session session(argc, argv);
  lockstep::test::the_session = &session;
  testing::InitGoogleTest(&argc, argv);
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  if (session.world().rank() != 0) delete listeners.Release(listeners.default_result_printer());
  listeners.Append(new lockstep::test::FailurePrinter(session));
  std::int64_t failed = RUN_ALL_TESTS() != 0 ? 1 : 0;
  session.world().allreduce_sum(std::span(&failed, 1));
  session.finalize();
  return failed != 0 ? 1 : 0;
}
