#include "comm/communicator.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>

#include "comm/backends.hpp"
#include "core/checksum.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

constexpr std::array kTypes{at::kFloat, at::kDouble, at::kBFloat16, at::kHalf,
                            at::kLong,  at::kInt,    at::kByte};

const char* type_name(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return "float32";
    case at::kDouble:
      return "float64";
    case at::kBFloat16:
      return "bfloat16";
    case at::kHalf:
      return "float16";
    case at::kLong:
      return "int64";
    case at::kInt:
      return "int32";
    case at::kByte:
      return "uint8";
    default:
      return c10::toString(type);
  }
}

const char* op_name(ReduceOp op) {
  switch (op) {
    case ReduceOp::sum:
      return "sum";
    case ReduceOp::max:
      return "max";
    case ReduceOp::min:
      return "min";
  }
  return "unknown";
}

std::string describe(const at::Tensor& tensor) {
  return cat(human_count(static_cast<std::uint64_t>(tensor.numel())), " x ",
             type_name(tensor.scalar_type()));
}

at::Tensor bytes_of(const std::string& text, std::int64_t size_bytes) {
  const at::Tensor bytes = at::zeros({size_bytes}, at::kByte);
  std::memcpy(bytes.mutable_data_ptr(), text.data(), text.size());
  return bytes;
}

std::string text_of(const at::Tensor& bytes, std::int64_t size_bytes) {
  return {static_cast<const char*>(bytes.const_data_ptr()), static_cast<std::size_t>(size_bytes)};
}

}  // namespace

Communicator::Communicator(int rank, int world_size, const Deadlines& deadlines,
                           RollCall* roll_call)
    : rank_(rank),
      world_size_(world_size),
      deadlines_(deadlines),
      attendance_(rank, roll_call, deadlines) {}

std::unique_ptr<Work> Communicator::all_reduce_async(at::Tensor tensor, ReduceOp op,
                                                     std::string_view purpose) {
  require_usable(tensor, "all_reduce");
  if (std::exchange(leaves_out_, false)) return std::make_unique<Done>();
  auto label = next_label(cat("all_reduce of ", describe(tensor), " (", op_name(op), ")",
                              purpose.empty() ? "" : " for ", purpose));
  return start_all_reduce(std::move(tensor), op, std::move(label));
}

void Communicator::all_reduce(at::Tensor tensor, ReduceOp op) {
  all_reduce_async(std::move(tensor), op)->wait();
}

void Communicator::broadcast(at::Tensor tensor, int root) {
  require_usable(tensor, "broadcast");
  require_rank(root, "broadcast");
  auto label = next_label(cat("broadcast of ", describe(tensor), " from rank ", root));
  start_broadcast(std::move(tensor), root, std::move(label))->wait();
}

at::Tensor Communicator::all_gather(const at::Tensor& tensor) {
  const at::Tensor own = tensor.defined() ? tensor.contiguous() : tensor;
  require_usable(own, "all_gather");
  std::vector<std::int64_t> shape{world_size_};
  shape.insert(shape.end(), own.sizes().begin(), own.sizes().end());
  at::Tensor gathered = at::empty(shape, own.options());
  start_all_gather(own, gathered, next_label(cat("all_gather of ", describe(own))))->wait();
  return gathered;
}

void Communicator::barrier() { start_barrier(next_label("barrier"))->wait(); }

std::string Communicator::broadcast_text(const std::string& text, int root) {
  const at::Tensor size = at::zeros({1}, at::kLong);
  size.mutable_data_ptr<std::int64_t>()[0] = static_cast<std::int64_t>(text.size());
  broadcast(size, root);
  const std::int64_t size_bytes = size.const_data_ptr<std::int64_t>()[0];
  const at::Tensor bytes = bytes_of(rank_ == root ? text : std::string(), size_bytes);
  broadcast(bytes, root);
  return text_of(bytes, size_bytes);
}

std::vector<std::string> Communicator::all_gather_text(const std::string& text) {
  const at::Tensor size = at::zeros({1}, at::kLong);
  size.mutable_data_ptr<std::int64_t>()[0] = static_cast<std::int64_t>(text.size());
  const at::Tensor gathered = all_gather(size);
  const auto* sizes = gathered.const_data_ptr<std::int64_t>();
  const std::int64_t longest = *std::max_element(sizes, sizes + world_size_);
  std::vector<std::string> result(static_cast<std::size_t>(longest == 0 ? world_size_ : 0));
  if (longest == 0) return result;
  const at::Tensor texts = all_gather(bytes_of(text, longest));
  for (int k = 0; k < world_size_; ++k) result.push_back(text_of(texts[k], sizes[k]));
  return result;
}

void Communicator::require_same_history() {
  const auto histories = all_gather_text(cat(sequence_, " (checksum ", history_, ")"));
  if (std::ranges::count(histories, histories.front()) == world_size_) return;
  std::string list;
  for (int k = 0; k < world_size_; ++k) {
    list += cat(k == 0 ? "" : "; ", "rank ", k, ": ", histories[static_cast<std::size_t>(k)]);
  }
  throw CommError(cat("the ranks have come to different operations (their results were mixed up): ",
                      "numbers so far are ", list, ". Run the same command again; where it comes ",
                      "back it is a fault of the program, to be reported with this list."));
}

CommSection Communicator::enter(CommSection section) {
  attendance_.enter(section);
  return std::exchange(section_, section);
}

OperationLabel Communicator::next_label(std::string name) {
  OperationLabel label{section_, std::move(name), ++sequence_, deadlines_.of(section_)};
  const std::string text = label.text();
  history_ = 31 * history_ + crc32c(std::as_bytes(std::span(text)));
  attendance_.come_to(label);
  return label;
}

void Communicator::require_usable(const at::Tensor& tensor, std::string_view operation) const {
  if (!tensor.defined()) {
    throw CommError(cat(operation, " was given no tensor"));
  }
  if (!accepts(tensor.device())) {
    throw CommError(cat(operation, " was given a tensor on ", tensor.device().str(),
                        ", where the backend ", backend(), " cannot reach it"));
  }
  if (!tensor.is_contiguous()) {
    throw CommError(cat(operation, " was given a tensor that is not contiguous"));
  }
  if (std::find(kTypes.begin(), kTypes.end(), tensor.scalar_type()) == kTypes.end()) {
    throw CommError(cat(operation, " was given a tensor of type ", type_name(tensor.scalar_type()),
                        ", which it cannot send"));
  }
}

void Communicator::require_rank(int root, std::string_view operation) const {
  if (root < 0 || root >= world_size_) {
    throw CommError(
        cat(operation, " was given root ", root, ", but the ranks are 0 to ", world_size_ - 1));
  }
}

}  // namespace effuse
