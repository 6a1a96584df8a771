// What the families of kernels add to the table of an instruction set. Each family is a translation unit of
// its own; table.cpp calls them all.
#pragma once

#include "common.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// Enters a kernel for an operation: it takes the operation's record, or what that record extends.
template <OpKind kind, auto kernel>
void add(KernelTable& table) {
  table.run[static_cast<int>(kind)] = [](const void* record, const Block& b) {
    kernel(*static_cast<const typename RecordOf<kind>::type*>(record), b);
  };
}

// Made for each number of lanes.
template <class T, int L>
void add_bias_gradient(KernelTable& table);
template <class T, int L>
void add_channel_gradient(KernelTable& table);
template <class T, int L>
void add_dense_gradient(KernelTable& table);
template <class T, int L>
void add_finish(KernelTable& table);
template <class T, int L>
void add_gather(KernelTable& table);

// Where there are several lanes.
template <class T, int L>
void add_convolution(KernelTable& table);
template <class T, int L>
void add_lane_gradient(KernelTable& table);
template <class T, int L>
void add_large_convolution(KernelTable& table);
template <class T, int L>
void add_max_pool(KernelTable& table);
template <class T, int L>
void add_winograd(KernelTable& table);

// Where there is one: these take their vectors from elsewhere.
template <class T>
void add_single_convolution(KernelTable& table);
template <class T>
void add_single_gradient(KernelTable& table);
template <class T>
void add_single_max_pool(KernelTable& table);

// Made once for each type of numbers: the lanes are a number.
template <class T>
void add_adaptive_pool(KernelTable& table);
template <class T>
void add_batch_norm(KernelTable& table);
template <class T>
void add_dropout(KernelTable& table);
template <class T>
void add_elementwise(KernelTable& table);
template <class T>
void add_joins(KernelTable& table);
template <class T>
void add_local(KernelTable& table);
template <class T>
void add_losses(KernelTable& table);
template <class T>
void add_norm_pool(KernelTable& table);
template <class T>
void add_pooling(KernelTable& table);
template <class T>
void add_rbf(KernelTable& table);
template <class T>
void add_response_norm(KernelTable& table);
template <class T>
void add_softmax(KernelTable& table);
template <class T>
void add_update(KernelTable& table);

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE

// The (type, lanes) that plans have. As many lanes as the widest vector has numbers; one lane, for answers to
// one sample at a time; and where that leaves a batch of 16 to a single core, half as many.
#if defined(__AVX512F__)
#define CHAINRULE_FOR_MANY_LANES(X) X(float, 16) X(float, 8) X(double, 8)
#elif defined(__AVX2__)
#define CHAINRULE_FOR_MANY_LANES(X) X(float, 8) X(double, 4)
#else
#define CHAINRULE_FOR_MANY_LANES(X) X(float, 4) X(double, 2)
#endif
#define CHAINRULE_FOR_LANES(X) CHAINRULE_FOR_MANY_LANES(X) X(float, 1)
#define CHAINRULE_FOR_TYPES(X) X(float) X(double)
