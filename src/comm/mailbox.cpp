#include "comm/mailbox.hpp"

#include <mpi.h>

#include <algorithm>
#include <list>

#include "comm/mpi_check.hpp"

namespace effuse {
namespace {

constexpr int kTag = 1;

template <std::size_t Size>
void fill(std::array<char, Size>& field, std::string_view content) {
  field.fill('\0');
  content.copy(field.data(), Size - 1);
}

struct Envelope {
  RollCallMessage message;
  MPI_Request request = MPI_REQUEST_NULL;
};

bool delivered(Envelope& envelope) {
  int done = 0;
  check_mpi(MPI_Test(&envelope.request, &done, MPI_STATUS_IGNORE), "MPI_Test");
  return done != 0;
}

}  // namespace

void RollCallMessage::set_operation(std::string_view name) { fill(operation, name); }
void RollCallMessage::set_text(std::string_view content) { fill(text, content); }

struct Mailbox::Post {
  MPI_Comm comm = MPI_COMM_NULL;
  std::list<Envelope> under_way;
};

Mailbox::Mailbox() : post_(std::make_unique<Post>()) {
  check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &post_->comm), "MPI_Comm_dup");
}

Mailbox::~Mailbox() {
  if (!post_->under_way.empty()) static_cast<void>(post_.release());  // MPI may still read it
}

void Mailbox::send(int to, const RollCallMessage& message) {
  Envelope& envelope = post_->under_way.emplace_back(Envelope{message});
  check_mpi(MPI_Isend(&envelope.message, sizeof envelope.message, MPI_BYTE, to, kTag, post_->comm,
                      &envelope.request),
            "MPI_Isend");
}

std::optional<Mailbox::Letter> Mailbox::receive() {
  std::erase_if(post_->under_way, delivered);
  int there = 0;
  MPI_Status status;
  check_mpi(MPI_Iprobe(MPI_ANY_SOURCE, kTag, post_->comm, &there, &status), "MPI_Iprobe");
  if (there == 0) return std::nullopt;
  Letter letter{.from = status.MPI_SOURCE, .message = {}};
  check_mpi(MPI_Recv(&letter.message, sizeof letter.message, MPI_BYTE, letter.from, kTag,
                     post_->comm, MPI_STATUS_IGNORE),
            "MPI_Recv");
  return letter;
}

}  // namespace effuse
