// Every kind of pooling.
#pragma once

#include "max_pool.hpp"
