#include "barrier.hpp"

#include "waiting.hpp"

namespace chainrule {

void Barrier::wait() {
  if (threads_ == 1) return;
  uint32_t round = round_.load(std::memory_order_relaxed);
  if (round & kBroken) throw Broken();
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
    arrived_.store(0, std::memory_order_relaxed);
    round = round_.fetch_add(kRound, std::memory_order_release);
    round_.notify_all();
  } else {
    round = wait_while(round_, round, spins_);
  }
  if (round & kBroken) throw Broken();
}

void Barrier::give_up() {
  round_.fetch_or(kBroken, std::memory_order_release);
  round_.notify_all();
}

}  // namespace chainrule
