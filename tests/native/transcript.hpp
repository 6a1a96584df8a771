// What write_plans.py wrote down: a plan as the lowering gave it, what was asked of it, and what came out.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "../../src/native/plan.hpp"

namespace chainrule {

[[noreturn]] inline void fail(const std::string& what) {
  std::printf("FAILED %s\n", what.c_str());
  std::exit(1);
}

// The words of a transcript, one after another.
class Words {
 public:
  explicit Words(const char* path) : file_(path) {
    if (!file_) fail(std::string("cannot read ") + path);
  }
  std::string word() {
    std::string next;
    if (!(file_ >> next)) fail("a transcript that ends too soon");
    return next;
  }
  int64_t whole() { return std::strtoll(word().c_str(), nullptr, 10); }
  double number() { return std::strtod(word().c_str(), nullptr); }  // also of the form 0x1.8p+1
  std::vector<int64_t> wholes() {
    std::vector<int64_t> list(whole());
    for (int64_t& item : list) item = whole();
    return list;
  }
  std::vector<double> numbers() {
    std::vector<double> list(whole());
    for (double& item : list) item = number();
    return list;
  }
  Fields fields() {
    Fields found;
    for (int64_t n = whole(); n > 0; --n) {
      const std::string name = word(), kind = word();
      if (kind == "n") found[name] = std::monostate();
      if (kind == "i") found[name] = whole();
      if (kind == "s") found[name] = word();
      if (kind == "d") found[name] = number();
      if (kind == "I") found[name] = wholes();
      if (kind == "D") found[name] = numbers();
    }
    return found;
  }

  std::vector<NamedFields> named() {
    std::vector<NamedFields> list(whole());
    for (NamedFields& item : list) item.name = word(), item.fields = fields();
    return list;
  }

 private:
  std::ifstream file_;
};

struct Event {
  std::string what;                   // values, run, train
  std::vector<double> first, second;  // values: parameters, buffers
  int64_t samples = 0, batch_size = 0, begin = 0, seed = 0, step = 0, memories = 0;
  bool bytes = false;
  double scale = 1;
  std::vector<double> inputs, numbers, weights, rates, scales;
  std::vector<int64_t> indices, labels, order, trainable;
  Fields update;
  // run: loss, correct, gradient, exports; train: losses, correct, parameters, buffers
  std::vector<std::vector<double>> results;
};

struct Transcript {
  explicit Transcript(Words& words) {
    plan.isa = words.word(), plan.number_bytes = int(words.whole()), plan.lanes = int(words.whole());
    plan.sizes = words.fields();
    for (int64_t n = words.whole(); n > 0; --n) {
      std::vector<NamedFields> operations = words.named();
      plan.stages.push_back({operations, words.named()});
    }
    for (int64_t n = words.whole(); n > 0; --n) plan.finishes.push_back(words.fields());
    for (int64_t n = words.whole(); n > 0; --n) plan.packs.push_back(words.fields());
    for (int64_t n = words.whole(); n > 0; --n) plan.folds.push_back(words.fields());
    for (int64_t n = words.whole(); n > 0; --n) events.push_back(event(words));
  }

  static Event event(Words& words) {
    Event event;
    event.what = words.word();
    if (event.what == "values") {
      event.first = words.numbers(), event.second = words.numbers();
    } else if (event.what == "run") {
      event.samples = words.whole(), event.seed = words.whole(), event.step = words.whole();
      event.scale = words.number();
      read_batch(words, event);
    } else if (event.what == "train") {
      event.batch_size = words.whole(), event.begin = words.whole(), event.seed = words.whole();
      event.step = words.whole(), event.memories = words.whole();
      read_batch(words, event);
      event.order = words.wholes(), event.rates = words.numbers(), event.scales = words.numbers();
      event.update = words.fields(), event.trainable = words.wholes();
    } else {
      fail("an event called " + event.what);
    }
    for (int64_t n = words.whole(); n > 0; --n) event.results.push_back(words.numbers());
    return event;
  }

  static void read_batch(Words& words, Event& event) {
    event.bytes = words.whole() != 0;
    event.inputs = words.numbers();
    const std::string kind = words.word();
    if (kind == "indices")
      event.indices = words.wholes();
    else
      event.numbers = words.numbers();
    event.labels = words.wholes();
    event.weights = words.numbers();
  }

  PlanDescription plan;
  std::vector<Event> events;
};

}  // namespace chainrule
