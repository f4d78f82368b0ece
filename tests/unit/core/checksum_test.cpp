#include "core/checksum.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <system_error>

#include "core/files.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

std::uint32_t crc_of(std::string_view text) { return crc32c(std::as_bytes(std::span(text))); }

// RFC 3720, appendix B.4.
TEST(Crc32c, AgreesWithTheStandard) {
  EXPECT_EQ(crc_of("123456789"), 0xE3069283u);
  EXPECT_EQ(crc_of(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc_of(std::string(32, '\xff')), 0x62A8AB43u);
  EXPECT_EQ(crc_of(""), 0u);
}

TEST(Crc32, AgreesWithTheStandard) {
  const auto crc = [](std::string_view text) { return crc32(std::as_bytes(std::span(text))); };
  EXPECT_EQ(crc("123456789"), 0xCBF43926u);
  EXPECT_EQ(crc(""), 0u);
}

// FIPS 180-2, appendix B.
TEST(Sha256, AgreesWithTheStandard) {
  EXPECT_EQ(sha256_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_of(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, TakesAStreamInPieces) {
  const std::string_view text = "abc";
  Sha256 hash;
  for (std::size_t i = 0; i < text.size(); ++i) {
    hash.update(std::as_bytes(std::span(text.substr(i, 1))));
  }
  EXPECT_EQ(hash.hex_digest(), sha256_of(text));
}

TEST(Sha256, OfAFileIsThatOfItsBytes) {
  const TemporaryFolder folder;
  const std::string text(3'000'001, 'x');  // more than one read
  write_file_atomically(folder / "file", text);
  EXPECT_EQ(sha256_of_file(folder / "file"), sha256_of(text));
}

TEST(Sha256, OfAFileThatIsNotThereIsAnError) {
  const TemporaryFolder folder;
  EXPECT_THROW(sha256_of_file(folder / "missing"), std::system_error);
}

}  // namespace
}  // namespace effuse
