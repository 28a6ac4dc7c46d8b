#include "gateway/queue/outcome.h"

#include "tests/queue/scripted_transport.h"

#include <gtest/gtest.h>

namespace lotsen::queue {
namespace {

Answer withStatus(int status) {
  return test::answered({}, status);
}

TEST(Outcome, StatusesHaveTheClassesOfTheTable) {
  const std::pair<int, Outcome> expected[] = {{200, Outcome::Done},
                                              {201, Outcome::Done},
                                              {204, Outcome::Done},
                                              {400, Outcome::Park},
                                              {404, Outcome::Park},
                                              {405, Outcome::Park},
                                              {406, Outcome::Park},
                                              {410, Outcome::Park},
                                              {415, Outcome::Park},
                                              {422, Outcome::Park},
                                              {501, Outcome::Park},
                                              {401, Outcome::PauseEndpoint},
                                              {403, Outcome::PauseEndpoint},
                                              {409, Outcome::Conflict},
                                              {412, Outcome::Conflict},
                                              {408, Outcome::Retry},
                                              {425, Outcome::Retry},
                                              {429, Outcome::Retry},
                                              {503, Outcome::Retry},
                                              {500, Outcome::Ambiguous},
                                              {502, Outcome::Ambiguous},
                                              {504, Outcome::Ambiguous},
                                              {302, Outcome::Park},
                                              {299, Outcome::Park},
                                              {0, Outcome::Park}};
  for (const auto& [status, outcome] : expected) {
    const Verdict verdict = classifyHttp(withStatus(status));
    EXPECT_EQ(verdict.outcome, outcome) << status;
    EXPECT_EQ(verdict.reason.empty(), outcome == Outcome::Done) << status;
  }
}

TEST(Outcome, WithoutAnAnswerThePhaseDecides) {
  EXPECT_EQ(classifyHttp(test::unsent({})).outcome, Outcome::Retry);
  EXPECT_EQ(classifyHttp(test::lost({})).outcome, Outcome::Ambiguous);
  EXPECT_TRUE(blamesEndpoint(test::unsent({})));
  EXPECT_TRUE(blamesEndpoint(withStatus(503)));
  EXPECT_FALSE(blamesEndpoint(withStatus(422)));
}

TEST(Outcome, RetryAfterIsReadInBothForms) {
  const Instant now = *parseInstant("2026-03-02T08:00:00Z");
  const auto read = [&](std::string value) {
    Answer answer = withStatus(503);
    answer.fields = {{"Content-Length", "0"}, {"retry-after", std::move(value)}};
    return retryAfter(answer, now);
  };
  EXPECT_EQ(read("30"), milliseconds(30'000));
  EXPECT_EQ(read(" 30 "), milliseconds(30'000));
  EXPECT_EQ(read("0"), milliseconds(0));
  EXPECT_EQ(read("86400"), milliseconds(900'000)) << "capped";
  EXPECT_EQ(read("99999999999999999999"), std::nullopt);
  EXPECT_EQ(read("-5"), std::nullopt);
  EXPECT_EQ(read("soon"), std::nullopt);
  EXPECT_EQ(read("Mon, 02 Mar 2026 08:02:00 GMT"), milliseconds(120'000));
  EXPECT_EQ(read("Mon, 02 Mar 2026 07:00:00 GMT"), milliseconds(0)) << "past";
  EXPECT_EQ(read("Mon, 31 Feb 2026 08:02:00 GMT"), std::nullopt);
  EXPECT_EQ(read("Mon, 02 Xar 2026 08:02:00 GMT"), std::nullopt);
  EXPECT_EQ(retryAfter(withStatus(503), now), std::nullopt);
}

}  // namespace
}  // namespace lotsen::queue
