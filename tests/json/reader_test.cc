#include "gateway/json/reader.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace lotsen::json {
namespace {

/// Writes every event as a short text with its offset.
class Recorder : public Handler {
 public:
  bool null(std::size_t offset) override { return add("null", offset); }
  bool boolean(bool value, std::size_t offset) override { return add(value ? "true" : "false", offset); }
  bool number(std::string_view digits, std::size_t offset) override { return add("#" + std::string(digits), offset); }
  bool string(std::string_view value, std::size_t offset) override {
    return add("'" + std::string(value) + "'", offset);
  }
  bool key(std::string_view name, std::size_t offset) override { return add(std::string(name) + ":", offset); }
  bool startObject(std::size_t offset) override { return add("{", offset); }
  bool endObject(std::size_t offset) override { return add("}", offset); }
  bool startArray(std::size_t offset) override { return add("[", offset); }
  bool endArray(std::size_t offset) override { return add("]", offset); }

  std::string events;
  std::string stopAt;

 private:
  bool add(const std::string& event, std::size_t offset) {
    events += event + "@" + std::to_string(offset) + " ";
    return event != stopAt;
  }
};

std::string eventsOf(std::string_view text) {
  Recorder recorder;
  const auto fault = parse(text, Limits{}, recorder);
  EXPECT_FALSE(fault.has_value()) << fault->text;
  return recorder.events;
}

Fault faultOf(std::string_view text, const Limits& limits = {}) {
  Recorder recorder;
  auto fault = parse(text, limits, recorder);
  EXPECT_TRUE(fault.has_value()) << recorder.events;
  return fault.value_or(Fault{});
}

TEST(JsonReader, TellsEveryTokenWithItsOffset) {
  EXPECT_EQ(eventsOf(R"({"a": [1.50, null, true, false, "x"], "b": {}})"),
            "{@0 a:@1 [@6 #1.50@7 null@13 true@19 false@25 'x'@32 ]@35 b:@38 {@43 }@44 }@45 ");
}

TEST(JsonReader, KeepsTheDigitsOfNumbers) {
  EXPECT_EQ(eventsOf("[0.184467440737095516159,1.00,-0,1E+2,123456789012345678901234567890]"),
            "[@0 #0.184467440737095516159@1 #1.00@25 #-0@30 #1E+2@33 #123456789012345678901234567890@38 ]@68 ");
}

TEST(JsonReader, DecodesEscapesAndLongStrings) {
  EXPECT_EQ(eventsOf(R"(["å\n\"\\\u00e5\ud83d\ude00"])"), "[@0 'å\n\"\\å\xf0\x9f\x98\x80'@1 ]@29 ");
  const std::string text(1000, 'x');
  EXPECT_EQ(eventsOf("[\"" + text + "\\t" + text + "\"]"), "[@0 '" + text + "\t" + text + "'@1 ]@2005 ");
}

TEST(JsonReader, ViewsStayValidAsLongAsTheScratch) {
  class Keeper : public Recorder {
   public:
    bool string(std::string_view value, std::size_t) override {
      kept.push_back(value);
      return true;
    }
    std::vector<std::string_view> kept;
  } keeper;
  const std::string text = R"(["one\n","two",3,"four"])";
  const auto scratch = std::make_unique<char[]>(scratchSize(text.size()));
  ASSERT_FALSE(parse(text, scratch.get(), Limits{}, keeper));
  EXPECT_EQ(keeper.kept, (std::vector<std::string_view>{"one\n", "two", "four"}));
}

struct Refusal {
  std::string text;
  std::string rule;
  std::size_t offset;
};

TEST(JsonReader, RefusesWithRuleAndOffset) {
  using namespace std::string_literals;
  const std::vector<Refusal> cases = {
      {"", "json-syntax", 0},
      {"   ", "json-syntax", 3},
      {"{\"a\":1} x", "json-syntax", 8},
      {"{\"a\":1,}", "json-syntax", 7},
      {"{\"a\" 1}", "json-syntax", 5},
      {"[1,2", "json-syntax", 4},
      {"[01]", "json-syntax", 2},
      {"[1.]", "json-syntax", 3},
      {"[+1]", "json-syntax", 1},
      {"[.5]", "json-syntax", 1},
      {"[NaN]", "json-syntax", 1},
      {"['a']", "json-syntax", 1},
      {"[\"abc", "json-syntax", 5},
      {"[\"a\\x\"]", "json-syntax", 3},
      {"/* c */ []", "json-syntax", 0},
      {"[1e400]", "json-number-range", 1},
      {"[-1e400]", "json-number-range", 1},
      {"{\"a\":1,\"b\":2,\"a\":3}", "json-duplicate-key", 13},
      {"{\"a\":1,\"\\u0061\":3}", "json-duplicate-key", 7},
      {"[\"\\u0000\"]", "json-nul", 2},
      {"[\"\0\"]"s, "json-nul", 2},
      {"[]\0"s, "json-nul", 2},
      {"[\"\\uDC00\"]", "json-surrogate", 2},
      {"[\"\\uD800\"]", "json-surrogate", 2},
      {"[\"\\uD800\\u0041\"]", "json-surrogate", 2},
      {"[\"\\uD800\\uD800\"]", "json-surrogate", 2},
      {"[\"\\\\\\uDC00\"]", "json-surrogate", 4},
      {"[\"a\xc3\"]", "json-utf8", 3},
      {"[\"\xed\xa0\x80\"]", "json-utf8", 2},
      {"[\"\xc0\xaf\"]", "json-utf8", 2},
      {"[\"a\xf0\x9f\x98", "json-utf8", 3},
      {"\xef\xbb\xbf{}", "json-bom", 0},
  };
  for (const auto& refusal : cases) {
    const Fault fault = faultOf(refusal.text);
    EXPECT_EQ(fault.rule, refusal.rule) << refusal.text;
    EXPECT_EQ(fault.offset, refusal.offset) << refusal.text << ": " << fault.text;
    EXPECT_EQ(fault.code, Code::Invalid);
  }
}

TEST(JsonReader, RefusesEveryRawControlCharacter) {
  for (char c = 1; c < 0x20; ++c) {
    // Both the byte-wise and the vector path of the tokenizer.
    for (const std::size_t before : {0U, 5U, 40U}) {
      const std::string text = "[\"" + std::string(before, 'x') + c + std::string(before, 'y') + "\"]";
      EXPECT_FALSE(faultOf(text).text.empty()) << static_cast<int>(c);
    }
  }
}

TEST(JsonReader, AnEscapedBackslashBeforeUIsNoEscape) {
  EXPECT_EQ(eventsOf(R"(["\\u0000"])"), "[@0 '\\u0000'@1 ]@10 ");
}

TEST(JsonReader, BoundsDepthAndSize) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_FALSE(eventsOf(nested(64)).empty());
  EXPECT_EQ(faultOf(nested(65)).rule, "json-depth");
  EXPECT_EQ(faultOf(nested(65)).offset, 64U);
  EXPECT_EQ(faultOf(std::string(1'000'000, '[')).code, Code::TooLarge);
  const Fault tooLong = faultOf("[1,2,3]", Limits{64, 6});
  EXPECT_EQ(tooLong.rule, "json-size");
  EXPECT_EQ(tooLong.code, Code::TooLarge);
}

