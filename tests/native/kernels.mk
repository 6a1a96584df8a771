# The kernels of one instruction set, a file of each family in the folder OBJECTS: only what changed is built anew.
#   make -f tests/native/kernels.mk OBJECTS=build/... CXX=... FLAGS="..."
SOURCES := $(wildcard src/native/kernels/*.cpp)
objects := $(SOURCES:src/native/kernels/%.cpp=$(OBJECTS)/%.o)

all: $(objects)

$(OBJECTS)/%.o: src/native/kernels/%.cpp CMakeLists.txt
	@mkdir -p $(@D)
	@$(CXX) $(FLAGS) -MMD -c $< -o $@

-include $(objects:.o=.d)
