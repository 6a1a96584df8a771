// The engine's own threads, without Python and without plans: teams from several threads at once, failures, a
// team in a forked child, changed numbers of threads. With any argument there are no forks: QEMU 7 does not
// survive them while other threads are at work (its own assertion in cpu_exec fails).
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#if !defined(_WIN32)
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "../../src/native/threads.hpp"

namespace chainrule {
namespace {

void expect(bool true_, const char* what) {
  if (true_) return;
  std::printf("FAILED %s\n", what);
  std::exit(1);
}

// Neighbours read after each barrier what the others wrote before it: plain memory, which only the barrier
// orders. Returns the number of threads.
int exchange(int wanted, int rounds) {
  std::vector<int> numbers(wanted);
  int size = 0;
  in_team(wanted, wanted, [&](const Member& member) {
    if (member.thread == 0) size = member.threads;
    for (int round = 1; round <= rounds; ++round) {
      numbers[member.thread] = round;
      member.barrier.wait();
      for (int k = 0; k < member.threads; ++k)
        expect(numbers[k] == round, "a thread is not at the barrier yet");
      member.barrier.wait();
    }
  });
  return size;
}

void every_member_is_there() {
  for (int wanted : {1, 2, 3, 8}) {
    std::vector<int> seen(wanted);
    in_team(wanted, wanted, [&](const Member& member) {
      expect(member.threads == wanted, "a team of another size");
      ++seen[member.thread];
    });
    for (int times : seen) expect(times == 1, "a member that did not work once");
    expect(exchange(wanted, 50) == wanted, "a team of another size");
  }
}

void a_failure_reaches_the_caller() {
  for (int who = 0; who < 4; ++who) {
    std::atomic<int> passed{0};
    try {
      in_team(4, 4, [&](const Member& member) {
        member.barrier.wait();
        if (member.thread == who) throw std::runtime_error("thread " + std::to_string(who));
        member.barrier.wait();
        ++passed;
      });
      expect(false, "nothing was thrown");
    } catch (const std::runtime_error& error) {
      expect(error.what() == "thread " + std::to_string(who), "another error");
    }
    expect(passed == 0, "a thread went on without the one that failed");
    expect(exchange(4, 20) == 4, "no team after a failure");
  }
}

void all_may_fail() {
  try {
    in_team(4, 4, [](const Member&) { throw std::bad_alloc(); });
    expect(false, "nothing was thrown");
  } catch (const std::bad_alloc&) {
  }
}

// Callers at the same time share the limit. Each may have seen others come or go, so only bounds are certain.
void callers_share() {
  std::atomic<int> working{0}, most{0};
  const auto call = [&] {
    for (int times = 0; times < 60; ++times)
      in_team(4, 4, [&](const Member& member) {
        expect(member.threads >= 1 && member.threads <= 4, "a team of another size");
        const int now = ++working;
        for (int before = most; before < now && !most.compare_exchange_weak(before, now);) continue;
        member.barrier.wait();
        --working;
      });
  };
  std::vector<std::thread> callers;
  for (int k = 0; k < 3; ++k) callers.emplace_back(call);
  for (std::thread& caller : callers) caller.join();
  expect(most <= 4 + 2, "more threads than the limit and the callers that came later");
  expect(exchange(4, 20) == 4, "no whole team when the others are done");
}

void numbers_may_change_while_teams_work() {
  std::atomic<bool> done{false};
  std::thread changing([&] {
    for (int k = 0; !done; ++k) set_thread_count(1 + k % 5, 0), std::this_thread::yield();
  });
  for (int times = 0; times < 100; ++times) exchange(1 + times % 5, 3);
  done = true;
  changing.join();
  set_thread_count(0, 1);
  expect(thread_count() == 1, "the quota is not kept");
  set_thread_count(7, 1);
  expect(thread_count() == 7, "what was set is not kept");
  set_thread_count(0, 0);
  expect(thread_count() >= 1, "no thread");
}

#if !defined(_WIN32)
#if defined(__SANITIZE_THREAD__)
constexpr int kInChild = 1;  // ThreadSanitizer cannot make threads there
#else
constexpr int kInChild = 3;
#endif

// While another thread has a team at work, whose workers the child does not have.
void a_forked_child_has_threads() {
  std::atomic<bool> done{false};
  std::thread other([&] {
    while (!done) exchange(3, 5);
  });
  for (int times = 0; times < 10; ++times) {
    exchange(3, 5);
    const int before = forks();
    const pid_t child = fork();
    if (child == 0) {
      alarm(60);
      _exit(forks() == before + 1 && exchange(kInChild, 50) == kInChild ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    expect(status == 0, "a forked child without threads");
  }
  done = true;
  other.join();
}
#endif

}  // namespace
}  // namespace chainrule

int main(int count, char**) {
  using namespace chainrule;
  every_member_is_there();
  a_failure_reaches_the_caller();
  all_may_fail();
  callers_share();
  numbers_may_change_while_teams_work();
#if !defined(_WIN32)
  if (count == 1) a_forked_child_has_threads();
#endif
  std::printf("threads: teams, failures, shared limits, changed numbers%s\n",
              count == 1 ? ", forked children" : "; no forks in an emulator");
  return 0;  // with workers that rest
}
