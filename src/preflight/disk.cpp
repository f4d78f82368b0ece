#include "preflight/disk.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits>
#include <random>
#include <system_error>

#include "core/text.hpp"
#include "preflight/folder.hpp"
#include "preflight/gather.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;
constexpr std::uint64_t kFewBytes = 4096;

/// A file whose name is taken away as soon as it is open.
class NamelessFile {
 public:
  explicit NamelessFile(const fs::path& folder) : folder_(folder.string()) {
    std::string name = (folder / ".effuse-preflight-XXXXXX").string();
    descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
    if (descriptor_ < 0) fail();
    ::unlink(name.c_str());
  }
  ~NamelessFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  NamelessFile(const NamelessFile&) = delete;
  NamelessFile& operator=(const NamelessFile&) = delete;

  void write(const char* bytes, std::size_t size) {
    while (size > 0) {
      const ssize_t written = ::write(descriptor_, bytes, size);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail();
      bytes += written;
      size -= static_cast<std::size_t>(written);
    }
  }
  void flush() {
    if (::fsync(descriptor_) != 0) fail();
  }

 private:
  [[noreturn]] void fail() const {
    throw std::system_error(errno, std::generic_category(), "cannot write in " + folder_);
  }

  std::string folder_;
  int descriptor_ = -1;
};

std::vector<char> incompressible(std::size_t size) {
  std::minstd_rand random(1);
  std::vector<char> bytes(size);
  for (char& byte : bytes) byte = static_cast<char>(random() >> 8);
  return bytes;
}

/// Free space before anyone has written.
DiskFacts find_disk(const std::string& folder) {
  DiskFacts facts;
  facts.error = error_of([&] { facts.free_bytes = fs::space(nearest_folder(folder)).available; });
  return facts;
}

std::string rates(const std::vector<DiskFacts>& facts, const DiskWishes& wishes) {
  double slowest = std::numeric_limits<double>::infinity(), fastest = 0;
  std::size_t writers = 0;
  for (const DiskFacts& f : facts) {
    if (f.seconds <= 0 || f.written_bytes < wishes.written_bytes) continue;
    const double rate = static_cast<double>(f.written_bytes) / f.seconds;
    slowest = std::min(slowest, rate);
    fastest = std::max(fastest, rate);
    ++writers;
  }
  if (writers == 0) return "";
  const auto mib = [](double rate) { return cat(fixed(rate / kBlockBytes, 0), " MiB/s"); };
  return cat(", writes ", writers == 1 ? mib(slowest) : cat(mib(slowest), " to ", mib(fastest)),
             " (", human_bytes(wishes.written_bytes),
             writers == 1 ? "" : cat(" from one rank of each of ", writers, " hosts at once"), ")");
}

}  // namespace

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DiskFacts, error, free_bytes, written_bytes, seconds)

double try_writing(const fs::path& folder, std::uint64_t size_bytes) {
  const std::vector<char> block = incompressible(std::min<std::uint64_t>(size_bytes, kBlockBytes));
  const auto begin = std::chrono::steady_clock::now();
  NamelessFile file(folder);
  for (std::uint64_t left = size_bytes; left > 0;) {
    const std::uint64_t size = std::min<std::uint64_t>(left, block.size());
    file.write(block.data(), size);
    left -= size;
  }
  file.flush();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

Finding judge_disk(const Places& places, const std::string& folder, const DiskWishes& wishes,
                   const std::vector<DiskFacts>& facts) {
  Finding finding{.check = "disk"};
  std::vector<Complaint> complaints;
  std::uint64_t least = UINT64_MAX;
  for (std::size_t rank = 0; rank < facts.size(); ++rank) {
    const DiskFacts& own = facts[rank];
    if (!own.error.empty()) {
      complaints.push_back(
          {static_cast<int>(rank), cat(own.error,
                                       " (checkpoints and logs are written there). Give "
                                       "another folder with --folder.")});
      continue;
    }
    least = std::min(least, own.free_bytes);
    if (own.free_bytes >= wishes.free_bytes) continue;
    complaints.push_back(
        {static_cast<int>(rank),
         cat(human_bytes(own.free_bytes), " free in ", folder, ", less than ",
             human_bytes(wishes.free_bytes),
             " (a checkpoint that does not fit ends the run). Make "
             "room, give another folder with --folder, or lower preflight.min_free_gib.")});
  }
  finding.result = least == UINT64_MAX ? "no rank can write"
                                       : cat(human_bytes(least), " free", rates(facts, wishes));
  finding.add(problems_from(places, complaints));
  return finding;
}

Finding check_disk(Communicator& comm, const Places& places, const std::string& folder,
                   const DiskWishes& wishes) {
  DiskFacts own = find_disk(folder);
  comm.barrier();
  if (own.error.empty() && own.free_bytes >= wishes.free_bytes) {
    const Place& place = places[static_cast<std::size_t>(comm.rank())];
    own.error = error_of([&] {
      const std::uint64_t size = place.local_rank == 0 ? wishes.written_bytes : kFewBytes;
      own.seconds = try_writing(nearest_folder(folder), size);
      own.written_bytes = size;
    });
  }
  return judge_disk(places, folder, wishes, gather(comm, own));
}

}  // namespace effuse
