#include "threads.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#if !defined(_WIN32)
#include <pthread.h>
#include <signal.h>
#endif

#include "affinity.hpp"
#include "waiting.hpp"

namespace chainrule {

namespace {

// One call: what its threads do, and what went wrong.
class Team {
 public:
  Team(int threads, int spins, TeamBody call, void* body)
      : threads_(threads), call_(call), body_(body), barrier_(threads, spins) {}

  void work(int thread) noexcept {
    try {
      call_(body_, {thread, threads_, barrier_});
    } catch (const Barrier::Broken&) {
    } catch (...) {
      if (!failed_.test_and_set()) error_ = std::current_exception();
      barrier_.give_up();
    }
  }

  // When all have finished.
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  const int threads_;
  const TeamBody call_;
  void* const body_;
  Barrier barrier_;
  std::atomic_flag failed_ = ATOMIC_FLAG_INIT;
  std::exception_ptr error_;
};

// Signals are for the threads of the program, but for those that a thread's own mistake raises, and those of
// profilers.
class SignalsBlocked {
#if !defined(_WIN32)
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    for (int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGPROF}) sigdelset(&all, own);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
#endif
};

// A thread that works for one team after another. The pool and the thread itself own it: whoever sends it
// away still has to wake it.
class Worker {
 public:
  // Throws std::system_error or std::bad_alloc.
  static std::shared_ptr<Worker> start(const Affinity& affinity) {
    auto worker = std::make_shared<Worker>();
    worker->affinity_ = affinity;  // threads begin where the one that makes them runs
    const SignalsBlocked blocked;
    std::thread([worker] { worker->live(); }).detach();
    return worker;
  }

  void begin(Team& team, int thread, const Affinity& affinity) {
    team_ = &team, thread_ = thread, callers_ = &affinity;
    tell(kWork);
  }
  void finish() { wait_while(order_, kWork, kSpins); }
  void leave() { tell(kLeave); }

 private:
  static constexpr uint32_t kRest = 0, kWork = 1, kLeave = 2;

  void tell(uint32_t order) {
    order_.store(order, std::memory_order_release);
    order_.notify_one();
  }

  void live() {
#if defined(__linux__)
    pthread_setname_np(pthread_self(), "chainrule");
#endif
    while (wait_while(order_, kRest, kRestSpins) == kWork) {
      if (!(affinity_ == *callers_)) {
        affinity_ = *callers_;
        affinity_.adopt();
      }
      team_->work(thread_);
      tell(kRest);
    }
  }

  alignas(64) std::atomic<uint32_t> order_{kRest};
  Team* team_ = nullptr;
  int thread_ = 0;
  Affinity affinity_;
  const Affinity* callers_ = nullptr;
};

using Workers = std::vector<std::shared_ptr<Worker>>;

// All workers that rest, and how many threads are at work. Never destroyed: threads may be at work while the
// process ends.
class Pool {
 public:
  static Pool& instance() {
    static Pool* const pool = new Pool;
    return *pool;
  }

  // The calling thread begins to work, as a team of its own so far.
  void enter() {
    teams_.fetch_add(1, std::memory_order_relaxed);
    working_.fetch_add(1, std::memory_order_relaxed);
  }
  void leave() {
    working_.fetch_sub(1, std::memory_order_relaxed);
    teams_.fetch_sub(1, std::memory_order_relaxed);
  }

  // Workers for a caller that has entered: at most wanted - 1, and no more than its share of the limit.
  Workers hire(int wanted, int limit, const Affinity& affinity) {
    Workers hired;
    const std::lock_guard lock(mutex_);
    const int others = working_.load(std::memory_order_relaxed) - 1;
    const int teams = std::max(1, teams_.load(std::memory_order_relaxed));
    const int threads = std::min({wanted, limit / teams, limit - others});
    try {
      while (int(hired.size()) + 1 < threads) {
        hired.reserve(threads - 1);
        resting_.reserve(workers_ + 1);
        if (resting_.empty()) {
          hired.push_back(Worker::start(affinity));
          ++workers_;
        } else {
          hired.push_back(std::move(resting_.back()));
          resting_.pop_back();
        }
      }
    } catch (const std::system_error&) {  // the system gives no more threads
    } catch (const std::bad_alloc&) {
    }
    working_.fetch_add(int(hired.size()), std::memory_order_relaxed);
    return hired;
  }

  void release(Workers& hired) noexcept {
    if (hired.empty()) return;
    const std::lock_guard lock(mutex_);
    working_.fetch_sub(int(hired.size()), std::memory_order_relaxed);
    for (std::shared_ptr<Worker>& worker : hired) resting_.push_back(std::move(worker));  // there is room
    dismiss();
  }

  // From now on at most so many rest.
  void keep(int most) {
    const std::lock_guard lock(mutex_);
    most_resting_ = most;
    dismiss();
  }

  int forks() const { return forks_.load(std::memory_order_relaxed); }

 private:
  Pool() {
#if !defined(_WIN32)
    pthread_atfork([] { instance().mutex_.lock(); }, [] { instance().mutex_.unlock(); },
                   [] { instance().begin_anew(); });
#endif
  }

  void dismiss() {
    for (; int(resting_.size()) > most_resting_; resting_.pop_back(), --workers_) resting_.back()->leave();
  }

  // In a forked child only the thread that forked is there.
  void begin_anew() {
    resting_.clear();
    workers_ = 0, teams_ = 0, working_ = 0;
    ++forks_;
    mutex_.unlock();
  }

  std::mutex mutex_;
  Workers resting_;
  int workers_ = 0;  // resting and hired
  int most_resting_ = std::numeric_limits<int>::max();
  std::atomic<int> teams_{0}, working_{0}, forks_{0};
};

// The calling thread is at work.
class Present {
 public:
  Present() { Pool::instance().enter(); }
  ~Present() { Pool::instance().leave(); }
};

std::atomic<int> set_count{0}, set_quota{0};

}  // namespace

int thread_count() {
  const int count = set_count.load(std::memory_order_relaxed);
  if (count > 0) return count;
  const int quota = set_quota.load(std::memory_order_relaxed);
  const int processors = Affinity::of_this_thread().processors();
  return quota > 0 ? std::min(quota, processors) : processors;
}

void set_thread_count(int most, int quota) {
  set_count = most, set_quota = quota;
  Pool::instance().keep(most > 0 ? most - 1 : std::numeric_limits<int>::max());
}

int forks() { return Pool::instance().forks(); }

void run_team(int wanted, int limit, TeamBody call, void* body) {
  const Present present;
  if (std::min(wanted, limit) <= 1) {
    Barrier barrier(1, 0);
    return call(body, {0, 1, barrier});
  }
  const Affinity affinity = Affinity::of_this_thread();
  Workers hired = Pool::instance().hire(wanted, limit, affinity);
  const int threads = 1 + int(hired.size());
  const bool crowded = threads > affinity.processors();  // whoever spins is in the way
  Team team(threads, crowded ? 0 : kSpins, call, body);
  for (int k = 1; k < threads; ++k) hired[k - 1]->begin(team, k, affinity);
  team.work(0);
  for (const std::shared_ptr<Worker>& worker : hired) worker->finish();
  Pool::instance().release(hired);
  team.rethrow();
}

}  // namespace chainrule
