// How a thread waits for another: it spins for a moment, then sleeps. On a busy machine a thread that only
// spins would hold the very core that the other one needs.
#pragma once

#include <atomic>
#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace chainrule {

constexpr int kSpins = 4000;       // about 100 microseconds
constexpr int kRestSpins = 10000;  // of a worker between calls: enough to catch the next of many small ones

inline void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Until `word` is another than `old`; who changes it must notify. Returns what it is then.
inline uint32_t wait_while(const std::atomic<uint32_t>& word, uint32_t old, int spins) {
  uint32_t now = word.load(std::memory_order_acquire);
  for (; now == old && spins > 0; --spins) {
    pause();
    now = word.load(std::memory_order_acquire);
  }
  while (now == old) {
    word.wait(old, std::memory_order_acquire);
    now = word.load(std::memory_order_acquire);
  }
  return now;
}

}  // namespace chainrule