TEST(JsonReader, FindsDuplicatesInLargeObjectsInReasonableTime) {
  std::string text = "{";
  for (int i = 0; i < 100'000; ++i) text += "\"k" + std::to_string(i) + "\":1,";
  EXPECT_FALSE(eventsOf(text + "\"z\":1}").empty());
  EXPECT_EQ(faultOf(text + "\"k77\":1}").rule, "json-duplicate-key");
}

TEST(JsonReader, SameKeyInDifferentObjectsIsFine) {
  EXPECT_FALSE(eventsOf(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]})").empty());
}

TEST(JsonReader, StopsWhenTheHandlerSaysSo) {
  Recorder recorder;
  recorder.stopAt = "b:";
  const auto fault = parse(R"({"a":1,"b":2,"c":3})", Limits{}, recorder);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->rule, "json-stopped");
  EXPECT_EQ(recorder.events, "{@0 a:@1 #1@5 b:@7 ");
}

TEST(JsonLineCounter, CountsFromOneInBytes) {
  const std::string text = "{\n  \"å\": 1,\n\"b\":2}";
  LineCounter counter(text);
  const auto at = [&](std::size_t offset) {
    const Place place = counter.at(offset);
    return std::to_string(place.line) + ":" + std::to_string(place.column);
  };
  EXPECT_EQ(at(0), "1:1");
  EXPECT_EQ(at(4), "2:3");
  EXPECT_EQ(at(10), "2:9");
  EXPECT_EQ(at(13), "3:1");
  EXPECT_EQ(at(text.size()), "3:7");
}

}  // namespace
}  // namespace lotsen::json
