// Threads of the engine's own. A call of the core gets a team: the calling thread, and workers that sleep
// between calls. Teams of calls that run at the same time share the threads there may be.
#pragma once

#include "barrier.hpp"

namespace chainrule {

// One thread of a team.
struct Member {
  int thread, threads;  // its number from 0, the caller's; how many there are
  Barrier& barrier;     // of the team
};

// Calls body(Member) on each thread of a team and waits for all. A team has at most `wanted` threads. It has
// fewer while other teams are at work, as all together should not have more than `limit`, and where the
// system gives no more. An exception of one thread ends the others at their next barrier and reaches the
// caller.
using TeamBody = void (*)(void* body, const Member& member);
void run_team(int wanted, int limit, TeamBody call, void* body);

template <class Body>
void in_team(int wanted, int limit, Body&& body) {
  const TeamBody call = [](void* b, const Member& member) { (*static_cast<decltype(&body)>(b))(member); };
  run_team(wanted, limit, call, &body);
}

// How many threads a call may have: what was set, else as many as there are processors for the calling
// thread, but no more than the quota.
int thread_count();

// `most` 0: nothing is set. `quota` 0: there is none. Threads beyond the new number end.
void set_thread_count(int most, int quota);

// How often this process and its ancestors have forked since the core was loaded: locks that were held then,
// by threads that are not here, are to be made anew.
int forks();

}  // namespace chainrule
