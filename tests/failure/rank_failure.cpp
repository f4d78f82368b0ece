#include <ATen/ops/ones.h>
#include <unistd.h>

#include <iostream>
#include <string>

#include "comm/agreement.hpp"
#include "comm/communicator.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

/// A job that fails in the way its argument says, for tests/failure/rank_failure_test.py:
///   loop       reductions without end; prints "rank R pid P" at every rank after the first
///   throw CODE rank 1 fails with that exit code while the others wait for it
///   agree      rank 1 finds bad data, and all ranks agree on it
///   absent     rank 1 stays away from a reduction with a short deadline
///   unfinished rank 1 does not come to the end of the job, which has a short deadline
///   late       rank 1 does not even start MPI, and the others wait for it with a short deadline
namespace effuse {
namespace {

class Failure : public Error {
 public:
  explicit Failure(int code) : Error("rank 1 fails on purpose"), code_(code) {}
  ExitCode exit_code() const override { return static_cast<ExitCode>(code_); }

 private:
  int code_;
};

void reduce_for_ever(Communicator& communicator) {
  at::Tensor tensor = at::ones({1000000}, at::kFloat);
  for (bool told = false;; told = true) {
    communicator.all_reduce(tensor, ReduceOp::max);
    if (!told)
      std::cout << cat("rank ", communicator.rank(), " pid ", ::getpid(), "\n") << std::flush;
  }
}

[[noreturn]] void stay_away() {
  for (;;) ::pause();  // a signal ends it
}

void run(Session& session, const std::string& way, int code) {
  const Deadlines deadlines{.step_s = way == "absent" || way == "unfinished" ? 0.5 : 60.0};
  const auto communicator = make_communicator(session, "auto", at::kCPU, deadlines);
  const bool odd_one = communicator->rank() == 1;
  communicator->enter(CommSection::step);
  if (way == "loop") reduce_for_ever(*communicator);
  if (way == "throw" && odd_one) throw Failure(code);
  if (way == "agree") {
    agree(*communicator, [&] {
      if (odd_one) throw DataError("shard 3 is damaged");
    });
  }
  if (way == "absent" && odd_one) stay_away();
  communicator->barrier();
  if (way == "unfinished" && odd_one) stay_away();
}

void finish(Session& session, double deadline_s) {
  try {
    session.finish(deadline_s);
  } catch (const CommError& error) {
    std::cerr << cat("rank ", session.rank(), ": ", error.what(), "\n");
    session.abort(error.exit_code());
  }
}

/// The order of leaving that every job keeps: what all ranks know of ends in order, anything else
/// ends the others too.
int main(const std::string& way, int code) {
  try {
    if (way == "late" && launched_rank() == 1) stay_away();
    Session session = Session::open(way == "late" ? 3.0 : 600.0);
    log::configure({.rank = session.rank(), .world_size = session.world_size(), .file = {}});
    ExitCode answer = ExitCode::done;
    try {
      run(session, way, code);
    } catch (const CommError& error) {
      std::cerr << cat("rank ", session.rank(), ": ", error.what(), "\n");
      session.abort(error.exit_code());
    } catch (const Failure& error) {
      std::cerr << cat("rank ", session.rank(), ": ", error.what(), "\n");
      session.abort(error.exit_code());
    } catch (const Error& error) {
      if (session.rank() == 0) std::cerr << error.what() << "\n";
      answer = error.exit_code();
    }
    finish(session, way == "unfinished" ? 0.5 : 600.0);
    return static_cast<int>(answer);
  } catch (const Error& error) {
    std::cerr << error.what() << "\n";
    return static_cast<int>(error.exit_code());
  }
}

}  // namespace
}  // namespace effuse

int main(int argc, char** argv) {
  return effuse::main(argc > 1 ? argv[1] : "", argc > 2 ? std::stoi(argv[2]) : 1);
}
