#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace effuse {

/// What the ranks send each other in a roll call. Bytes as they are: one program on all ranks.
/// Small enough that MPI hands it over whether or not the receiver is there to take it.
struct RollCallMessage {
  enum class Kind : std::int32_t { question, answer, verdict, seen };

  Kind kind = Kind::question;
  std::int32_t channel = 0;
  std::uint64_t sequence = 0;  ///< of the operation
  std::int64_t question = 0;   ///< the asker's number for it
  std::int32_t came = 0;       ///< Account::came
  double left_s = 0.0;         ///< Account::left_s
  std::array<char, 256> operation{};
  std::array<char, 1024> text{};

  void set_operation(std::string_view name);
  void set_text(std::string_view content);
};

/// Messages between ranks that nobody has to wait for, on an MPI communicator of their own. For one
/// thread.
class Mailbox {
 public:
  /// Collective over all ranks.
  Mailbox();

  /// Leaves to MPI what is not delivered, and the communicator, which cannot be freed before it is.
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  struct Letter {
    int from = 0;
    RollCallMessage message;
  };

  void send(int to, const RollCallMessage& message);
  std::optional<Letter> receive();

 private:
  struct Post;
  std::unique_ptr<Post> post_;
};

}  // namespace effuse
