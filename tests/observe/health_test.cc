#include "gateway/observe/health.h"

#include <gtest/gtest.h>

namespace lotsen::observe {
namespace {

TEST(Health, NothingExpectedIsGood) {
  const Health health;
  EXPECT_TRUE(health.live().good);
  EXPECT_TRUE(health.ready().good);
}

TEST(Health, StartingIsAliveButNotReady) {
  Health health;
  health.expect(Health::Kind::Live, "store");
  health.expect(Health::Kind::Ready, "maps");
  EXPECT_TRUE(health.live().good);
  EXPECT_FALSE(health.ready().good);
  EXPECT_EQ(
      healthJson(health.ready()),
      R"({"status":"bad","checks":[{"name":"maps","good":false,"reason":"starting"},{"name":"store","good":false,"reason":"starting"}]})");
  health.good("store");
  health.good("maps");
  EXPECT_TRUE(health.ready().good);
  EXPECT_EQ(healthJson(health.live()), R"({"status":"good","checks":[{"name":"store","good":true}]})");
}

TEST(Health, OnlyLiveChecksAskForARestart) {
  Health health;
  health.expect(Health::Kind::Live, "store");
  health.good("store");
  health.bad("database", "locked by another process");
  EXPECT_TRUE(health.live().good);
  EXPECT_FALSE(health.ready().good);
  health.good("database");
  health.bad("store", "sync failed: the disk is \"full\"");
  EXPECT_FALSE(health.live().good);
  EXPECT_FALSE(health.ready().good);
  EXPECT_EQ(
      healthJson(health.live()),
      R"({"status":"bad","checks":[{"name":"store","good":false,"reason":"sync failed: the disk is \"full\""}]})");
}

}  // namespace
}  // namespace lotsen::observe
