// Where the threads of a team wait for each other.
#pragma once

#include <atomic>
#include <cstdint>

namespace chainrule {

class Barrier {
 public:
  // What `wait` throws once a thread of the team has failed: nobody waits for it in vain.
  struct Broken {};

  Barrier(int threads, int spins) : threads_(threads), spins_(spins) {}
  void wait();
  void give_up();  // for a thread that will not come

 private:
  static constexpr uint32_t kBroken = 1, kRound = 2;
  const int threads_, spins_;
  std::atomic<int> arrived_{0};
  std::atomic<uint32_t> round_{0};  // kRound for each round that is over, and kBroken
};

}  // namespace chainrule
