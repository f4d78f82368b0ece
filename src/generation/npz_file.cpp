#include "generation/npz_file.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "checkpoint/tensor_bytes.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "diffusion/quantise.hpp"
#include "npz/npz_writer.hpp"

namespace effuse {
namespace {

/// Hands out tensors as a stream of bytes, beginning with `first`.
NpzWriter::Source stream_of(at::Tensor first, const std::function<at::Tensor()>& next) {
  return
      [some = std::move(first), &next, place = std::size_t{0}](std::span<std::byte> out) mutable {
        while (!out.empty()) {
          if (place == some.nbytes()) {
            some = next();
            place = 0;
          }
          const std::size_t count = std::min(out.size(), some.nbytes() - place);
          std::memcpy(out.data(), bytes_of(some).data() + place, count);
          place += count;
          out = out.subspan(count);
        }
      };
}

}  // namespace

at::Tensor NpzFile::kept(const at::Tensor& images) const { return to_uint8(images); }

std::int64_t NpzFile::count() const {
  if (!std::filesystem::exists(path_)) return 0;
  try {
    if (!reader_) reader_ = std::make_unique<NpzReader>(path_);
    const ArrayInfo info = reader_->info("arr_0");
    if (info.type == ArrayType::uint8 && info.shape.size() == 4) return info.shape[0];
    log::local_warning(path_.string(), " holds no images. It is made again.");
  } catch (const DataError& error) {
    log::local_warning(error.what(), ". It is made again.");
  }
  return 0;
}

/// The checksums of zip are of whole arrays, so that one damaged image spoils all.
bool NpzFile::is_intact() const {
  try {
    if (!reader_) reader_ = std::make_unique<NpzReader>(path_);
    for (const std::string& name : reader_->names()) reader_->verify(name);
    return true;
  } catch (const DataError& error) {
    log::local_warning(error.what(), ". All of the file is made again.");
    return false;
  }
}

at::Tensor NpzFile::read(std::int64_t place, std::int64_t images) const {
  if (count() < place + images) return {};
  try {
    std::vector<std::int64_t> shape = reader_->info("arr_0").shape;
    shape[0] = images;
    at::Tensor rows = at::empty(shape, at::kByte);
    reader_->read_rows("arr_0", place, images, bytes_to_fill(rows));
    return rows;
  } catch (const DataError& error) {
    log::local_warning(error.what(), ". What is damaged is made again.");
    return {};
  }
}

void NpzFile::write(std::int64_t images, const std::function<at::Tensor()>& next) const {
  const at::Tensor first = next();
  std::vector<std::int64_t> shape = first.sizes().vec();
  shape[0] = images;
  NpzWriter writer(path_);
  writer.add("arr_0", {ArrayType::uint8, shape}, stream_of(first, next));
  if (classes_.conditional()) {
    std::vector<std::int64_t> labels;
    for (std::int64_t i = set_.first; i < set_.end; ++i) labels.push_back(classes_.label(i));
    writer.add("arr_1", {ArrayType::int64, {images}}, std::as_bytes(std::span(labels)));
  }
  writer.commit();
  reader_.reset();
}

void NpzFile::remove() const {
  reader_.reset();
  std::filesystem::remove(path_);
}

}  // namespace effuse
