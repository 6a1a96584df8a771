// The fields of a record, named once: `CHAINRULE_FIELDS(x, y)` in a struct gives it a function `fields` that
// calls a visitor with the name of each and a reference to it. Reading a record and describing it come from
// there.
#pragma once

#define CHAINRULE_PARENTHESES ()
#define CHAINRULE_AGAIN(...) CHAINRULE_AGAIN_4(CHAINRULE_AGAIN_4(CHAINRULE_AGAIN_4(__VA_ARGS__)))
#define CHAINRULE_AGAIN_4(...) CHAINRULE_AGAIN_2(CHAINRULE_AGAIN_2(CHAINRULE_AGAIN_2(__VA_ARGS__)))
#define CHAINRULE_AGAIN_2(...) CHAINRULE_AGAIN_1(CHAINRULE_AGAIN_1(CHAINRULE_AGAIN_1(__VA_ARGS__)))
#define CHAINRULE_AGAIN_1(...) __VA_ARGS__
#define CHAINRULE_VISIT(name, ...) \
  visit(#name, record.name);       \
  __VA_OPT__(CHAINRULE_VISIT_NEXT CHAINRULE_PARENTHESES(__VA_ARGS__))
#define CHAINRULE_VISIT_NEXT() CHAINRULE_VISIT
#define CHAINRULE_VISIT_EACH(...) CHAINRULE_AGAIN(CHAINRULE_VISIT(__VA_ARGS__))

#define CHAINRULE_FIELDS(...)                          \
  template <class Record, class Visitor>               \
  static void fields(Record& record, Visitor& visit) { \
    CHAINRULE_VISIT_EACH(__VA_ARGS__)                  \
  }
// After those of the struct that it extends.
#define CHAINRULE_MORE_FIELDS(Base, ...)               \
  template <class Record, class Visitor>               \
  static void fields(Record& record, Visitor& visit) { \
    Base::fields(record, visit);                       \
    CHAINRULE_VISIT_EACH(__VA_ARGS__)                  \
  }

namespace chainrule {

// The values of an enumeration in their order, by the names that the lowering has for them.
template <class Enumeration>
struct Names;

}  // namespace chainrule

#define CHAINRULE_NAMES(Enumeration, ...)                  \
  template <>                                              \
  struct Names<Enumeration> {                              \
    static constexpr const char* kind = #Enumeration;      \
    static constexpr const char* values[] = {__VA_ARGS__}; \
  };
