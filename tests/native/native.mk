# The native engine without Python: kernels against plain loops, whole networks on one to four threads, and the threads.
#   make -j2 -f tests/native/native.mk                                 as shipped: the objects of the installed package
#   make -j2 -f tests/native/native.mk SANITIZER=address,undefined     under sanitizers, or SANITIZER=thread
# PYTHON: with the package installed, which writes down the networks (write_plans.py). CXX, EMULATOR, BUILD: another
# compiler, what runs its programs if it is one for another processor, and where they are built.
SANITIZER ?=
PYTHON ?= .venv/bin/python
EMULATOR ?=
BUILD ?= build/native-test

name := $(or $(SANITIZER),shipped)
out := $(BUILD)/$(name)
ccache := $(shell command -v ccache 2>/dev/null)

# What CMakeLists.txt sets a name to.
set_there = $(shell sed -n 's/^ *set[(]$(1) \(.*\)[)].*/\1/p' CMakeLists.txt | tr -d '"')

isas := baseline $(if $(filter x86_64%,$(shell $(CXX) -dumpmachine)),avx2 avx512)
running := $(if $(EMULATOR),baseline,$(filter $(isas),$(shell $(PYTHON) -c \
  'from chainrule.engines.native import core; print(*[isa[0] for isa in core.isas()])')))
kernels_run := $(running)
networks_run := $(running)
ifeq ($(SANITIZER),thread) # kernels know nothing of threads, and what threads share is the same in all instruction sets
  kernels_run :=
  networks_run := baseline
endif

flags := -std=c++20 -Wall -Wextra -Isrc/native -MMD
# Under sanitizers without the optimizer, which could remove what they look for.
sanitized := -O0 -g1 -fsanitize=$(SANITIZER) -fno-sanitize-recover=all -fno-omit-frame-pointer
optimized := $(if $(SANITIZER),$(sanitized),-O3)
tests_optimized := $(if $(SANITIZER),$(sanitized),-O1) # tests are not in a hurry, but their sources are long
kernel_flags := $(call set_there,KERNEL_FLAGS)
isa_flags = $(call set_there,ISA_FLAGS_$(1)) -DCHAINRULE_ISA_NAMESPACE=$(1)

# --- objects ---

sources := $(wildcard src/native/kernels/*.cpp)
core := $(filter-out %/bindings.cpp %/peak.cpp %/unlocked.cpp,$(wildcard src/native/*.cpp))
core_objects := $(core:src/native/%.cpp=$(out)/%.o)
thread_objects := $(addprefix $(out)/,affinity.o barrier.o threads.o)

# The kernels as the package was built from them, where that was here and with this compiler.
package := $(patsubst %/build.ninja,%,$(firstword $(shell ls -t build/cp*/build.ninja 2>/dev/null)))
from_package := $(if $(SANITIZER)$(EMULATOR)$(filter-out default,$(origin CXX)),,$(package))
package_objects = $(addprefix $(package)/,$(shell grep -o 'CMakeFiles/kernels_$(1)[^/ ]*\.dir/[^ :|]*\.o' \
  $(package)/build.ninja | sort -u))
own_objects = $(sources:src/native/kernels/%.cpp=$(out)/$(1)/%.o)
objects = $(if $(from_package),$(call package_objects,$(1)),$(own_objects))
# Instruction sets of which nothing runs are only linked.
linked = $(if $(filter $(1),$(networks_run)),$(objects),$(linked_objects))
linked_objects = $(if $(from_unsanitized),$(call package_objects,$(1)),$(own_objects))
from_unsanitized := $(if $(EMULATOR)$(filter-out default,$(origin CXX)),,$(package))

.PHONY: all $(isas:%=kernels-%) $(isas:%=networks-%) $(isas:%=symbols-%) threads
.DELETE_ON_ERROR:
all: $(kernels_run:%=kernels-%) $(networks_run:%=symbols-%) $(networks_run:%=networks-%) threads

define rules_of_isa
$(out)/$(1)/%.o: src/native/kernels/%.cpp CMakeLists.txt
	@mkdir -p $$(@D)
	@$$(ccache) $$(CXX) $$(flags) $$(optimized) $$(kernel_flags) $$(call isa_flags,$(1)) -c $$< -o $$@

$(out)/test-$(1).o: tests/native/test_kernels.cpp CMakeLists.txt
	@mkdir -p $$(@D)
	@$$(ccache) $$(CXX) $$(flags) $$(tests_optimized) $$(kernel_flags) $$(call isa_flags,$(1)) -c $$< -o $$@

$(out)/kernels-$(1): $(out)/test-$(1).o $$(call objects,$(1))
	@$$(CXX) $$(optimized) $$^ -o $$@

kernels-$(1): $(out)/kernels-$(1)
	$$(EMULATOR) $$<

networks-$(1): $(out)/networks build/native-test/transcripts/$(1).plans
	$$(EMULATOR) $$^

# What several objects define weakly the linker takes from any of them: a function that is not in the instruction set's
# own namespace could be AVX-512 code in the baseline.
symbols-$(1): $$(call objects,$(1))
	@if $$$$($$(CXX) -print-prog-name=nm) $$^ | grep ' [VWuvw] ' | grep -v " DW\.ref\.__gxx_personality" \
	    | grep -Ev " _Z[A-Z]*N[A-Z]*9chainrule$$$$(printf %s $(1) | wc -c | tr -d ' ')$(1)"; then \
	  echo "FAILED: these weak symbols are outside of chainrule::$(1)"; exit 1; fi
endef
$(foreach isa,$(isas),$(eval $(call rules_of_isa,$(isa))))

$(out)/%.o: src/native/%.cpp CMakeLists.txt
	@mkdir -p $(@D)
	@$(ccache) $(CXX) $(flags) $(optimized) -c $< -o $@

$(out)/%.o: tests/native/%.cpp CMakeLists.txt
	@mkdir -p $(@D)
	@$(ccache) $(CXX) $(flags) $(optimized) -c $< -o $@

# --- programs ---

$(out)/networks: $(out)/test_plans.o $(core_objects) $(foreach isa,$(isas),$(call linked,$(isa)))
	@$(CXX) $(optimized) $^ -pthread -o $@

$(out)/threads: $(out)/test_threads.o $(thread_objects)
	@$(CXX) $(optimized) $^ -pthread -o $@

threads: $(out)/threads
	$(EMULATOR) $< $(if $(EMULATOR),without-forks)

# Written once for all: as shipped, under sanitizers, and for other processors, which have the baseline.
build/native-test/transcripts/%.plans: $(shell find src/chainrule tests/native/write_plans.py tests/layers/rows.py \
    tests/engines/comparing.py $(wildcard .venv/.installed) -name '*.py' -o -name .installed)
	@mkdir -p $(@D)
	@$(PYTHON) -m tests.native.write_plans $@ $*

-include $(wildcard $(out)/*.d $(out)/*/*.d)
