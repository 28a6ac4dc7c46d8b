// Skips a test that wants the shared corpora when they are not there.
#pragma once

#include "tests/support/shared.h"

#include <gtest/gtest.h>

#define LOTSEN_NEEDS_CORPORA()                                         \
  if (!std::filesystem::exists(::lotsen::test::sharedPath("corpora"))) \
  GTEST_SKIP() << "no corpora at " << ::lotsen::test::sharedPath("corpora")
