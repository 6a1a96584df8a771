// The memory that plans work in.
#pragma once

#include <cstddef>
#include <memory>

namespace chainrule {

// Sizes come from the user's shapes and batches: a product that no machine can hold throws std::bad_alloc
// instead of wrapping around.
size_t times(size_t a, size_t b);

// `bytes`, rounded up to a multiple of `to`.
size_t rounded(size_t bytes, size_t to);

// Zeroed memory, aligned for the widest vectors and offered to the kernel as huge pages. Throws
// std::bad_alloc.
class Memory {
 public:
  static constexpr size_t kAlignment = 64;

  void reserve(size_t bytes);
  void copy(const Memory& other);
  char* data() const { return data_.get(); }
  size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(char* p) const;
  };
  std::unique_ptr<char, Free> data_;
  size_t size_ = 0;
};

}  // namespace chainrule
