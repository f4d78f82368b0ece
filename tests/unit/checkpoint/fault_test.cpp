#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "checkpoint/checkpoint_folder.hpp"
#include "checkpoint/load_weights.hpp"
#include "core/error.hpp"
#include "example.hpp"
#include "support/error_message.hpp"
#include "support/temporary_folder.hpp"

/// A save is made to fail, or the process is killed, at each of its operations in turn: afterwards
/// the newest valid checkpoint is the old or the new one, complete, and the next save works.
namespace effuse {
namespace {

namespace fs = std::filesystem;

constexpr int kKilled = 99;

/// How a file system takes the wish to swap two names.
enum class Exchange { supported, unsupported };

/// A hook that calls `action` before the n-th operation (from 0) and counts all.
template <class Action>
FileHook at_operation(int n, Exchange exchange, int& count, Action action) {
  return [n, exchange, &count, action](FileOperation operation, const fs::path& path) {
    if (count++ == n) action(operation, path);
    if (operation == FileOperation::exchange && exchange == Exchange::unsupported) {
      throw std::system_error(EINVAL, std::generic_category());
    }
  };
}

[[noreturn]] void fail_with_full_disk(FileOperation operation, const fs::path& path) {
  throw std::system_error(ENOSPC, std::generic_category(),
                          std::string(name_of(operation)) + " " + path.string());
}

/// The old checkpoint and the one to be saved; both may be of the same step.
struct Case {
  std::int64_t old_step;
  std::int64_t new_step;
  Exchange exchange;
  const char* name;
};

class Fault : public testing::TestWithParam<Case> {
 protected:
  CheckpointContents old_one() const { return example_checkpoint(GetParam().old_step); }
  CheckpointContents new_one() const {
    CheckpointContents contents = example_checkpoint(GetParam().new_step);
    contents.state.dataset_fingerprint = "new";
    return contents;
  }

  /// What a save, and the retention after it, take in operations.
  int operations() const {
    const TemporaryFolder folder;
    CheckpointFolder(folder.path()).save(old_one());
    int count = 0;
    save_and_retain(folder.path(), at_operation(-1, GetParam().exchange, count, [](auto...) {}));
    return count;
  }

  void save_and_retain(const fs::path& folder, const FileHook& hook) const {
    CheckpointFolder checkpoints(folder, hook);
    checkpoints.save(new_one());
    checkpoints.retain(1);
  }

  void expect_old_or_new(const fs::path& folder) const {
    const auto found = CheckpointFolder(folder).load_newest_valid();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->damaged, std::vector<std::string>{});
    EXPECT_TRUE(equal(found->contents, old_one()) || equal(found->contents, new_one()));
    const NamedTensors ema = load_weights(folder, WeightsKind::ema).tensors;
    EXPECT_TRUE(equal(ema, found->contents.ema));
  }

  void expect_next_save_tidies_up(const fs::path& folder) const {
    CheckpointFolder next(folder);
    next.save(new_one());
    next.retain(1);
    EXPECT_TRUE(equal(next.load_newest_valid()->contents, new_one()));
    EXPECT_EQ(names_in(folder).size(), 2u);
    EXPECT_EQ(fs::read_symlink(folder / "latest").string(), names_in(folder).back());
  }
};

TEST_P(Fault, AFailureAtAnyOperationLosesNothing) {
  const int total = operations();
  ASSERT_GT(total, 20);
  for (int n = 0; n < total; ++n) {
    SCOPED_TRACE(n);
    const TemporaryFolder folder;
    CheckpointFolder(folder.path()).save(old_one());
    int count = 0;
    const FileHook hook = at_operation(n, GetParam().exchange, count, &fail_with_full_disk);
    const std::string message =
        message_of<CheckpointError>([&] { save_and_retain(folder.path(), hook); });
    EXPECT_NE(message.find("No space left on device"), std::string::npos) << message;
    expect_old_or_new(folder.path());
    EXPECT_TRUE(fs::exists(folder / "latest/manifest.json")) << "latest leads nowhere";
    expect_next_save_tidies_up(folder.path());
  }
}

TEST_P(Fault, AKillAtAnyOperationLosesNothing) {
  const int total = operations();
  for (int n = 0; n < total; ++n) {
    SCOPED_TRACE(n);
    const TemporaryFolder folder;
    CheckpointFolder(folder.path()).save(old_one());
    const pid_t child = ::fork();
    if (child == 0) {
      int count = 0;
      const auto kill = [](auto...) { ::_exit(kKilled); };
      save_and_retain(folder.path(), at_operation(n, GetParam().exchange, count, kill));
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(WEXITSTATUS(status), kKilled);
    expect_old_or_new(folder.path());
    expect_next_save_tidies_up(folder.path());
  }
}

TEST_P(Fault, AFailedSaveLeavesNoTemporaryFolder) {
  const int total = operations();
  for (int n = 0; n < total; ++n) {
    SCOPED_TRACE(n);
    const TemporaryFolder folder;
    CheckpointFolder(folder.path()).save(old_one());
    int count = 0;
    CheckpointFolder failing(folder.path(),
                             at_operation(n, GetParam().exchange, count, &fail_with_full_disk));
    try {
      failing.save(new_one());
    } catch (const CheckpointError&) {
    }
    for (const std::string& name : names_in(folder.path())) {
      EXPECT_EQ(name.find(".tmp-"), std::string::npos) << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Fault,
                         testing::Values(Case{10, 20, Exchange::supported, "another_step"},
                                         Case{20, 20, Exchange::supported, "the_same_step"},
                                         Case{20, 20, Exchange::unsupported,
                                              "the_same_step_without_exchange"}),
                         [](const auto& test) { return test.param.name; });

TEST(FileHook, SeesEveryOperationOfASaveInItsOrder) {
  const TemporaryFolder folder;
  std::vector<std::string> seen;
  CheckpointFolder checkpoints(folder.path(), [&](FileOperation operation, const fs::path& path) {
    const std::string line = std::string(name_of(operation)) + " " + path.filename().string();
    if (seen.empty() || seen.back() != line) seen.push_back(line);
  });
  checkpoints.save(example_checkpoint(20));
  const std::string temporary = ".step-00000020.tmp-" + std::to_string(::getpid());
  const std::string link = ".latest.tmp-" + std::to_string(::getpid());
  std::vector<std::string> expected{"make_folder " + temporary};
  for (const char* file : {"model.safetensors", "ema.safetensors", "optimizer.safetensors",
                           "state.json", "manifest.json"}) {
    for (const char* operation : {"create ", "write ", "sync "}) {
      expected.push_back(operation + std::string(file));
    }
  }
  const std::string here = folder.path().filename().string();
  expected.insert(expected.end(), {"sync " + temporary, "rename step-00000020", "sync " + here,
                                   "link " + link, "rename latest", "sync " + here});
  EXPECT_EQ(seen, expected);
}

}  // namespace
}  // namespace effuse
