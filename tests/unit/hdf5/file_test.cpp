#include "hdf5/file.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <numeric>
#include <system_error>
#include <type_traits>

#include "core/error.hpp"
#include "core/files.hpp"
#include "support/temporary_folder.hpp"

namespace effuse::hdf5 {
namespace {

static_assert(std::is_nothrow_move_constructible_v<File>);
static_assert(!std::is_copy_constructible_v<File>);
static_assert(std::is_nothrow_move_constructible_v<Dataset>);

std::vector<std::uint8_t> counting(std::size_t count) {
  std::vector<std::uint8_t> values(count);
  std::iota(values.begin(), values.end(), std::uint8_t{0});
  return values;
}

void write_example(const std::filesystem::path& path) {
  File file = File::create(path);
  {
    Dataset images = file.create_dataset("images", Element::uint8, {3, 2, 2, 1});
    const std::vector<std::uint8_t> pixels = counting(12);
    images.write_rows<std::uint8_t>(1, std::span(pixels).subspan(4));
    images.write_rows<std::uint8_t>(0, std::span(pixels).first(4));
    Dataset labels = file.create_dataset("labels", Element::int64, {3});
    const std::vector<std::int64_t> values{-1, 7, std::int64_t{1} << 40};
    labels.write_rows<std::int64_t>(0, values);
  }
  const std::vector<std::string> paths{"cat/1.png", "Überzug/ä.png", ""};
  file.write_strings("paths", paths);
  file.set_attribute("version", std::int64_t{1});
  file.set_attribute("encoding", "raw");
  file.set_attribute("classes", std::span(paths).first(2));
  file.close();
}

TEST(File, reads_back_what_was_written) {
  const TemporaryFolder folder;
  write_example(folder / "a.h5");
  const File file = File::open(folder / "a.h5");
  const Dataset images = file.open_dataset("images");
  EXPECT_EQ(images.shape(), (std::vector<std::uint64_t>{3, 2, 2, 1}));
  EXPECT_EQ(images.read_all<std::uint8_t>(), counting(12));
  std::vector<std::int64_t> two(2);
  file.open_dataset("labels").read_rows<std::int64_t>(1, two);
  EXPECT_EQ(two, (std::vector<std::int64_t>{7, std::int64_t{1} << 40}));
  EXPECT_EQ(file.read_strings("paths"),
            (std::vector<std::string>{"cat/1.png", "Überzug/ä.png", ""}));
  EXPECT_EQ(file.integer_attribute("version"), 1);
  EXPECT_EQ(file.string_attribute("encoding"), "raw");
  EXPECT_EQ(file.string_list_attribute("classes"),
            (std::vector<std::string>{"cat/1.png", "Überzug/ä.png"}));
}

TEST(File, offset_leads_to_the_bytes) {
  const TemporaryFolder folder;
  write_example(folder / "a.h5");
  const std::uint64_t offset = File::open(folder / "a.h5").open_dataset("images").file_offset();
  const std::string bytes = read_file(folder / "a.h5");
  const std::vector<std::uint8_t> expected = counting(12);
  ASSERT_LE(offset + expected.size(), bytes.size());
  EXPECT_EQ(std::memcmp(bytes.data() + offset, expected.data(), expected.size()), 0);
}

TEST(File, equal_content_gives_equal_bytes) {
  const TemporaryFolder folder;
  write_example(folder / "a.h5");
  write_example(folder / "another-name.h5");
  EXPECT_EQ(read_file(folder / "a.h5"), read_file(folder / "another-name.h5"));
}

TEST(File, holds_ten_thousand_class_names) {
  const TemporaryFolder folder;
  std::vector<std::string> names;
  for (int i = 0; i < 10000; ++i) names.push_back("class-" + std::to_string(i));
  File file = File::create(folder / "a.h5");
  file.set_attribute("classes", names);
  file.close();
  EXPECT_EQ(File::open(folder / "a.h5").string_list_attribute("classes"), names);
}

template <class Function>
std::string data_error(Function function) {
  try {
    function();
  } catch (const DataError& error) {
    return error.what();
  }
  return "no DataError";
}

TEST(Errors, name_the_file_and_carry_the_stack) {
  const TemporaryFolder folder;
  std::ofstream(folder / "text.h5") << "this is no HDF5 file";
  const std::string message = data_error([&] { File::open(folder / "text.h5"); });
  EXPECT_NE(message.find("text.h5"), std::string::npos) << message;
  EXPECT_NE(message.find("file signature not found"), std::string::npos) << message;
}

TEST(Errors, missing_file_dataset_and_attribute) {
  const TemporaryFolder folder;
  EXPECT_NE(data_error([&] { File::open(folder / "none.h5"); }).find("No such file"),
            std::string::npos);
  write_example(folder / "a.h5");
  const File file = File::open(folder / "a.h5");
  EXPECT_NE(data_error([&] { file.open_dataset("nothing"); }).find("a.h5:/nothing"),
            std::string::npos);
  EXPECT_NE(data_error([&] { file.integer_attribute("nothing"); }).find("attribute nothing"),
            std::string::npos);
}

TEST(Errors, wrong_type_and_rows_outside) {
  const TemporaryFolder folder;
  write_example(folder / "a.h5");
  const File file = File::open(folder / "a.h5");
  const Dataset labels = file.open_dataset("labels");
  EXPECT_NE(data_error([&] { labels.read_all<std::uint8_t>(); }).find("another type than uint8"),
            std::string::npos);
  std::vector<std::int64_t> two(2);
  EXPECT_NE(data_error([&] { labels.read_rows<std::int64_t>(2, two); }).find("lie outside"),
            std::string::npos);
}

TEST(Errors, print_nothing) {
  testing::internal::CaptureStderr();
  EXPECT_THROW(File::open("/nonexistent/file.h5"), DataError);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

/// Exit status of a process that may not write files longer than `limit_bytes`.
template <class Function>
int status_with_file_limit(rlim_t limit_bytes, Function function) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{limit_bytes, limit_bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::exit(function());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int write_too_much(const std::filesystem::path& path) {
  try {
    File file = File::create(path);
    Dataset data = file.create_dataset("images", Element::uint8, {100000});
    data.write_rows<std::uint8_t>(0, counting(100000));
    return 1;
  } catch (const std::system_error& error) {
    return error.code().value() == EFBIG ? 42 : 2;
  }
}

TEST(Errors, a_full_disk_is_a_system_error_and_the_process_still_ends) {
  const TemporaryFolder folder;
  EXPECT_EQ(status_with_file_limit(20000, [&] { return write_too_much(folder / "a.h5"); }), 42);
}

}  // namespace
}  // namespace effuse::hdf5
