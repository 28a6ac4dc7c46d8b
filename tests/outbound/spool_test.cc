// What stands in the spool folder after success, repeats, crashes and faults.
#include "gateway/outbound/spool.h"

#include "gateway/base/text.h"
#include "gateway/outbound/outbound.h"
#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace lotsen::outbound {
namespace {

namespace fs = std::filesystem;
using queue::Answer;
using queue::Phase;

class SpoolTest : public testing::Test {
 protected:
  void SetUp() override {
    endpoint_.id = "letters";
    endpoint_.kind = Endpoint::Kind::Spool;
    endpoint_.folder = folder_.file("spool");
    ASSERT_TRUE(Spool::prepare(endpoint_).ok());
  }

  queue::Sending letter(std::string body, std::string mediaType = "application/pdf") const {
    queue::Sending sending;
    sending.delivery = "0190f3c2-7d2e-7a51-8c1f-3a5b7c9d1e2f";
    sending.token = 3;
    sending.endpoint = "letters";
    sending.mediaType = std::move(mediaType);
    sending.body = std::move(body);
    return sending;
  }

  std::string at(const std::string& name) const { return endpoint_.folder + "/letters/" + name; }
  std::string pdf() const { return at("0190f3c2-7d2e-7a51-8c1f-3a5b7c9d1e2f.pdf"); }
  std::size_t filesThere() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(endpoint_.folder + "/letters"), {}));
  }
  static std::string contentOf(const std::string& path) {
    std::string text;
    EXPECT_TRUE(readFile(path, text)) << path;
    return text;
  }

  test::TempDir folder_;
  Endpoint endpoint_;
};

TEST_F(SpoolTest, WritesOneFileForItsOwnerOnly) {
  auto outbound = Outbound::create({endpoint_});
  ASSERT_TRUE(outbound.ok());
  (*outbound)->start(letter("%PDF-1.7"));
  const auto answers = (*outbound)->take(milliseconds(10'000));
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].phase, Phase::Answered);
  EXPECT_EQ(answers[0].status, 200);
  EXPECT_EQ(answers[0].token, 3U);
  EXPECT_EQ(contentOf(pdf()), "%PDF-1.7");
  EXPECT_EQ(filesThere(), 1U);
  struct stat about {};
  ASSERT_EQ(::stat(pdf().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
}

TEST_F(SpoolTest, NamesTheFileAfterItsMediaType) {
  spoolOne(endpoint_, letter("a", "text/plain; charset=utf-8"));
  EXPECT_TRUE(fs::exists(at("0190f3c2-7d2e-7a51-8c1f-3a5b7c9d1e2f.txt")));
  spoolOne(endpoint_, letter("a", "image/unheard-of"));
  EXPECT_TRUE(fs::exists(at("0190f3c2-7d2e-7a51-8c1f-3a5b7c9d1e2f.bin")));
}

TEST_F(SpoolTest, TheSameLetterAgainIsFineAndOtherBytesAreRefused) {
  EXPECT_EQ(spoolOne(endpoint_, letter("one")).status, 200);
  EXPECT_EQ(spoolOne(endpoint_, letter("one")).status, 200);
  const Answer other = spoolOne(endpoint_, letter("two"));
  EXPECT_EQ(other.phase, Phase::Answered);
  EXPECT_EQ(other.status, 409);
  EXPECT_EQ(contentOf(pdf()), "one");
  EXPECT_EQ(filesThere(), 1U);
}

TEST_F(SpoolTest, ACrashWhileWritingLeavesNothingBehind) {
  std::ofstream(at(".0190f3c2-7d2e-7a51-8c1f-3a5b7c9d1e2f.part")) << "%PDF half";
  std::ofstream(at("somebody-elses.part")) << "kept";
  ASSERT_TRUE(Spool::prepare(endpoint_).ok());
  EXPECT_EQ(filesThere(), 1U);
  EXPECT_EQ(spoolOne(endpoint_, letter("whole")).status, 200);
  EXPECT_EQ(contentOf(pdf()), "whole");
}

TEST_F(SpoolTest, ACrashAfterTheNameBeforeTheAnswerEndsInOneFile) {
  // What such a crash leaves: the file under its name, and its hidden name too.
  std::ofstream(pdf()) << "whole";
  fs::create_hard_link(pdf(), at(".0190f3c2-7d2e-7a51-8c1f-3a5b7c9d1e2f.part"));
  ASSERT_TRUE(Spool::prepare(endpoint_).ok());
  EXPECT_EQ(spoolOne(endpoint_, letter("whole")).status, 200);
  EXPECT_EQ(contentOf(pdf()), "whole");
  EXPECT_EQ(filesThere(), 1U);
}

TEST_F(SpoolTest, ARepeatWithoutARestartDoesNotTouchTheFileThroughItsHiddenName) {
  std::ofstream(pdf()) << "whole";
  fs::create_hard_link(pdf(), at(".0190f3c2-7d2e-7a51-8c1f-3a5b7c9d1e2f.part"));
  EXPECT_EQ(spoolOne(endpoint_, letter("other")).status, 409);
  EXPECT_EQ(contentOf(pdf()), "whole");
}

TEST_F(SpoolTest, AMissingFolderIsUnsentAndSaysSo) {
  fs::remove_all(endpoint_.folder);
  const Answer answer = spoolOne(endpoint_, letter("a"));
  EXPECT_EQ(answer.phase, Phase::Unsent);
  EXPECT_NE(answer.error.find("letters"), std::string::npos) << answer.error;
}

TEST_F(SpoolTest, AnIdThatIsNoFileNameIsRefused) {
  queue::Sending sending = letter("a");
  sending.delivery = "../../escape";
  EXPECT_EQ(spoolOne(endpoint_, sending).phase, Phase::Unsent);
  EXPECT_EQ(filesThere(), 0U);
}

TEST_F(SpoolTest, AFileWhereTheFolderShouldBeIsSaidAtStart) {
  endpoint_.folder += "/letters/file";
  std::ofstream(endpoint_.folder) << "";
  const auto made = Outbound::create({endpoint_});
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, Code::Unavailable);
}

}  // namespace
}  // namespace lotsen::outbound
