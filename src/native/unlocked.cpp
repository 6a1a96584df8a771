#include "unlocked.hpp"

#include <atomic>
#include <cstdint>

#include "threads.hpp"

namespace chainrule {

namespace {

// Changed under the interpreter's lock.
bool ending = false;
int counted_at = 0;                 // forks() when `unlocked` was right
std::atomic<uint32_t> unlocked{0};  // threads that are without the lock

// The threads that were without the lock when a process forked are not in the child.
void forget_after_fork() {
  if (counted_at == forks()) return;
  counted_at = forks();
  unlocked = 0;
}

}  // namespace

Unlocked::Unlocked() {
  forget_after_fork();
  if (ending) return;
  ++unlocked;
  state_ = PyEval_SaveThread();
}

Unlocked::~Unlocked() {
  if (state_ == nullptr) return;
  PyEval_RestoreThread(state_);
  --unlocked;
  unlocked.notify_all();
}

void Unlocked::end() {
  forget_after_fork();
  ending = true;
  PyThreadState* const state = PyEval_SaveThread();
  for (uint32_t left = unlocked; left > 0; left = unlocked) unlocked.wait(left);
  PyEval_RestoreThread(state);
}

}  // namespace chainrule
