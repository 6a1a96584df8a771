#include "memory.hpp"

#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace chainrule {

namespace {

constexpr size_t kHugePage = size_t(2) << 20;

}  // namespace

size_t times(size_t a, size_t b) {
  size_t product;
  if (__builtin_mul_overflow(a, b, &product) || product > size_t(1) << 62) throw std::bad_alloc();
  return product;
}

size_t rounded(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

void Memory::Free::operator()(char* p) const { std::free(p); }

void Memory::reserve(size_t bytes) {
  if (bytes <= size_) return;
  data_.reset();
  size_ = 0;
  const size_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
  const size_t total = rounded(bytes + kAlignment, alignment);
  if (total < bytes) throw std::bad_alloc();
  data_.reset(static_cast<char*>(std::aligned_alloc(alignment, total)));
  if (!data_) throw std::bad_alloc();
#if defined(__linux__)
  if (alignment == kHugePage) madvise(data_.get(), total, MADV_HUGEPAGE);
#endif
  std::memset(data_.get(), 0, total);
#if defined(__SANITIZE_ADDRESS__)
  ASAN_POISON_MEMORY_REGION(data_.get() + bytes, total - bytes);
#endif
  size_ = bytes;
}

void Memory::copy(const Memory& other) {
  reserve(other.size_);
  if (other.size_ > 0) std::memcpy(data_.get(), other.data_.get(), other.size_);
}

}  // namespace chainrule
